using System.ComponentModel.DataAnnotations;
using MinimalMcp.Auth.Server;

namespace MinimalMcp.Auth;

/// <summary>One caller's key, and the next one while both are valid. The configuration may hold a key itself or, so that a look at the settings gives nothing away, only its hash.</summary>
public sealed class ApiKeyOptions
{
    [DataType(DataType.Password)]
    public string? Key { get; set; }

    /// <summary>Instead of the key: the SHA-256 of its UTF-8 bytes in hexadecimal, which <c>printf %s KEY | sha256sum</c> prints.</summary>
    public string? Sha256 { get; set; }

    /// <summary>The key that replaces <see cref="Key"/>: both are taken until the first is removed or expires, so that nobody is locked out meanwhile.</summary>
    [DataType(DataType.Password)]
    public string? NextKey { get; set; }

    public string? NextSha256 { get; set; }

    /// <summary>What the keys may do, separated by spaces.</summary>
    public string Scopes { get; set; } = Auth.Scopes.All;

    /// <summary>From then on the key is refused; not the next one.</summary>
    public DateTimeOffset? Expires { get; set; }

    internal static string? Weakness(string key) =>
        WeakSecret.Guessable(key)
        ?? (
            key.Any(letter => letter is <= ' ' or > '~')
                ? "has characters that no HTTP header may carry; use letters and digits."
                : null
        );

    internal IEnumerable<string> Problems()
    {
        if (string.IsNullOrEmpty(Key) == string.IsNullOrEmpty(Sha256))
        {
            yield return "Key and Sha256: set one of the two.";
        }

        if (NextKey is { Length: > 0 } && NextSha256 is { Length: > 0 })
        {
            yield return "NextKey and NextSha256: set one of the two, or none.";
        }

        foreach (var (name, key) in ((string, string?)[])[(nameof(Key), Key), (nameof(NextKey), NextKey)])
        {
            if (key is { Length: > 0 } && Weakness(key) is { } weakness)
            {
                yield return $"{name} {weakness}";
            }
        }

        foreach (var (name, hash) in ((string, string?)[])[(nameof(Sha256), Sha256), (nameof(NextSha256), NextSha256)])
        {
            if (hash is { Length: > 0 } && !(hash.Length == 64 && hash.All(char.IsAsciiHexDigit)))
            {
                yield return $"{name} must be 64 hexadecimal digits: the SHA-256 of the key.";
            }
        }

        foreach (var scope in Auth.Scopes.Split(Scopes).Except(Auth.Scopes.Split(Auth.Scopes.All)))
        {
            yield return $"Scopes has '{scope}'; the scopes are {Auth.Scopes.All}.";
        }
    }
}
