using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// An identity provider such as Entra, Keycloak or Auth0. Configuration section <c>Auth:Provider</c>. Lists are
/// separated by commas or spaces.
/// </summary>
internal sealed class ProviderOptions : IValidatableObject
{
    /// <summary>The placeholder for the tenant in Entra's multi-tenant issuer.</summary>
    internal const string AnyTenant = "{tenantid}";

    /// <summary>
    /// The issuer exactly as tokens name it. Several when the provider has several, as Entra has two per tenant.
    /// </summary>
    public string? Issuer { get; set; }

    /// <summary>
    /// The URL of the discovery document. By default its OpenID Connect location below the first issuer.
    /// </summary>
    public string? ConfigUrl { get; set; }

    /// <summary>The URL of the key set. By default the discovery document names it.</summary>
    public string? JwksUri { get; set; }

    public string? AuthorizationEndpoint { get; set; }

    public string? TokenEndpoint { get; set; }

    /// <summary>
    /// The introspection endpoint for opaque tokens (RFC 7662), called with this server's client id and secret. By
    /// default the discovery document names it.
    /// </summary>
    public string? IntrospectionEndpoint { get; set; }

    /// <summary>
    /// The audience of tokens for this server. At least one is required: tokens for other servers must not be accepted.
    /// </summary>
    public string? Audience { get; set; }

    public string Algorithms { get; set; } = "RS256 PS256 ES256 ES384 ES512";

    /// <summary>The Entra tenants whose tokens are accepted, when the issuer contains {tenantid}.</summary>
    public string? Tenants { get; set; }

    /// <summary>The clients that may call. Empty allows every client of the provider.</summary>
    public string? AllowedClients { get; set; }

    /// <summary>Scopes or app roles that every token must have.</summary>
    public string? RequiredScopes { get; set; }

    /// <summary>
    /// The claim with the roles: a path with dots such as <c>resource_access.tools.roles</c> or
    /// <c>https://example.com/roles</c>. Several are combined. By default <c>roles</c>, <c>permissions</c>,
    /// <c>groups</c>, <c>realm_access.roles</c> and our audience's entry of <c>resource_access</c>.
    /// </summary>
    public string? RolesClaim { get; set; }

    /// <summary>
    /// Maps scopes and roles of the provider to ours, for example <c>Mcp.Read=mcp:read Mcp.Ops=mcp:write</c>.
    /// </summary>
    public string? ScopeMap { get; set; }

    /// <summary>
    /// The scopes of a valid token that has none of ours, for a provider that does not support custom scopes.
    /// </summary>
    public string? DefaultScopes { get; set; }

    /// <summary>
    /// Accepts sender-constrained tokens (DPoP, mutual TLS) as plain bearer tokens. The binding is then not verified: a
    /// stolen token can be used here.
    /// </summary>
    public bool AcceptBoundTokens { get; set; }

    /// <summary>The provider's name on the sign-in page. The issuer's host by default.</summary>
    public string? Name { get; set; }

    /// <summary>This server's client id at the provider. When set, users sign in there.</summary>
    public string? ClientId { get; set; }

    [DataType(DataType.Password)]
    public string? ClientSecret { get; set; }

    /// <summary>
    /// Users who may sign in, by verified email address or subject. When this and the next two are empty, every user of
    /// the provider may.
    /// </summary>
    public string? AllowedUsers { get; set; }

    /// <summary>Domains of verified email addresses.</summary>
    public string? AllowedDomains { get; set; }

    /// <summary>Roles or groups, of which a user must have one; see <see cref="RolesClaim"/>.</summary>
    public string? AllowedRoles { get; set; }

    /// <summary>
    /// Roles or groups whose members may sign in to this server's own pages as operators; see <see cref="RolesClaim"/>.
    /// Empty: nobody of the provider.
    /// </summary>
    public string? AdminRoles { get; set; }

    /// <summary>Empty when the discovery document names it.</summary>
    internal IReadOnlyList<string> Issuers => [.. List(Issuer)];

    internal bool IsMultiTenant => Issuer?.Contains(AnyTenant, StringComparison.Ordinal) is true;

    /// <summary>The accepted issuers, with each tenant inserted.</summary>
    internal IReadOnlySet<string> TokenIssuers =>
        Issuers
            .SelectMany(issuer =>
                issuer.Contains(AnyTenant, StringComparison.Ordinal)
                    ? List(Tenants).Select(tenant => issuer.Replace(AnyTenant, tenant, StringComparison.Ordinal))
                    : [issuer]
            )
            .ToHashSet(StringComparer.Ordinal);

    internal Uri? Discovery =>
        ConfigUrl is { Length: > 0 } ? new(ConfigUrl)
        : string.IsNullOrEmpty(JwksUri) || ClientId is { Length: > 0 }
            ? new(Issuers[0].TrimEnd('/') + "/.well-known/openid-configuration")
        : null;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Issuers.Count == 0 && string.IsNullOrEmpty(ConfigUrl))
        {
            yield return new(
                "Auth:Provider:Issuer (OAUTH2_ISSUER) is not set. Set it to the exact 'issuer' of the provider's "
                    + "discovery document, or set OAUTH2_OPENID_CONFIG_URL to the URL of that document."
            );
        }

        foreach (var (setting, address) in Addresses().Where(row => !IsSafe(row.Address)))
        {
            yield return new(
                $"Auth:Provider:{setting} is '{address}'; it must be an absolute https URL, or http on loopback."
            );
        }

        if (
            List(Algorithms)
                .Except(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"])
                .ToArray()
            is [var unknown, ..]
        )
        {
            yield return new(
                $"Auth:Provider:Algorithms has '{unknown}'; supported are RS, PS and ES with 256, 384 or 512."
            );
        }

        if (IsMultiTenant && !List(Tenants).Any())
        {
            yield return new(
                "Auth:Provider:Issuer (OAUTH2_ISSUER) covers every Entra tenant. Set Auth:Provider:Tenants to the "
                    + "ids of the tenants that may call."
            );
        }

        foreach (
            var scope in ScopePairs()
                .Select(pair => pair.Ours)
                .Concat(List(DefaultScopes))
                .Except(Scopes.Split(Scopes.All))
        )
        {
            yield return new(
                $"Auth:Provider:ScopeMap or DefaultScopes has '{scope}'; a pair is THEIRS=OURS, where OURS is one "
                    + $"of {Scopes.All}."
            );
        }
    }

    /// <summary>Pairs of the provider's name and our scope.</summary>
    internal IEnumerable<(string Theirs, string Ours)> ScopePairs() =>
        List(ScopeMap)
            .Select(pair => pair.LastIndexOf('=') is > 0 and var at ? (pair[..at], pair[(at + 1)..]) : (pair, pair));

    internal static IEnumerable<string> List(string? text) =>
        (text ?? "").Split([',', ' '], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A URL that secrets may be sent to and keys may come from.</summary>
    internal static bool IsSafe(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback))
        && uri.UserInfo.Length == 0;

    private IEnumerable<(string Setting, string Address)> Addresses() =>
        Issuers
            .Select(issuer => ("Issuer (OAUTH2_ISSUER)", issuer))
            .Concat(
                new[]
                {
                    ("ConfigUrl (OAUTH2_OPENID_CONFIG_URL)", ConfigUrl),
                    ("JwksUri (OAUTH2_JWKS_URI)", JwksUri),
                    ("AuthorizationEndpoint (OAUTH2_AUTHORIZATION_ENDPOINT)", AuthorizationEndpoint),
                    ("TokenEndpoint (OAUTH2_TOKEN_ENDPOINT)", TokenEndpoint),
                    ("IntrospectionEndpoint", IntrospectionEndpoint),
                }
                    .Where(row => row.Item2 is { Length: > 0 })
                    .Select(row => (row.Item1, row.Item2!))
            );
}
