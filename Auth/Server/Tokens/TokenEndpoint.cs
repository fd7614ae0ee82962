using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// <c>/auth/token</c>: exchanges codes, refresh tokens and client credentials for tokens (RFC 6749 sections 4.1.3,
/// 4.4.2 and 6).
/// </summary>
internal sealed class TokenEndpoint(
    ClientAuthentication authentication,
    Grants grants,
    SignInCredentials credentials,
    Store store,
    AuthAttempts attempts,
    Issuer issuer
)
{
    public async Task<JsonObject> PostAsync(HttpContext http)
    {
        try
        {
            var tokens = await IssueAsync(http);
            attempts.Accept();
            return tokens;
        }
        catch (OAuthException refused)
        {
            var outcome = refused.Error switch
            {
                "invalid_client" => AuthAttempts.InvalidClient,
                "invalid_grant" => AuthAttempts.InvalidGrant,
                "temporarily_unavailable" => AuthAttempts.RateLimited,
                _ => AuthAttempts.InvalidRequest,
            };
            attempts.Refuse(outcome, http.Connection.RemoteIpAddress);
            throw;
        }
    }

    private async Task<JsonObject> IssueAsync(HttpContext http)
    {
        var form = await FormParameters.ReadAsync(http);
        var client = await authentication.AuthenticateAsync(http, form);
        var type = form.Required("grant_type");
        if (type is not (ClientMetadata.CodeGrant or ClientMetadata.RefreshGrant or ClientMetadata.ClientGrant))
        {
            throw new OAuthException(
                "unsupported_grant_type",
                "grant_type must be authorization_code, refresh_token or client_credentials."
            );
        }

        if (!client.Metadata.Grants.Contains(type))
        {
            throw new OAuthException("unauthorized_client", $"This client may not use {type}.");
        }

        if (form["resource"] is { } resource && !issuer.IsResource(resource))
        {
            throw new OAuthException("invalid_target", $"resource must be {issuer.Resource}.");
        }

        return type switch
        {
            ClientMetadata.CodeGrant => await CodeAsync(client, form, http.RequestAborted),
            ClientMetadata.RefreshGrant => await RefreshAsync(client, form, http.RequestAborted),
            _ => await grants.IssueToClientAsync(
                client,
                [.. GrantableScopes.Of(form["scope"] ?? "", client.OwnScopes).Where(GrantableScopes.IsForTools)],
                http.RequestAborted
            ),
        };
    }

    private async Task<JsonObject> CodeAsync(Client client, FormParameters form, CancellationToken cancellationToken)
    {
        var (grant, code) = await grants.RedeemAsync(form.Required("code"), client, cancellationToken);
        // OAuth 2.1 omits redirect_uri when there is a PKCE challenge (section 4.1.3). Without a challenge it binds the
        // code to the request.
        if (
            form["redirect_uri"] is var redirect
            && (redirect is null ? code.Challenge is null : redirect != code.RedirectUri)
        )
        {
            throw new OAuthException("invalid_grant", "redirect_uri differs from the authorization request.");
        }

        if (!IsMet(code.Challenge, form["code_verifier"]))
        {
            throw new OAuthException(
                "invalid_grant",
                "code_verifier is missing or does not match the code_challenge of the authorization request."
            );
        }

        return await grants.IssueAsync(
            grant,
            client.Metadata.Grants.Contains(ClientMetadata.RefreshGrant),
            cancellationToken
        );
    }

    private async Task<JsonObject> RefreshAsync(Client client, FormParameters form, CancellationToken cancellationToken)
    {
        var token = form.Required("refresh_token");
        var grant = await store.FindGrantOfRefreshTokenAsync(ReferenceTokens.Hash(token), cancellationToken)
            ?? throw OAuthException.InvalidGrant();
        if (grant.ClientId != client.Id || !credentials.AreStillGood(grant))
        {
            // Another client sent the token, or the user who consented no longer has access.
            await grants.RevokeAsync(grant.GrantId, cancellationToken);
            throw OAuthException.InvalidGrant();
        }

        var granted = Scopes.Split(grant.Scope).ToArray();
        var wanted = Scopes.Split(form["scope"] ?? grant.Scope).Intersect(GrantableScopes.All).Distinct().ToArray();
        if (wanted.Except(granted).Any(GrantableScopes.IsForTools) || !wanted.Any(GrantableScopes.IsForTools))
        {
            throw new OAuthException(
                "invalid_scope",
                $"The user granted {grant.Scope}. Start a new authorization " + "request for more."
            );
        }

        return await grants.RefreshAsync(token, string.Join(' ', wanted.Intersect(granted)), cancellationToken);
    }

    // RFC 7636 section 4.6. A verifier without a challenge means that an attacker removed the challenge (RFC 9700
    // section 4.8.2).
    private static bool IsMet(string? challenge, string? verifier) =>
        challenge is null
            ? verifier is null
            : verifier is { Length: >= 43 and <= 128 }
                && verifier.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_' or '~')
                && ReferenceTokens.Same(
                    Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
                    challenge
                );
}
