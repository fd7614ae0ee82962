using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.WellKnown;
using Scalar.AspNetCore;

namespace MinimalMcp.Pages;

/// <summary>
/// Scalar's API reference over our OpenAPI document: every tool described, and tried out in the page. It takes
/// <c>?family=</c> and <c>?profile=</c> as the document does.
/// </summary>
internal static class ApiExplorer
{
    private const string Script = "scalar.js";

    // In the script's address, so that a browser may keep the script until the package is another one.
    private static readonly string Version = typeof(ScalarOptions).Assembly.ManifestModule.ModuleVersionId.ToString(
        "N"
    );

    public static void Map(IEndpointRouteBuilder pages) =>
        pages
            .MapScalarApiReference("/scalar", Configure)
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]))
            .AddEndpointFilter(
                (context, next) =>
                    context.HttpContext.GetEndpoint() is RouteEndpoint { RoutePattern.Parameters.Count: > 0 }
                        ? AnswerPageAsync(context, next)
                        : AnswerFileAsync(context, next)
            );

    /// <summary>
    /// To the page, with the slash at its end that its addresses are relative to. Relative itself, because a proxy may
    /// have taken a prefix off.
    /// </summary>
    public static IResult Redirect(HttpContext http) =>
        Results.Redirect((http.Request.Path.Value!.EndsWith('/') ? "../" : "") + "scalar/" + http.Request.QueryString);

    private static ValueTask<object?> AnswerFileAsync(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        var (request, response) = (context.HttpContext.Request, context.HttpContext.Response);
        response.Headers.XContentTypeOptions = "nosniff";
        if (request.Path.Value!.EndsWith("/" + Script, StringComparison.Ordinal) && request.Query["v"] == Version)
        {
            response.OnStarting(() =>
            {
                response.Headers.CacheControl = PageAssets.Immutable;
                return Task.CompletedTask;
            });
        }

        return next(context);
    }

    private static async ValueTask<object?> AnswerPageAsync(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        var http = context.HttpContext;
        if (http.Request.RouteValues["documentName"] is not null)
        {
            return Results.NotFound(); // there is one document
        }

        if (!http.Request.Path.Value!.EndsWith('/'))
        {
            return Redirect(http); // the package would do so too, without the query
        }

        if (!MappedRoutes.Of(http).Contains("/openapi.json"))
        {
            await Disabled(http).WriteAsync(http, StatusCodes.Status404NotFound);
            return Results.Empty;
        }

        http.Response.OnStarting(() =>
        {
            var nonce = http.Items[ScalarOptions.NonceHttpContextItemKey];
            // Scalar brings its styles within its script.
            Html.SetHeaders(http.Response, scripts: $"'nonce-{nonce}'", styles: " 'unsafe-inline'");
            return Task.CompletedTask;
        });
        return await next(context);
    }

    // Without these settings the page would call services of its maker.
    private static void Configure(ScalarOptions options, HttpContext http)
    {
        var services = http.RequestServices;
        var name = ServerIdentity.Name(services.GetRequiredService<IConfiguration>());
        options
            .WithTitle(Html.Of($"{name}: API explorer").ToString()) // the package does not encode it
            .AddHeadContent("""<link rel="icon" href="../logo.svg" type="image/svg+xml">""")
            .AddHeaderContent(
                """
                <noscript>The explorer needs JavaScript. It shows
                  <a href="../openapi.json">the OpenAPI document</a>.</noscript>
                """
            )
            .WithNonce()
            .WithBundleUrl($"{Script}?v={Version}")
            .WithDynamicBaseServerUrl()
            .AddServer("/") // the document may name an address that this page may not call
            .AddDocument("openapi", name, "openapi.json" + http.Request.QueryString.Add("all", "true"))
            .DisableTelemetry()
            .DisableDefaultFonts()
            .DisableAgent()
            .DisableMcp()
            .HideDeveloperTools()
            .HideClientButton() // opens the maker's web client
            .ExpandAllTags()
            .HideModels() // the only one is the problem document
            .WithDirectDocumentDownload()
            .WithFavicon("../logo.svg")
            .WithCustomCss(Styles(services.GetRequiredService<IOptions<AuthOptions>>().Value));
    }

    // Without authentication every tool would be marked "Auth Optional".
    private static string Styles(AuthOptions auth) =>
        ".light-mode { --scalar-color-accent: #14663a; } .dark-mode { --scalar-color-accent: #7fd8a1; }"
        + (auth.IsOff ? " .security-requirement-badge { display: none !important; }" : "");

    private static Html Disabled(HttpContext http)
    {
        var name = ServerIdentity.Name(http.RequestServices.GetRequiredService<IConfiguration>());
        var styles = http.RequestServices.GetRequiredService<PageAssets>().Address("start.css");
        var head = Html.Of($"""<link rel="stylesheet" href="../{styles}">""");
        return Html.Page(
            $"{name}: no API explorer",
            head,
            Html.Of(
                $"""
                <main>
                    <h1>The API explorer is disabled</h1>
                    <p>It calls the tools over plain HTTP, which <code>--mode sse</code> disables.</p>
                    <p>Start it with <code>--mode all</code> or <code>--mode rest</code>.</p>
                    <p><a href="../">Back to {name}</a></p>
                  </main>
                """
            ),
            root: "../"
        );
    }
}
