using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Supports a client whose redirect URI is this server's own <c>/auth/callback</c>, with which an operator tests the
/// sign-in by hand. The code is shown only in the browser that consented: a link with somebody else's code must not
/// look like a success.
/// </summary>
internal sealed class ManualCallback(Issuer issuer, IOptions<AuthorizationServerOptions> options)
{
    private string Address => issuer.Url + "/auth/callback";

    private string Cookie => issuer.IsHttps ? "__Host-oauth-code" : "oauth-code";

    /// <summary>Marks the code as this browser's own.</summary>
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

    /// <summary>Returns the code and how to redeem it; null unless it is this browser's own.</summary>
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

/// <summary>The code of a manual sign-in test, with the parameters of its token request.</summary>
internal sealed record ManualCode(string Code, string ClientId, string TokenEndpoint, string RedirectUri);
