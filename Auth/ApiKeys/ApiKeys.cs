using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>The configured and the stored API keys, as hashes, and the callers that they authenticate.</summary>
internal sealed partial class ApiKeys(IOptions<AuthOptions> options, TimeProvider time, ILogger<ApiKeys> logger)
{
    /// <summary>The authentication type of callers whose key is stored; of others it is "ApiKey".</summary>
    public const string Stored = "StoredApiKey";

    private const long UseInterval = 60_000;

    // Bounds the hashing work that a caller can cause.
    private const int MaxLength = 512;

    private volatile Entry[] _entries = [.. Entries(options.Value)];
    private TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _checked = DateTimeOffset.MinValue;

    /// <summary>Raised when a key was revoked or has expired.</summary>
    public event Action? Ended;

    /// <summary>Completes the next time that a key is revoked or expires.</summary>
    public Task NextEnd => Volatile.Read(ref _ended).Task;

    public bool AreThere => _entries.Length > 0;

    /// <summary>Finds the caller of a key. Compares all hashes in constant time.</summary>
    /// <param name="expired">The key was valid before, so sending it is not a guess.</param>
    public ClaimsPrincipal? Find(string key, out bool expired)
    {
        expired = false;
        if (key.Length is 0 or > MaxLength)
        {
            return null;
        }

        var (found, now) = (Find(key), time.GetUtcNow());
        expired = found is not null && found.Expires <= now;
        if (found is null || expired)
        {
            return null;
        }

        found.Use?.Note(now.ToUnixTimeMilliseconds());

        if (found.Seen is null)
        {
            found.Seen = new(key, key.GetHashCode());
            // shows during a rotation which key is still in use
            LogUsed(Prefix(key), found.Caller.FindFirstValue("sub")!);
        }

        return found.Caller;
    }

    /// <summary>
    /// Finds the caller by the hash of a key. For grants that were made with a key, which end when the key does.
    /// </summary>
    public ClaimsPrincipal? FindByHash(ReadOnlySpan<byte> hash) =>
        Find(hash) is { } found && !(found.Expires <= time.GetUtcNow()) ? found.Caller : null;

    /// <summary>Replaces the stored keys. Those that were there before stay the same callers.</summary>
    public void SetStored(IReadOnlyList<StoredApiKey> rows)
    {
        var before = _entries;
        var known = before.Where(entry => entry.Use is not null).ToDictionary(entry => entry.Use!.Id);
        Entry[] stored = [.. rows.Select(row => known.GetValueOrDefault(row.Id) ?? EntryOf(row))];
        _entries = [.. before.Where(entry => entry.Use is null), .. stored];
        if (known.Values.Except(stored).Any())
        {
            RaiseEnded();
        }
    }

    /// <summary>The hashes of keys that expired since the last look.</summary>
    public IReadOnlyList<string> TakeExpired()
    {
        var (before, now) = (_checked, time.GetUtcNow());
        _checked = now;
        return
        [
            .. _entries
                .Where(entry => entry.Expires > before && entry.Expires <= now)
                .Select(entry => Convert.ToHexStringLower(entry.Hash)),
        ];
    }

    /// <summary>Ends what depends on keys that are valid no more.</summary>
    public void RaiseEnded()
    {
        Ended?.Invoke();
        Interlocked.Exchange(ref _ended, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>The last use on this replica, in milliseconds since 1970; to the minute.</summary>
    public long? LastUseOf(long id) =>
        _entries.FirstOrDefault(entry => entry.Use?.Id == id)?.Use is { Last: > 0 and var last } ? last : null;

    /// <summary>Uses that were not taken before: at most one in a minute for each key.</summary>
    public IReadOnlyList<(long Id, long At)> TakeUses() =>
        [
            .. _entries
                .Select(entry => entry.Use)
                .OfType<KeyUse>()
                .Where(use => use.Take())
                .Select(use => (use.Id, use.Last)),
        ];

    /// <summary>
    /// The part of a key that may be logged: its first six characters, or nothing when it is too short to be a key.
    /// </summary>
    public static string Prefix(string key) => key.Length < 32 ? "(too short)" : string.Concat(key.AsSpan(0, 6), "…");

    // MCP clients send the same key with every call, and comparing it costs a tenth of its SHA-256. The hash code of a
    // string is seeded per process, so the time of the comparison reveals nothing about a wrong key.
    private Entry? Find(string key)
    {
        var code = key.GetHashCode();
        foreach (var entry in _entries)
        {
            if (entry.Seen is { } seen && seen.Code == code && seen.Key == key)
            {
                return entry;
            }
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return Find(hash);
    }

    private Entry? Find(ReadOnlySpan<byte> hash)
    {
        Entry? found = null;
        foreach (var entry in _entries)
        {
            if (CryptographicOperations.FixedTimeEquals(entry.Hash, hash))
            {
                found = entry;
            }
        }

        return found;
    }

    private static IEnumerable<Entry> Entries(AuthOptions options)
    {
        var keys = options.ApiKeys.AsEnumerable();
        if (options.ApiKey is { Length: > 0 } key)
        {
            keys = keys.Append(new("default", new ApiKeyOptions { Key = key, NextKey = options.NextApiKey }));
        }

        foreach (var (name, named) in keys)
        {
            // Both keys are one caller, so that limits continue across a rotation.
            var caller = CallerOf(name, named.Scopes, "ApiKey");
            if (Hash(named.Key, named.Sha256) is { } hash)
            {
                yield return new(hash, caller, named.Expires);
            }

            if (Hash(named.NextKey, named.NextSha256) is { } next)
            {
                yield return new(next, caller, null);
            }
        }
    }

    private static ClaimsPrincipal CallerOf(string name, string scopes, string type) =>
        new(
            new ClaimsIdentity(
                [new("sub", name), .. Scopes.Split(scopes).Select(scope => new Claim("scope", scope))],
                type
            )
        );

    private static Entry EntryOf(StoredApiKey row) =>
        new(
            Convert.FromHexString(row.KeyHash),
            CallerOf(row.Name, row.Scopes, Stored),
            row.Expires is { } expires ? DateTimeOffset.FromUnixTimeMilliseconds(expires) : null
        )
        {
            Use = new(row.Id, row.LastUsed ?? 0),
        };

    private static byte[]? Hash(string? key, string? hex) =>
        hex is { Length: > 0 } ? Convert.FromHexString(hex)
        : key is { Length: > 0 } ? SHA256.HashData(Encoding.UTF8.GetBytes(key))
        : null;

    [LoggerMessage(LogLevel.Information, "API key used for the first time {KeyPrefix} {Caller}")]
    private partial void LogUsed(string keyPrefix, string caller);

    private sealed record Entry(byte[] Hash, ClaimsPrincipal Caller, DateTimeOffset? Expires)
    {
        /// <summary>The key itself, set on its first use.</summary>
        public SeenKey? Seen { get; set; }

        /// <summary>Of a stored key.</summary>
        public KeyUse? Use { get; init; }
    }

    private sealed class KeyUse(long id, long last)
    {
        private long _last = last;
        private int _isNew;

        public long Id => id;

        public long Last => Volatile.Read(ref _last);

        public void Note(long now)
        {
            if (now - Volatile.Read(ref _last) >= UseInterval)
            {
                Volatile.Write(ref _last, now);
                Volatile.Write(ref _isNew, 1);
            }
        }

        public bool Take() => Volatile.Read(ref _isNew) == 1 && Interlocked.Exchange(ref _isNew, 0) == 1;
    }

    private sealed record SeenKey(string Key, int Code);
}
