using System.Text.Json;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Pending authorization requests. A ticket works once, for some minutes, and only in the browser that was shown the
/// consent page: another browser may have been sent a link to an attacker's request.
/// </summary>
internal sealed class AuthorizationTickets(Store store, Issuer issuer, RateLimitPolicies figures, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    // A __Host- cookie belongs to this host only, a sibling domain cannot set it, and browsers accept it over https
    // only.
    private string Cookie => issuer.IsHttps ? "__Host-oauth" : "oauth";

    public async Task<string> OpenAsync(HttpContext http, AuthorizationRequest request)
    {
        var browser = BrowserOf(http);
        if (browser is null)
        {
            browser = ReferenceTokens.New();
            http.Response.Cookies.Append(
                Cookie,
                browser,
                new()
                {
                    HttpOnly = true,
                    Secure = issuer.IsHttps,
                    SameSite = SameSiteMode.Lax,
                    Path = "/",
                }
            );
        }

        var ticket = ReferenceTokens.New();
        var now = time.GetUtcNow();
        var kept = new StoredTicket
        {
            TicketHash = ReferenceTokens.Hash(ticket),
            BrowserHash = ReferenceTokens.Hash(browser),
            Address = CallerAddress.Of(http).ToString(),
            Request = JsonSerializer.Serialize(request),
            Expires = (now + Lifetime).ToUnixTimeMilliseconds(),
        };
        await store.OpenTicketAsync(
            kept,
            now.ToUnixTimeMilliseconds(),
            figures.OpenSignIns,
            figures.AllOpenSignIns,
            http.RequestAborted
        );
        return ticket;
    }

    public async Task<AuthorizationRequest?> FindAsync(HttpContext http, string ticket) =>
        Read(
            BrowserOf(http) is { } browser
                ? await store.FindTicketAsync(
                    ReferenceTokens.Hash(ticket),
                    ReferenceTokens.Hash(browser),
                    time.GetUtcNow().ToUnixTimeMilliseconds(),
                    http.RequestAborted
                )
                : null
        );

    /// <summary>Returns the request of a ticket, once.</summary>
    public async Task<AuthorizationRequest?> RedeemAsync(HttpContext http, string ticket) =>
        Read(
            BrowserOf(http) is { } browser
                ? await store.RedeemTicketAsync(
                    ReferenceTokens.Hash(ticket),
                    ReferenceTokens.Hash(browser),
                    time.GetUtcNow().ToUnixTimeMilliseconds(),
                    http.RequestAborted
                )
                : null
        );

    private string? BrowserOf(HttpContext http) =>
        http.Request.Cookies[Cookie] is { } value && ReferenceTokens.IsWellFormed(value) ? value : null;

    private static AuthorizationRequest? Read(string? json) =>
        json is null ? null : JsonSerializer.Deserialize<AuthorizationRequest>(json);
}
