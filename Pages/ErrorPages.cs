using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>The 404 page for browsers. Programs get only the status.</summary>
internal static class ErrorPages
{
    public static async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        if (http.Response is { StatusCode: StatusCodes.Status404NotFound, HasStarted: false, ContentType: null })
        {
            var name = ServerIdentity.Name(http.RequestServices.GetRequiredService<IConfiguration>());
            var files = http.RequestServices.GetRequiredService<PageAssets>();
            var root = Root(http.Request);
            await Html.Page(
                    $"{name}: not found",
                    Html.Of(
                        $"""
                        <meta name="color-scheme" content="light dark">
                          <link rel="stylesheet" href="{root}{files.Address("start.css")}">
                        """
                    ),
                    Html.Of(
                        $"""
                        <main>
                            <h1>Not found</h1>
                            <p>This server has no page at <code>{http.Request.Path}</code>.</p>
                            <p><a href="{root}">Go to the start page of {name}</a></p>
                          </main>
                        """
                    ),
                    root
                )
                .WriteAsync(http, StatusCodes.Status404NotFound);
        }
    }

    public static bool IsFromBrowser(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    // Relative, because a reverse proxy may strip a path prefix.
    internal static string Root(HttpRequest request) =>
        "./"
        + string.Concat(
            Enumerable.Repeat("../", Math.Max(0, (request.Path.Value ?? "/").Count(letter => letter == '/') - 1))
        );
}
