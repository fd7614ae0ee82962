using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// A client whose redirect address is this server's own <c>/auth/callback</c>: an operator tries the sign-in by hand,
/// as a guide says. The code is shown in the browser that allowed it, and in no other: a link with somebody else's code
/// must not look like an answer.
/// </summary>
internal sealed class ManualCallback(Issuer issuer, IOptions<AuthorizationServerOptions> options)
{
    private string Address => issuer.Url + "/auth/callback";

    private string Cookie => issuer.IsHttps ? "__Host-oauth-code" : "oauth-code";

    /// <summary>Remembers in the browser that this code is its own.</summary>
    public void Remember(HttpContext http, AuthorizationRequest request, string code)
    {
        if (request.RedirectUri == Address)
        {
            http.Response.Cookies.Append(
                Cookie,
                ReferenceTokens.Hash(code),
                new()
                {
                    HttpOnly = true,
                    Secure = issuer.IsHttps,
                    SameSite = SameSiteMode.Lax,
                    Path = "/",
                    MaxAge = Grants.CodeLifetime,
                }
            );
        }
    }

    /// <summary>
    /// The code, when it is this browser's, and how to redeem it; null when the request brings no such code.
    /// </summary>
    public ManualCode? Find(HttpContext http)
    {
        var code = http.Request.Query["code"];
        return
            code is [{ Length: > 0 and < 1024 } one]
            && http.Request.Cookies[Cookie] is { } own
            && ReferenceTokens.Same(own, ReferenceTokens.Hash(one))
            ? new(one, ClientId(), issuer.Url + "/auth/token", Address)
            : null;
    }

    private string ClientId() =>
        options
            .Value.StaticClients.FirstOrDefault(client =>
                client.Value.Redirects.Contains(Address, StringComparer.Ordinal)
            )
            .Key
        ?? "CLIENT_ID";
}

/// <summary>A code of a sign-in that was tried by hand, and what its token request needs.</summary>
internal sealed record ManualCode(string Code, string ClientId, string TokenEndpoint, string RedirectUri);
