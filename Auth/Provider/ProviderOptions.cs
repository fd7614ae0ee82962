using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Auth.Provider;

/// <summary>An identity provider such as Entra, Keycloak or Auth0; configuration section <c>Auth:Provider</c>. Lists are separated by commas or spaces.</summary>
public sealed class ProviderOptions : IValidatableObject
{
    /// <summary>What stands for the tenant in the issuer that Entra publishes for all of them.</summary>
    internal const string AnyTenant = "{tenantid}";

    /// <summary>As it stands in the tokens, letter by letter. Several when the provider has several, as Entra has two for one tenant.</summary>
    public string? Issuer { get; set; }

    /// <summary>The discovery document; when empty, where OpenID Connect puts it, below the first issuer.</summary>
    public string? ConfigUrl { get; set; }

    /// <summary>The keys; when empty, where the discovery document says.</summary>
    public string? JwksUri { get; set; }

    public string? AuthorizationEndpoint { get; set; }

    public string? TokenEndpoint { get; set; }

    /// <summary>
    /// Where tokens that are no JWTs are checked (RFC 7662), with this server's client id and secret; when empty, where
    /// the discovery document says.
    /// </summary>
    public string? IntrospectionEndpoint { get; set; }

    /// <summary>What tokens for this server have as their audience. At least one: a token for somebody else is no token for us.</summary>
    public string? Audience { get; set; }

    public string Algorithms { get; set; } = "RS256 PS256 ES256 ES384 ES512";

    /// <summary>The tenants of Entra whose tokens are taken, when the issuer has {tenantid} in it.</summary>
    public string? Tenants { get; set; }

    /// <summary>The clients that may call; empty lets all of the provider's.</summary>
    public string? AllowedClients { get; set; }

    /// <summary>Scopes or app roles of which a token must have every one.</summary>
    public string? RequiredScopes { get; set; }

    /// <summary>
    /// The claim that has the roles, with dots between the names of a path, such as
    /// <c>resource_access.tools.roles</c> or <c>https://example.com/roles</c>; several are joined. When empty:
    /// <c>roles</c>, <c>permissions</c>, <c>groups</c>, <c>realm_access.roles</c> and, of <c>resource_access</c>, the
    /// entry of our own audience.
    /// </summary>
    public string? RolesClaim { get; set; }

    /// <summary>What the provider's other scopes and roles mean here, such as <c>Mcp.Read=mcp:read Mcp.Ops=mcp:write</c>.</summary>
    public string? ScopeMap { get; set; }

    /// <summary>
    /// What a token may do that is good for this server and has none of our scopes, for a provider that cannot be
    /// taught them.
    /// </summary>
    public string? DefaultScopes { get; set; }

    /// <summary>
    /// Accepts tokens that are bound to a key of their client (DPoP, mutual TLS) as plain bearer tokens. The binding
    /// then protects nobody: whoever steals such a token can use it here.
    /// </summary>
    public bool AcceptBoundTokens { get; set; }

    /// <summary>Shown to people: "sign in with NAME". The issuer's host when empty.</summary>
    public string? Name { get; set; }

    /// <summary>This server as a client of the provider: people then sign in there.</summary>
    public string? ClientId { get; set; }

    [DataType(DataType.Password)]
    public string? ClientSecret { get; set; }

    /// <summary>Who may sign in: verified addresses, or subjects. When this and the next two are empty, everybody whom the provider lets.</summary>
    public string? AllowedUsers { get; set; }

    /// <summary>Domains of verified addresses.</summary>
    public string? AllowedDomains { get; set; }

    /// <summary>Roles or groups, of which a person must have one; see <see cref="RolesClaim"/>.</summary>
    public string? AllowedRoles { get; set; }

    /// <summary>Empty when the discovery document is to say it.</summary>
    internal IReadOnlyList<string> Issuers => [.. List(Issuer)];

    internal bool IsMultiTenant => Issuer?.Contains(AnyTenant, StringComparison.Ordinal) is true;

    /// <summary>The issuers that tokens may name: the tenants put in, one of each.</summary>
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
                "Auth:Provider:Issuer (OAUTH2_ISSUER) is not set. It is the 'issuer' of the provider's "
                    + "discovery document, letter by letter. OAUTH2_OPENID_CONFIG_URL, the address of that document, "
                    + "is enough as well."
            );
        }

        foreach (var (setting, address) in Addresses().Where(row => !IsSafe(row.Address)))
        {
            yield return new(
                $"Auth:Provider:{setting} is '{address}'; it must be an absolute https address, or http on this machine."
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
                $"Auth:Provider:Algorithms has '{unknown}'; tokens may be signed with RS, PS or ES and 256, 384 or 512."
            );
        }

        if (IsMultiTenant && !List(Tenants).Any())
        {
            yield return new(
                "Auth:Provider:Issuer (OAUTH2_ISSUER) is for every tenant of Entra there is. Set Auth:Provider:Tenants to the ids of those that may call."
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
                $"Auth:Provider:ScopeMap or DefaultScopes has '{scope}'; a pair is THEIRS=OURS, and ours are {Scopes.All}."
            );
        }
    }

    /// <summary>Pairs of the provider's word and ours.</summary>
    internal IEnumerable<(string Theirs, string Ours)> ScopePairs() =>
        List(ScopeMap)
            .Select(pair => pair.LastIndexOf('=') is > 0 and var at ? (pair[..at], pair[(at + 1)..]) : (pair, pair));

    internal static IEnumerable<string> List(string? text) =>
        (text ?? "").Split([',', ' '], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Where secrets may be sent to, and keys come from.</summary>
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
