using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth;

/// <summary>Who may call this server. Configuration section <c>Auth</c>.</summary>
internal sealed class AuthOptions : IValidatableObject
{
    private static readonly string[] Modes = ["none", "api-key", "oauth2", "embedded", "hybrid", "mixed"];

    /// <summary>
    /// The authentication mode: none (loopback only), api-key, oauth2 (tokens of an identity provider), embedded
    /// (tokens of our own authorization server), hybrid (API keys and tokens) or mixed (tokens; unauthenticated callers
    /// may read).
    /// </summary>
    public string Mode { get; set; } = "none";

    /// <summary>
    /// One API key with all scopes; its caller is named "default". For several keys or fewer scopes see <see
    /// cref="ApiKeys"/>.
    /// </summary>
    [DataType(DataType.Password)]
    public string? ApiKey { get; set; }

    /// <summary>The key that replaces <see cref="ApiKey"/>. Both are accepted during the rotation.</summary>
    [DataType(DataType.Password)]
    public string? NextApiKey { get; set; }

    /// <summary>API keys by the name of their caller, which logs and limits use.</summary>
    public Dictionary<string, ApiKeyOptions> ApiKeys { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Requests per minute for each caller, or for each address when the caller is unknown. 0 means no limit.
    /// </summary>
    public int RateLimitPerMinute { get; set; }

    public bool IsOff => Is("none");

    /// <summary>Error messages and documents offer API keys.</summary>
    internal bool OffersKeys => Is("api-key") || (Is("hybrid") && HasKeys);

    /// <summary>The mode needs an API key and none is configured.</summary>
    internal bool LacksKeys => (Is("api-key") || Is("hybrid")) && !HasKeys;

    /// <summary>
    /// API keys are accepted. In mode embedded as well: the holder of a key can sign in with it anyway.
    /// </summary>
    internal bool TakesKeys => OffersKeys || (Is("embedded") && HasKeys);

    /// <summary>OAuth is enabled: discovery documents name an authorization server.</summary>
    internal bool TakesTokens => Is("oauth2") || Is("embedded") || Is("hybrid") || Is("mixed");

    /// <summary>Unauthenticated callers may read.</summary>
    internal bool AdmitsGuests => Is("mixed");

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (RateLimitPerMinute is < 0 or > 1_000_000)
        {
            yield return new(
                "Auth:RateLimitPerMinute (RATE_LIMIT_PER_MINUTE) must be from 1 to 1000000, or 0 for no limit."
            );
        }

        if (!Array.Exists(Modes, Is))
        {
            yield return new($"Auth:Mode (MCP_AUTH_MODE) is '{Mode}'; it must be one of {string.Join(", ", Modes)}.");
            yield break;
        }

        // Whoever sets a key means to lock the door.
        if (IsOff && (ApiKey is { Length: > 0 } || ApiKeys.Count > 0))
        {
            yield return new(
                "Auth:ApiKey (MCP_API_KEY) is set, but Auth:Mode (MCP_AUTH_MODE) is 'none', so nobody would be asked "
                    + "for it. Set MCP_AUTH_MODE to api-key, or remove the key."
            );
        }

        if (IsOff)
        {
            yield break;
        }

        if (string.IsNullOrEmpty(ApiKey) && NextApiKey is { Length: > 0 })
        {
            yield return new(
                "Auth:NextApiKey (MCP_API_KEY_NEXT) is set without Auth:ApiKey (MCP_API_KEY), which it is to "
                    + "replace. Set MCP_API_KEY to it."
            );
        }

        foreach (
            var (name, key) in ((string, string?)[])
                [("ApiKey (MCP_API_KEY)", ApiKey), ("NextApiKey (MCP_API_KEY_NEXT)", NextApiKey)]
        )
        {
            if (key is { Length: > 0 } && ApiKeyOptions.Weakness(key) is { } weakness)
            {
                yield return new($"Auth:{name} {weakness}");
            }
        }

        if (TakesKeys && TakesTokens && Keys().Any(key => key?.Count('.') == 2))
        {
            yield return new(
                "A key under Auth:ApiKey or Auth:ApiKeys has two dots, as access tokens have, so it would be taken "
                    + "for one. Use what `openssl rand -hex 32` prints."
            );
        }

        foreach (var name in ApiKeys.Keys)
        {
            if (Subjects.Problem(name) is { } problem)
            {
                yield return new($"Auth:ApiKeys:{name} {problem}");
            }
        }

        foreach (
            var problem in ApiKeys.SelectMany(key =>
                key.Value.Problems().Select(problem => $"Auth:ApiKeys:{key.Key}:{problem}")
            )
        )
        {
            yield return new(problem);
        }
    }

    private bool HasKeys => !string.IsNullOrEmpty(ApiKey) || ApiKeys.Count > 0;

    private IEnumerable<string?> Keys() =>
        ApiKeys.Values.SelectMany(key => new[] { key.Key, key.NextKey }).Append(ApiKey).Append(NextApiKey);

    private bool Is(string mode) => Mode.Equals(mode, StringComparison.OrdinalIgnoreCase);
}
