using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// The keys that sign access tokens (ES256), shared by all replicas through the store. They are rotated; the previous
/// key stays published until its last token has expired.
/// </summary>
internal sealed class SigningKeys(
    Store store,
    ServerSecret secret,
    IOptions<AuthorizationServerOptions> options,
    TimeProvider time
) : IDisposable
{
    // For replicas that have not read the newer key yet.
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _one = new(1);
    private SigningKey[] _keys = [];
    private DateTimeOffset _read;

    /// <summary>The newest key, which signs.</summary>
    public async ValueTask<SigningKey> CurrentAsync(CancellationToken cancellationToken) =>
        _keys is [var newest, ..] && !IsDue(newest) ? newest : (await ReadAsync(cancellationToken))[0];

    /// <summary>All published keys.</summary>
    public async ValueTask<IReadOnlyList<SigningKey>> PublishedAsync(CancellationToken cancellationToken)
    {
        var keys = _keys;
        if (keys.Length > 0 && time.GetUtcNow() < _read + LookAgain)
        {
            return keys;
        }

        try
        {
            return await ReadAsync(cancellationToken);
        }
        catch (StorageException) when (keys.Length > 0)
        {
            return keys; // the cached keys are still valid, and the caller cannot fix the store
        }
    }

    /// <summary>
    /// Finds the key of a token. An unknown one may be another replica's new key, so the store is read, but not for
    /// every made-up token.
    /// </summary>
    public async ValueTask<SigningKey?> FindAsync(string? kid, CancellationToken cancellationToken)
    {
        var known = _keys.FirstOrDefault(key => key.Kid == kid);
        if (known is null && (_keys.Length == 0 || _read + LookAgain <= time.GetUtcNow()))
        {
            known = (await ReadAsync(cancellationToken)).FirstOrDefault(key => key.Kid == kid);
        }

        return known;
    }

    /// <summary>Reads the keys and creates a new one when rotation is due.</summary>
    public async Task<IReadOnlyList<SigningKey>> ReadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var keys = Opened(await store.ReadKeysAsync(cancellationToken));
            if (keys is not [var newest, ..] || IsDue(newest))
            {
                using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                var life = (long)TimeSpan.FromDays(options.Value.KeyDays).TotalMilliseconds;
                var stays =
                    life + (long)(TimeSpan.FromMinutes(options.Value.AccessTokenMinutes) + Grace).TotalMilliseconds;
                keys = await AddAsync(keys.Length == 0 ? now - (long)LookAgain.TotalMilliseconds : now - life);
                if (keys.Length == 0)
                {
                    keys = await AddAsync(long.MaxValue); // the stored keys were encrypted with another secret
                }

                async Task<SigningKey[]> AddAsync(long since) =>
                    Opened(
                        await store.AddKeyAsync(
                            new()
                            {
                                Kid = SigningKey.Thumbprint(made),
                                PrivateKey = secret.Seal(made.ExportPkcs8PrivateKey()),
                                Created = now,
                            },
                            since,
                            now - stays,
                            cancellationToken
                        )
                    );
            }

            (_keys, _read) = (keys, time.GetUtcNow());
            return keys;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private bool IsDue(SigningKey key) => key.Created + TimeSpan.FromDays(options.Value.KeyDays) <= time.GetUtcNow();

    private SigningKey[] Opened(IEnumerable<StoredKey> stored) =>
        [
            .. stored
                .Select(row =>
                    _keys.FirstOrDefault(key => key.Kid == row.Kid)
                    ?? (secret.Open(row.PrivateKey) is { } plain ? new SigningKey(row, plain) : null)
                )
                .OfType<SigningKey>(),
        ];
}
