using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>The keys of the configuration, as hashes, and the callers that they stand for.</summary>
internal sealed class ApiKeys(IOptions<AuthOptions> options, TimeProvider time)
{
    // No key of ours is longer, and hashing must not become work for whoever sends a megabyte.
    private const int MaxLength = 512;

    private readonly Entry[] _entries = [.. Entries(options.Value)];

    /// <summary>Takes the same time for every wrong key: all hashes are compared, and each of them as a whole.</summary>
    public ClaimsPrincipal? Find(string key)
    {
        if (key.Length is 0 or > MaxLength)
        {
            return null;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return FindByHash(hash);
    }

    /// <summary>For what was made with a key, and is good for as long as that is.</summary>
    public ClaimsPrincipal? FindByHash(ReadOnlySpan<byte> hash)
    {
        Entry? found = null;
        foreach (var entry in _entries)
        {
            if (CryptographicOperations.FixedTimeEquals(entry.Hash, hash))
            {
                found = entry;
            }
        }

        return found is not null && !(found.Expires <= time.GetUtcNow()) ? found.Caller : null;
    }

    private static IEnumerable<Entry> Entries(AuthOptions options)
    {
        var keys = options.ApiKeys.AsEnumerable();
        if (options.ApiKey is { Length: > 0 } key)
        {
            keys = keys.Append(new("default", new ApiKeyOptions { Key = key }));
        }

        return keys.Select(named => new Entry(
            named.Value.Sha256 is { Length: > 0 } hex ? Convert.FromHexString(hex) : SHA256.HashData(Encoding.UTF8.GetBytes(named.Value.Key!)),
            new(new ClaimsIdentity([new("sub", named.Key), .. Scopes.Split(named.Value.Scopes).Select(scope => new Claim("scope", scope))], "ApiKey")),
            named.Value.Expires));
    }

    private sealed record Entry(byte[] Hash, ClaimsPrincipal Caller, DateTimeOffset? Expires);
}
