using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// The callers of tokens that were found good within the last minute, by the token's SHA-256, so that no token lies in memory. What was verified with keys that are
/// not the provider's any more counts for nothing.
/// </summary>
internal sealed class TokenCache(TimeProvider time)
{
    private const int MaxEntries = 10_000;
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Hash, Entry> _entries = new();

    public static Hash HashOf(string token)
    {
        Span<byte> utf8 = stackalloc byte[2048];
        if (!Encoding.UTF8.TryGetBytes(token, utf8, out var length))
        {
            utf8 = Encoding.UTF8.GetBytes(token);
            length = utf8.Length;
        }

        var hash = default(Hash);
        SHA256.HashData(utf8[..length], MemoryMarshal.AsBytes(new Span<Hash>(ref hash)));
        return hash;
    }

    public ClaimsPrincipal? Find(Hash token, JsonWebKeys? keys) =>
        _entries.TryGetValue(token, out var entry) && ReferenceEquals(entry.Keys, keys) && time.GetUtcNow() < entry.Until && time.GetElapsedTime(entry.Since) < MaxAge ? entry.Caller : null;

    public void Add(Hash token, ClaimsPrincipal caller, DateTimeOffset expires, JsonWebKeys keys)
    {
        if (_entries.Count >= MaxEntries)
        {
            _entries.Clear(); // to find the oldest would cost more than to verify the living again
        }

        _entries[token] = new(caller, expires, time.GetTimestamp(), keys);
    }

    internal readonly record struct Hash(UInt128 Left, UInt128 Right);

    private sealed record Entry(ClaimsPrincipal Caller, DateTimeOffset Until, long Since, JsonWebKeys Keys);
}
