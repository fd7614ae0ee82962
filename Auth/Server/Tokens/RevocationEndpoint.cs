using System.Text.Json.Nodes;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary><c>/auth/revoke</c> (RFC 7009) and <c>/auth/introspect</c> (RFC 7662).</summary>
internal sealed class RevocationEndpoint(
    ClientAuthentication authentication,
    IssuedTokenVerifier tokens,
    Grants grants,
    Store store,
    Issuer issuer
)
{
    /// <summary>
    /// Revokes the grant of an access or refresh token. Unknown tokens and other clients' tokens are ignored without an
    /// error.
    /// </summary>
    public async Task RevokeAsync(HttpContext http)
    {
        var form = await FormParameters.ReadAsync(http);
        var client = await authentication.AuthenticateAsync(http, form);
        var token = form.Required("token");
        var grant = await store.FindGrantOfRefreshTokenAsync(ReferenceTokens.Hash(token), http.RequestAborted)
            ?? (await ReadAsync(token, http.RequestAborted))?.Grant;
        if (grant?.ClientId == client.Id)
        {
            await grants.RevokeAsync(grant.GrantId, http.RequestAborted);
        }
    }

    /// <summary>
    /// Introspects a token. A configured confidential client may introspect every token, as a gateway does; other
    /// clients only their own.
    /// </summary>
    public async Task<JsonObject> IntrospectAsync(HttpContext http)
    {
        var form = await FormParameters.ReadAsync(http);
        var client = await authentication.AuthenticateAsync(http, form);
        if (!client.IsConfidential)
        {
            throw new OAuthException(
                "invalid_client",
                "Introspection requires client authentication.",
                StatusCodes.Status401Unauthorized
            );
        }

        var read = await ReadAsync(form.Required("token"), http.RequestAborted);
        if (read is not { } good || (client.From is not ClientOrigin.Settings && good.Grant.ClientId != client.Id))
        {
            return new() { ["active"] = false };
        }

        return new()
        {
            ["active"] = true,
            ["iss"] = issuer.Url,
            ["aud"] = issuer.Resource,
            ["sub"] = good.Grant.Subject,
            ["client_id"] = good.Grant.ClientId,
            ["scope"] = good.Token.Text("scope"),
            ["exp"] = good.Token.Expires.ToUnixTimeSeconds(),
            ["token_type"] = "Bearer",
        };
    }

    private async Task<(VerifiedToken Token, StoredGrant Grant)?> ReadAsync(
        string token,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await tokens.ReadAsync(token, cancellationToken);
        }
        catch (TokenRefusedException)
        {
            return null;
        }
    }
}
