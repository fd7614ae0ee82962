namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// What a token must contain to be accepted. The defaults fail closed: no issuer and no audience is accepted that is
/// not listed.
/// </summary>
internal sealed record TokenValidationRules
{
    /// <summary>Compared exactly: an issuer with and without a trailing slash are two issuers.</summary>
    public required IReadOnlySet<string> Issuers { get; init; }

    /// <summary>One of these must be among the token's audiences.</summary>
    public IReadOnlySet<string> Audiences { get; init; } = new HashSet<string>();

    /// <summary>
    /// For tokens that are bound to this server in another way. Otherwise a token without an audience is refused.
    /// </summary>
    public bool AnyAudience { get; init; }

    /// <summary>
    /// Signatures with a public key only: with HMAC a published key would be the secret (RFC 8725 section 2.1).
    /// </summary>
    public IReadOnlySet<string> Algorithms { get; init; } =
        new HashSet<string>(StringComparer.Ordinal) { "RS256", "PS256", "ES256", "ES384", "ES512" };

    /// <summary>
    /// Accepted values of the header <c>typ</c>, without <c>application/</c>, so that a logout token is not accepted as
    /// an access token (RFC 8725 section 3.11).
    /// </summary>
    public IReadOnlySet<string> Types { get; init; } =
        new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "JWT", "at+jwt" };

    /// <summary>Whether <c>typ</c> is required; many providers omit it.</summary>
    public bool TypeRequired { get; init; }

    /// <summary>The accepted clock skew.</summary>
    public TimeSpan Leeway { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>In characters. Longer tokens are not parsed.</summary>
    public int MaxLength { get; init; } = 16 * 1024;
}
