using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>
/// Scalar's API reference over our OpenAPI document: every tool described, and tried out in the page. It takes <c>?family=</c> and
/// <c>?profile=</c> as the document does.
/// </summary>
internal static class Explorer
{
    public static Task GetAsync(HttpContext http)
    {
        if (http.Request.Path.Value!.EndsWith('/'))
        {
            // The page's addresses are relative to the root.
            return Results.Redirect(".." + http.Request.Path.Value.TrimEnd('/') + http.Request.QueryString).ExecuteAsync(http);
        }

        var files = http.RequestServices.GetRequiredService<PageFiles>();
        var name = Identity.Name(http.RequestServices.GetRequiredService<IConfiguration>());
        var auth = http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value;
        if (!Routes.Of(http).Contains("/openapi.json"))
        {
            return Instead(files, name, Html.Of($"""
                <p>The explorer calls the tools over plain HTTP, which is not on: the server was started with <code>--mode sse</code>.</p>
                <p>Start it with <code>--mode all</code> or <code>--mode rest</code>.</p>
                """)).WriteAsync(http, StatusCodes.Status404NotFound);
        }

        if (files.Address(PageFiles.Scalar) is not { } scalar)
        {
            return Instead(files, name, Html.Of($"""
                <p>The explorer is Scalar, one file of the npm package <code>@scalar/api-reference</code>. The build fetches it, and could not:
                  npm is not installed, or the network was not there.</p>
                <p>Install Node.js with npm (Debian and Ubuntu: <code>apt-get install npm</code>; elsewhere: <code>https://nodejs.org</code>), then build again:
                  <code>dotnet build</code>. A build without a network can bring the file: <code>-p:ScalarBundle=/path/standalone.js</code>.</p>
                <p>What it would show is <a href="openapi.json">the OpenAPI document</a>.</p>
                """)).WriteAsync(http, StatusCodes.Status503ServiceUnavailable);
        }

        return Html.Page($"{name}: API explorer", Html.Of($"""
            <script src="{scalar}" defer></script>
              <script src="{files.Address("explorer.js")}" defer></script>
            """), Html.Of($"""
            <div id="explorer" data-auth="{auth.Mode.ToLowerInvariant()}"></div>
              <p id="waiting">The explorer is loading; it needs JavaScript. What it shows is <a href="openapi.json">the OpenAPI document</a>.</p>
            """)).WriteAsync(http, styles: " 'unsafe-inline'"); // Scalar brings its styles within its script
    }

    private static Html Instead(PageFiles files, string name, Html why) => Html.Page($"{name}: no API explorer", Html.Of($"""<link rel="stylesheet" href="{files.Address("start.css")}">"""), Html.Of($"""
        <main>
            <h1>There is no explorer here</h1>
            {why}
            <p><a href="./">Back to {name}</a></p>
          </main>
        """));
}
