using System.Security.Claims;
using System.Text.Json;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>Maps a token of the provider to a caller and its scopes.</summary>
internal sealed class ProviderCallerMapper(ProviderOptions options)
{
    private readonly HashSet<string> _clients = [.. ProviderOptions.List(options.AllowedClients)];
    private readonly HashSet<string> _tenants = options.IsMultiTenant ? [.. ProviderOptions.List(options.Tenants)] : [];
    private readonly string[] _required = [.. ProviderOptions.List(options.RequiredScopes)];
    private readonly string[] _default = [.. ProviderOptions.List(options.DefaultScopes)];
    private readonly string[] _audiences = [.. ProviderOptions.List(options.Audience)];
    private readonly RoleClaims _roles = new(options, ProviderOptions.List(options.Audience));
    private readonly ILookup<string, string> _map = options
        .ScopePairs()
        .ToLookup(pair => pair.Theirs, pair => pair.Ours, StringComparer.Ordinal);

    /// <exception cref="TokenRefusedException">
    /// The token is not an access token, or its client may not call.
    /// </exception>
    public ClaimsPrincipal From(VerifiedToken token)
    {
        if (IsIdToken(token))
        {
            throw SignedToken.Refuse("is an ID token, which does not authorize requests: send the access token");
        }

        // Entra publishes the keys of all tenants together, and names the tenant in two claims.
        if (
            _tenants.Count > 0
            && !(
                token.Text("tid") is { } tenant
                && _tenants.Contains(tenant)
                && token.Issuer.Contains(tenant, StringComparison.Ordinal)
            )
        )
        {
            throw SignedToken.Refuse("is of a tenant that is not allowed (tid)");
        }

        if (_clients.Count > 0 && !(token.ClientId is { } client && _clients.Contains(client)))
        {
            throw new TokenRefusedException(
                "The token's client may not call this server. The operator lists the allowed clients in "
                    + "ALLOWED_MCP_CLIENTS."
            )
            {
                IsForbidden = true,
            };
        }

        if (!options.AcceptBoundTokens && token.Payload.TryGetProperty("cnf", out _))
        {
            throw SignedToken.Refuse(
                "is bound to a key of its client (cnf), and this server does not verify the proof of possession, "
                    + "so a stolen token could be used; request a bearer token from the provider"
            );
        }

        var consented = token.Payload.TryGetProperty("scope", out _) || token.Payload.TryGetProperty("scp", out _);
        var scopes = Words(token.Scopes);
        var roles = Words(_roles.Of(token));
        // A user's consent is never widened by the user's roles: roles alone count only in tokens without scopes, which
        // are issued to machines.
        var granted = consented ? scopes : roles;
        if (granted.Count == 0)
        {
            granted = [.. _default]; // a machine's token of a provider that does not know our scopes
        }

        if (_required.Except(granted).ToArray() is [_, ..] missing)
        {
            throw new TokenRefusedException(
                "The token lacks scopes or app roles that this server requires (REQUIRED_MCP_SCOPES): "
                    + $"{string.Join(' ', missing)}."
            )
            {
                IsForbidden = true,
            };
        }

        var level = LevelOf(granted);
        if (consented && LevelOf(roles) is >= 0 and var allowed)
        {
            level = Math.Min(level, allowed);
        }

        // A machine's token may have no subject, and sometimes neither subject nor client.
        var subject = Subjects.Of(token.Issuer, token.Subject ?? token.ClientId ?? "");
        var ours = level >= 0 ? Scopes.Split(Scopes.All).Where(scope => Scopes.Level(scope) <= level) : _default;
        List<Claim> claims = [new("sub", subject), .. ours.Select(scope => new Claim("scope", scope))];
        if (token.ClientId is { } id)
        {
            claims.Add(new("client_id", id));
        }

        return new(new ClaimsIdentity(claims, "Provider"));
    }

    private HashSet<string> Words(IEnumerable<string> theirs) =>
        theirs.Select(Unqualified).ToHashSet(StringComparer.Ordinal);

    // The rank of the highest scope; -1 without one.
    private int LevelOf(HashSet<string> theirs) =>
        theirs.Concat(theirs.SelectMany(word => _map[word])).Select(Scopes.Level).DefaultIfEmpty(-1).Max();

    // api://GUID/mcp:read is mcp:read of the application whose identifier is api://GUID.
    private string Unqualified(string scope) =>
        scope.StartsWith("api://", StringComparison.Ordinal) ? scope[(scope.LastIndexOf('/') + 1)..]
        : _audiences.FirstOrDefault(audience => scope.StartsWith(audience + "/", StringComparison.Ordinal)) is { } own
            ? scope[(own.Length + 1)..]
        : scope;

    // RFC 9068's type and Keycloak's claim mark access tokens. Otherwise claims that OpenID Connect puts into ID tokens
    // decide. Where the audience of both is the client id, as in Entra, a token without any scope or role is treated as
    // an ID token too.
    private bool IsIdToken(VerifiedToken token) =>
        token.Text("typ") switch
        {
            "Bearer" => false,
            "ID" or "Refresh" or "Offline" or "Logout" => true,
            _ when token.Type?.EndsWith("at+jwt", StringComparison.OrdinalIgnoreCase) is true => false,
            _ => token.Payload.TryGetProperty("nonce", out _)
                || token.Payload.TryGetProperty("at_hash", out _)
                || token.Payload.TryGetProperty("c_hash", out _)
                || (
                    options.ClientId is { Length: > 0 } own
                    && token.Audiences.Contains(own)
                    && !token.Scopes.Concat(token.Texts("roles")).Concat(token.Texts("permissions")).Any()
                ),
        };
}
