using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth;

/// <summary>Who may call; configuration section <c>Auth</c>.</summary>
public sealed class AuthOptions : IValidatableObject
{
    /// <summary>none (this machine only) or api-key.</summary>
    public string Mode { get; set; } = "none";

    /// <summary>One key that may do everything; its caller is called "default". For more than one, or for less, see <see cref="ApiKeys"/>.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Keys by the name of their caller, which logs and limits go by.</summary>
    public Dictionary<string, ApiKeyOptions> ApiKeys { get; } = new(StringComparer.Ordinal);

    public bool IsEmbedded => Mode.Equals("embedded", StringComparison.OrdinalIgnoreCase);

    public bool IsOff => Mode.Equals("none", StringComparison.OrdinalIgnoreCase);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsOff)
        {
            // Whoever sets a key means to lock the door.
            if (ApiKey is { Length: > 0 } || ApiKeys.Count > 0)
            {
                yield return new("Auth:ApiKey (MCP_API_KEY) is set, but Auth:Mode (MCP_AUTH_MODE) is 'none', so nobody would be asked for it. Set MCP_AUTH_MODE to api-key, or remove the key.");
            }

            yield break;
        }

        if (!IsEmbedded && !Mode.Equals("api-key", StringComparison.OrdinalIgnoreCase))
        {
            yield return new($"Auth:Mode (MCP_AUTH_MODE) is '{Mode}'; this version knows 'none' and 'api-key'.");
            yield break;
        }

        if (!IsEmbedded && string.IsNullOrEmpty(ApiKey) && ApiKeys.Count == 0)
        {
            yield return new("Auth:Mode (MCP_AUTH_MODE) is 'api-key' and there is no key. Set MCP_API_KEY to at least 32 random characters, for example what `openssl rand -hex 32` prints.");
        }

        if (ApiKey is { Length: > 0 } && ApiKeyOptions.Weakness(ApiKey) is { } weakness)
        {
            yield return new($"Auth:ApiKey (MCP_API_KEY) {weakness}");
        }

        foreach (var problem in ApiKeys.SelectMany(key => key.Value.Problems().Select(problem => $"Auth:ApiKeys:{key.Key}:{problem}")))
        {
            yield return new(problem);
        }
    }
}

/// <summary>One key. The configuration may hold the key itself or, so that a look at the settings gives nothing away, only its hash.</summary>
public sealed class ApiKeyOptions
{
    /// <summary>What a person writes by mistake or copies from a guide is guessed first.</summary>
    private const int MinLength = 32;

    public string? Key { get; set; }

    /// <summary>Instead of the key: the SHA-256 of its UTF-8 bytes in hexadecimal, which <c>printf %s KEY | sha256sum</c> prints.</summary>
    public string? Sha256 { get; set; }

    /// <summary>What the key may do, separated by spaces.</summary>
    public string Scopes { get; set; } = Auth.Scopes.All;

    /// <summary>From then on the key is refused.</summary>
    public DateTimeOffset? Expires { get; set; }

    internal static string? Weakness(string key) => key switch
    {
        { Length: < MinLength } => $"has {key.Length} characters; it needs at least {MinLength}, for example what `openssl rand -hex 32` prints.",
        _ when key.Distinct().Count() < 10 => "is too regular to be random; use what `openssl rand -hex 32` prints.",
        _ when key.Any(letter => letter is <= ' ' or > '~') => "has characters that no HTTP header may carry; use letters and digits.",
        _ => null,
    };

    internal IEnumerable<string> Problems()
    {
        if (string.IsNullOrEmpty(Key) == string.IsNullOrEmpty(Sha256))
        {
            yield return "Key and Sha256: set one of the two.";
        }

        if (Key is { Length: > 0 } && Weakness(Key) is { } weakness)
        {
            yield return $"Key {weakness}";
        }

        if (Sha256 is { Length: > 0 } && !(Sha256.Length == 64 && Sha256.All(char.IsAsciiHexDigit)))
        {
            yield return "Sha256 must be 64 hexadecimal digits: the SHA-256 of the key.";
        }

        foreach (var scope in Auth.Scopes.Split(Scopes).Except(Auth.Scopes.Split(Auth.Scopes.All)))
        {
            yield return $"Scopes has '{scope}'; the scopes are {Auth.Scopes.All}.";
        }
    }
}
