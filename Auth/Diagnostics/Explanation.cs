namespace MinimalMcp.Auth.Diagnostics;

/// <summary>Explains a request and its response in a sentence.</summary>
internal static class Explanation
{
    public static bool IsDiscovery(PathString path) =>
        path.HasValue
        && (
            path.StartsWithSegments("/.well-known")
            || path.StartsWithSegments("/auth")
            || path.Value.Contains("/.well-known/", StringComparison.Ordinal)
        );

    public static bool IsMcp(PathString path) =>
        path.StartsWithSegments("/mcp") || path.StartsWithSegments("/sse") || path.StartsWithSegments("/message");

    /// <summary>Paths of this server's clients. A request with a refused Host is refused before routing.</summary>
    public static bool IsOurs(PathString path) =>
        IsMcp(path)
        || path.StartsWithSegments("/tools")
        || path.StartsWithSegments("/api/mcp")
        || path.StartsWithSegments("/openapi.json");

    public static string Of(HttpContext http, AuthOptions options)
    {
        var (path, status) = (http.Request.Path, http.Response.StatusCode);
        var said = http.Features.Get<RefusalReason>()?.Why;
        var why = said ?? Usual(status, isHost: http.GetEndpoint() is null);
        var isOAuth =
            path.Value!.Contains("/.well-known/oauth-", StringComparison.Ordinal)
            || path.Value.Contains("/.well-known/openid-", StringComparison.Ordinal);
        return (isOAuth, status) switch
        {
            (true, 404) when options.IsOff =>
                $"Requested {path}: 404, because authentication is disabled and no sign-in is needed.",
            (true, 404) when !options.TakesTokens =>
                $"Requested {path}: 404, because this server accepts API keys and has no sign-in (mode "
                    + $"{options.Mode}).",
            (true, 404) => $"Requested {path}: 404, because this document does not exist.",
            (_, < 400) when said is not null => said, // a redirect can carry an error
            (_, < 400) => $"Requested {path}: succeeded.",
            (_, 401) => $"Must sign in (401). {why}",
            (_, 403) => $"Refused (403). {why}",
            (_, 404) => $"Requested {path}: 404. {why}",
            (_, 429) => $"Rate limited (429). {why}",
            _ => $"Failed ({status}). {why}",
        };
    }

    private static string Usual(int status, bool isHost) =>
        status switch
        {
            400 when isHost => "The Host header names a host that this server does not serve. Check that "
                + "PUBLIC_URL is the URL that the client calls.",
            400 => "The request is malformed.",
            403 => "A web page called whose origin is not in CORS_ORIGINS.",
            405 => "The path does not support this method.",
            >= 500 => "The server failed. See its log.",
            _ => "",
        };
}

/// <summary>Why a request was refused, set by the code that refused it. Holds nothing secret.</summary>
internal sealed record RefusalReason(string Why);
