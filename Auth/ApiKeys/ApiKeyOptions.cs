using System.ComponentModel.DataAnnotations;
using MinimalMcp.Auth.Server;

namespace MinimalMcp.Auth;

/// <summary>
/// An API key, and the next key while both are valid. The configuration holds the key itself or its SHA-256, so that
/// reading the settings does not reveal the key.
/// </summary>
internal sealed class ApiKeyOptions
{
    [DataType(DataType.Password)]
    public string? Key { get; set; }

    /// <summary>
    /// The SHA-256 of the key's UTF-8 bytes in hexadecimal, instead of the key: <c>printf %s KEY | sha256sum</c> prints
    /// it.
    /// </summary>
    public string? Sha256 { get; set; }

    /// <summary>
    /// The key that replaces <see cref="Key"/>. Both are accepted until the first is removed or expires, so that
    /// rotation locks nobody out.
    /// </summary>
    [DataType(DataType.Password)]
    public string? NextKey { get; set; }

    public string? NextSha256 { get; set; }

    /// <summary>The scopes of both keys, separated by spaces.</summary>
    public string Scopes { get; set; } = Auth.Scopes.All;

    /// <summary>When the key expires. The next key does not.</summary>
    public DateTimeOffset? Expires { get; set; }

    internal static string? Weakness(string key) =>
        WeakSecret.Guessable(key)
        ?? (
            key.Any(letter => letter is <= ' ' or > '~')
                ? "has characters that an HTTP header cannot carry; use letters and digits."
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
