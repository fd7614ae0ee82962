using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>
/// Without authentication any page in a browser on this machine could send requests. Browsers report the origin of a
/// request (Sec-Fetch-Site, Origin), and send JSON to another origin only when it allows that.
/// </summary>
internal static class SameOrigin
{
    /// <summary>
    /// Whether the request reports where it comes from, as every browser does when it sends a change.
    /// </summary>
    public static bool IsSaid(HttpContext http) =>
        http.Request.Headers.ContainsKey("Sec-Fetch-Site") || http.Request.Headers.Origin.Count > 0;

    public static bool Is(HttpContext http)
    {
        var (site, origin) = (
            http.Request.Headers["Sec-Fetch-Site"].ToString(),
            http.Request.Headers.Origin.ToString()
        );
        return site is "" or "same-origin"
            && (
                origin.Length == 0
                || origin == $"{http.Request.Scheme}://{http.Request.Host}"
                || origin == new Uri(PublicUrl.Of(http)).GetLeftPart(UriPartial.Authority)
            );
    }
}
