using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Access tokens that were good a moment ago: a host sends the same one with every call. They are known by their hash, and only for a minute, so that a grant that another
/// replica revoked is not honoured for longer.
/// </summary>
internal sealed class SeenTokens(TimeProvider time)
{
    /// <summary>In characters; ours have less than a thousand, unless a client's id is long.</summary>
    public const int MaxLength = 4096;

    private const int Most = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Digest, Seen> _tokens = new();
    private int _round;

    /// <summary>Changes when something is forgotten: what was looked up before that must not be added after it.</summary>
    public int Round => Volatile.Read(ref _round);

    public ClaimsPrincipal? Find(string token) => token.Length <= MaxLength && Ascii.IsValid(token) && _tokens.TryGetValue(Hash(token), out var seen) && seen.Until > time.GetUtcNow() ? seen.Caller : null;

    /// <param name="token">One that was found to be good.</param>
    public void Add(string token, ClaimsPrincipal caller, string grantId, DateTimeOffset expires, int round)
    {
        var until = time.GetUtcNow() + Kept;
        var digest = Hash(token);
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

    private static Digest Hash(string token)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(token, bytes)], hash);
        return MemoryMarshal.Read<Digest>(hash);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Digest(ulong A, ulong B, ulong C, ulong D);

    private sealed record Seen(ClaimsPrincipal Caller, string GrantId, DateTimeOffset Until);
}
