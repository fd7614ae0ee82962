namespace MinimalMcp.Auth.Diagnostics;

/// <summary>What an exchange means, in a sentence.</summary>
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

    /// <summary>
    /// Where clients of ours ask; a host that is refused is refused before anybody knows whether the path is there.
    /// </summary>
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
                $"Asked for {path} and got 404 because auth is off: nobody has to sign in.",
            (true, 404) when !options.TakesTokens =>
                $"Asked for {path} and got 404 because this server takes keys and has no sign-in (mode "
                    + $"{options.Mode}).",
            (true, 404) => $"Asked for {path} and got 404: there is no such document.",
            (_, < 400) when said is not null => said, // a redirect may carry an error
            (_, < 400) => $"Asked for {path} and got what it asked for.",
            (_, 401) => $"Was told to sign in (401). {why}",
            (_, 403) => $"Was refused (403). {why}",
            (_, 404) => $"Asked for {path} and got 404. {why}",
            (_, 429) => $"Came too often (429). {why}",
            _ => $"Was answered {status}. {why}",
        };
    }

    private static string Usual(int status, bool isHost) =>
        status switch
        {
            400 when isHost => "It named a host that is not served here: PUBLIC_URL is not what the client calls.",
            400 => "The request was not understood.",
            403 => "A web page called whose origin CORS_ORIGINS does not name.",
            405 => "The path does not take this method.",
            >= 500 => "The server failed; its log says more.",
            _ => "",
        };
}

/// <summary>Why a request was answered as it was, from whoever answered it. Holds nothing secret.</summary>
internal sealed record RefusalReason(string Why);
