using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// Access tokens that were good a moment ago: a host sends the same one with every call. They are known by their
/// SHA-256, so that no token lies in memory, and only for a minute, so that what another replica revoked is not
/// honoured for longer. Each has a ground, which it is as good as: the keys that verified it, or the grant it is of.
/// </summary>
internal sealed class VerifiedTokenCache(TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Digest, Seen> _tokens = new();
    private int _round;

    /// <summary>
    /// Changes when something is forgotten: what was looked up before that must not be added after it.
    /// </summary>
    public int Round => Volatile.Read(ref _round);

    /// <param name="ground">When it is given, a token counts only if this very object was its ground.</param>
    public ClaimsPrincipal? Find(string token, object? ground = null) =>
        _tokens.TryGetValue(Hash(token), out var seen)
        && (ground is null || ReferenceEquals(seen.Ground, ground))
        && time.GetUtcNow() < seen.Until
        && time.GetElapsedTime(seen.Since) < Kept
            ? seen.Caller
            : null;

    /// <param name="token">One that was found to be good.</param>
    /// <param name="round">What <see cref="Round"/> was before that.</param>
    public void Add(string token, ClaimsPrincipal caller, DateTimeOffset expires, object ground, int round)
    {
        if (_tokens.Count >= Most)
        {
            _tokens.Clear(); // to find the oldest would cost more than to verify the living again
        }

        var digest = Hash(token);
        _tokens[digest] = new(caller, expires, time.GetTimestamp(), ground);
        if (round != Round)
        {
            _tokens.TryRemove(digest, out _);
        }
    }

    /// <summary>That one is looked up again.</summary>
    public void Remove(string token)
    {
        Interlocked.Increment(ref _round);
        _tokens.TryRemove(Hash(token), out _);
    }

    /// <summary>From now on the tokens of that ground are looked up again.</summary>
    public void Forget(object ground)
    {
        Interlocked.Increment(ref _round);
        foreach (var (digest, seen) in _tokens)
        {
            if (seen.Ground.Equals(ground))
            {
                _tokens.TryRemove(digest, out _);
            }
        }
    }

    private static Digest Hash(string token)
    {
        Span<byte> utf8 = stackalloc byte[4096];
        if (!Encoding.UTF8.TryGetBytes(token, utf8, out var length))
        {
            utf8 = Encoding.UTF8.GetBytes(token);
            length = utf8.Length;
        }

        var digest = default(Digest);
        SHA256.HashData(utf8[..length], MemoryMarshal.AsBytes(new Span<Digest>(ref digest)));
        return digest;
    }

    private readonly record struct Digest(UInt128 Left, UInt128 Right);

    private sealed record Seen(ClaimsPrincipal Caller, DateTimeOffset Until, long Since, object Ground);
}
