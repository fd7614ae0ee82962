using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// Caches verified access tokens, since MCP clients send the same one with every call. The key is the SHA-256, so that
/// no token stays in memory. Entries live a minute, so that a revocation by another replica takes effect. Each depends
/// on an object: the keys that verified it, or its grant.
/// </summary>
internal sealed class VerifiedTokenCache(TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Digest, Seen> _tokens = new();
    private int _round;

    /// <summary>
    /// Changes when an entry is removed: a token that was verified before must not be added after that.
    /// </summary>
    public int Round => Volatile.Read(ref _round);

    /// <param name="ground">When given, a token counts only if it depends on this very object.</param>
    public ClaimsPrincipal? Find(string token, object? ground = null) =>
        _tokens.TryGetValue(Hash(token), out var seen)
        && (ground is null || ReferenceEquals(seen.Ground, ground))
        && time.GetUtcNow() < seen.Until
        && time.GetElapsedTime(seen.Since) < Kept
            ? seen.Caller
            : null;

    /// <param name="token">A verified token.</param>
    /// <param name="round">The value of <see cref="Round"/> before the verification.</param>
    public void Add(string token, ClaimsPrincipal caller, DateTimeOffset expires, object ground, int round)
    {
        if (_tokens.Count >= Most)
        {
            _tokens.Clear(); // finding the oldest would cost more than verifying the live ones again
        }

        var digest = Hash(token);
        _tokens[digest] = new(caller, expires, time.GetTimestamp(), ground);
        if (round != Round)
        {
            _tokens.TryRemove(digest, out _);
        }
    }

    /// <summary>Removes a token, which is then verified again.</summary>
    public void Remove(string token)
    {
        Interlocked.Increment(ref _round);
        _tokens.TryRemove(Hash(token), out _);
    }

    /// <summary>Removes all tokens that depend on an object.</summary>
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

    /// <summary>Removes all tokens.</summary>
    public void Clear()
    {
        Interlocked.Increment(ref _round);
        _tokens.Clear();
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
