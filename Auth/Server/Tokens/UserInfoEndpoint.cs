using System.Text.Json.Nodes;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// <c>/auth/userinfo</c>: the user's claims that the client was granted (OpenID Connect Core section 5.3). A workspace
/// may admit users by them.
/// </summary>
internal sealed class UserInfoEndpoint(IssuedTokenVerifier tokens)
{
    public async Task GetAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        var header = http.Request.Headers.Authorization.ToString();
        try
        {
            if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            {
                throw new TokenRefusedException("Send an access token as Authorization: Bearer.");
            }

            var (token, grant) = await tokens.ReadAsync(header["Bearer ".Length..].Trim(), http.RequestAborted);
            var scopes = token.Scopes;
            var (name, email) = SignedInUser.Read(grant.Person);
            var answer = new JsonObject { ["sub"] = grant.Subject };
            if (name is not null && scopes.Contains(GrantableScopes.Profile))
            {
                answer["name"] = name;
            }

            if (email is not null && scopes.Contains(GrantableScopes.Email))
            {
                // Entered by the operator, or verified by the identity provider.
                (answer["email"], answer["email_verified"]) = (email, true);
            }

            await http.Response.WriteAsJsonAsync(answer, http.RequestAborted);
        }
        catch (TokenRefusedException refused)
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            http.Response.Headers.WWWAuthenticate =
                header.Length == 0
                    ? "Bearer"
                    : $"Bearer error=\"invalid_token\", error_description=\"{refused.Message.Replace('"', '\'')}\"";
        }
    }
}
