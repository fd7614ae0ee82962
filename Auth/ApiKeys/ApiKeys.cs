using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>The keys of the configuration, as hashes, and the callers that they stand for.</summary>
internal sealed partial class ApiKeys(IOptions<AuthOptions> options, TimeProvider time, ILogger<ApiKeys> logger)
{
    // No key of ours is longer, and hashing must not become work for whoever sends a megabyte.
    private const int MaxLength = 512;

    private readonly Entry[] _entries = [.. Entries(options.Value)];

    public bool AreThere => _entries.Length > 0;

    /// <summary>
    /// Takes the same time for every wrong key: all hashes are compared, and each of them as a whole.
    /// </summary>
    /// <param name="expired">It was a key once: whoever sends it does not guess.</param>
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
            // so that one sees which of two keys is still in use
            LogUsed(Prefix(key), found.Caller.FindFirstValue("sub")!);
        }

        return found.Caller;
    }

    /// <summary>For what was made with a key, and is good for as long as the key is.</summary>
    public ClaimsPrincipal? FindByHash(ReadOnlySpan<byte> hash) =>
        Find(hash) is { } found && !(found.Expires <= time.GetUtcNow()) ? found.Caller : null;

    /// <summary>
    /// What may be shown of a key, to find it again: its beginning. Of what is too short to be a key, nothing.
    /// </summary>
    public static string Prefix(string key) => key.Length < 32 ? "(too short)" : string.Concat(key.AsSpan(0, 6), "…");

    // Hosts send the same key with every call, and to see that it is the same costs a tenth of its SHA-256. A string's
    // hash code has a secret of this process in it: the time of the comparison tells nobody how much of a wrong key is
    // right.
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
            // Both are one caller: a limit does not begin anew with the next key.
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

    [LoggerMessage(LogLevel.Information, "The key {Prefix} of {Caller} is in use")]
    private partial void LogUsed(string prefix, string caller);

    private sealed record Entry(byte[] Hash, ClaimsPrincipal Caller, DateTimeOffset? Expires)
    {
        /// <summary>The key itself, once it was used.</summary>
        public SeenKey? Seen { get; set; }
    }

    private sealed record SeenKey(string Key, int Code);
}
