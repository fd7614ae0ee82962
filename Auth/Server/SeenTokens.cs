using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Auth.Server;

/// <summary>A hash as something to look up by.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct UInt256(ulong A, ulong B, ulong C, ulong D);

/// <summary>
/// Access tokens that were good a moment ago: a host sends the same one with every call. They are known by their hash, and only for a minute, so that a grant that another
/// replica revoked is not honoured for longer.
/// </summary>
internal sealed class SeenTokens(TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<UInt256, Seen> _tokens = new();
    private int _round;

    /// <summary>Changes when something is forgotten: what was looked up before that must not be added after it.</summary>
    public int Round => Volatile.Read(ref _round);

    public ClaimsPrincipal? Find(UInt256 digest) => _tokens.TryGetValue(digest, out var seen) && seen.Until > time.GetUtcNow() ? seen.Caller : null;

    public void Add(UInt256 digest, ClaimsPrincipal caller, string grantId, DateTimeOffset expires, int round)
    {
        var until = time.GetUtcNow() + Kept;
        if (_tokens.Count >= Most)
        {
            _tokens.Clear(); // they are all checked again, once
        }

        _tokens[digest] = new(caller, grantId, until < expires ? until : expires);
        if (round != Round)
        {
            _tokens.TryRemove(digest, out _);
        }
    }

    /// <summary>From now on the tokens of that grant are looked up again.</summary>
    public void Forget(string grantId)
    {
        Interlocked.Increment(ref _round);
        foreach (var (digest, seen) in _tokens)
        {
            if (seen.GrantId == grantId)
            {
                _tokens.TryRemove(digest, out _);
            }
        }
    }

    public static UInt256 Digest(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var length = Encoding.UTF8.GetMaxByteCount(token.Length);
        Span<byte> bytes = length <= 16384 ? stackalloc byte[length] : new byte[length];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], hash);
        return MemoryMarshal.Read<UInt256>(hash);
    }

    private sealed record Seen(ClaimsPrincipal Caller, string GrantId, DateTimeOffset Until);
}
