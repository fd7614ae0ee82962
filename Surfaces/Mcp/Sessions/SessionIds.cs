using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using MinimalMcp.Storage;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Session ids that carry what <c>initialize</c> said, signed for their caller: a server that was restarted, or another
/// replica, opens the session again from its id, so that clients of older revisions need not notice. Such an id opens
/// nothing that <c>initialize</c> would not; whoever the caller is still says the credential of each request.
/// </summary>
internal sealed partial class SessionIds(IServiceProvider services, TimeProvider time, ILogger<SessionIds> logger)
{
    /// <summary>An id is good for so long after its <c>initialize</c>.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    private const int SecretBytes = 12,
        MacBytes = 16,
        HeadBytes = MacBytes + 4,
        MaxBytes = 700;

    private readonly Lock _asking = new();

    // Made when it is first needed: routes are mapped before wrong settings are told.
    private readonly Lazy<Store> _store = new(services.GetRequiredService<Store>);
    private Task<byte[]>? _key;

    /// <summary>The name in it that logs and spans show: it identifies the session and opens nothing.</summary>
    public static string Name(string id) =>
        id.IndexOf('.', StringComparison.Ordinal) is > 0 and var end ? id[..end] : id;

    /// <summary>An id for a stream that is of no use without its connection.</summary>
    public static string Plain() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>
    /// An id for this handshake of this caller. Without what it said where that is too long for a header, or where the
    /// store cannot be asked: such a session ends with this process.
    /// </summary>
    public async ValueTask<string> NewAsync(Handshake handshake, string owner, CancellationToken cancellationToken)
    {
        var name = Plain();
        var said = handshake.Pack();
        if (HeadBytes + said.Length > MaxBytes || await KeyAsync(cancellationToken) is not { } key)
        {
            return name;
        }

        var bytes = new byte[HeadBytes + said.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(MacBytes), (uint)time.GetUtcNow().ToUnixTimeSeconds());
        said.CopyTo(bytes, HeadBytes);
        Sign(key, name, owner, bytes.AsSpan(MacBytes)).CopyTo(bytes, 0);
        return $"{name}.{Base64Url.EncodeToString(bytes)}";
    }

    /// <summary>
    /// What the session of that id agreed on; null when it is not this caller's, was ended, or is too old.
    /// </summary>
    public async ValueTask<Handshake?> ReadAsync(string id, string owner, CancellationToken cancellationToken)
    {
        var dot = id.IndexOf('.', StringComparison.Ordinal);
        Span<byte> room = stackalloc byte[MaxBytes];
        if (
            dot < 0
            || !Base64Url.IsValid(id.AsSpan(dot + 1), out var length)
            || length is < HeadBytes or > MaxBytes
            || !Base64Url.TryDecodeFromChars(id.AsSpan(dot + 1), room, out length)
        )
        {
            return null;
        }

        var bytes = room[..length].ToArray();
        if (
            await KeyAsync(cancellationToken) is not { } key
            || !CryptographicOperations.FixedTimeEquals(
                Sign(key, id[..dot], owner, bytes.AsSpan(MacBytes)),
                bytes.AsSpan(0, MacBytes)
            )
        )
        {
            return null;
        }

        var since = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(MacBytes)));
        return time.GetUtcNow() - since > Lifetime || await HasEndedAsync(id, cancellationToken)
            ? null
            : Handshake.Unpack(bytes.AsSpan(HeadBytes));
    }

    /// <summary>Whether its client ended it, here or at another replica.</summary>
    public async ValueTask<bool> HasEndedAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return id.Contains('.', StringComparison.Ordinal)
                && await _store.Value.HasEndedSessionAsync(Name(id), cancellationToken);
        }
        catch (StorageException)
        {
            return false; // nobody can say now, and it opens nothing
        }
    }

    /// <summary>From now on nobody opens it again.</summary>
    public async Task EndAsync(string id, CancellationToken cancellationToken)
    {
        if (!id.Contains('.', StringComparison.Ordinal))
        {
            return;
        }

        try
        {
            var now = time.GetUtcNow();
            await _store.Value.EndSessionAsync(
                Name(id),
                now.ToUnixTimeMilliseconds(),
                (now + Lifetime).ToUnixTimeMilliseconds(),
                cancellationToken
            );
        }
        catch (StorageException failure)
        {
            LogNotKept(logger, Name(id), failure.Message);
        }
    }

    private static byte[] Sign(byte[] key, string name, string owner, ReadOnlySpan<byte> said) =>
        HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{name} {owner} "), .. said])[..MacBytes];

    // Asked for at the first session, and again when the store could not be asked.
    private async ValueTask<byte[]?> KeyAsync(CancellationToken cancellationToken)
    {
        Task<byte[]> asking;
        lock (_asking)
        {
            asking = _key = _key is null or { IsFaulted: true } or { IsCanceled: true } ? AskAsync() : _key;
        }

        try
        {
            return await asking.WaitAsync(cancellationToken);
        }
        catch (StorageException)
        {
            return null;
        }
    }

    private async Task<byte[]> AskAsync() =>
        Convert.FromHexString(
            await _store.Value.ShareKeyAsync(
                "session_key",
                Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)),
                CancellationToken.None
            )
        );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Session {Session} has ended here, but the store could not be told ({Why}): other replicas may "
            + "open it again."
    )]
    private static partial void LogNotKept(ILogger logger, string session, string why);
}
