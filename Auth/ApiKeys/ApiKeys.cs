using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>The configured API keys, as hashes, and the callers that they authenticate.</summary>
internal sealed partial class ApiKeys(IOptions<AuthOptions> options, TimeProvider time, ILogger<ApiKeys> logger)
{
    // Bounds the hashing work that a caller can cause.
    private const int MaxLength = 512;

    private readonly Entry[] _entries = [.. Entries(options.Value)];

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

        var found = Find(key);
        expired = found is not null && found.Expires <= time.GetUtcNow();
        if (found is null || expired)
        {
            return null;
        }

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
            ClaimsPrincipal caller = new(
                new ClaimsIdentity(
                    [new("sub", name), .. Scopes.Split(named.Scopes).Select(scope => new Claim("scope", scope))],
                    "ApiKey"
                )
            );
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
    }

    private sealed record SeenKey(string Key, int Code);
}
