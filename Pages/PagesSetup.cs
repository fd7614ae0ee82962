using MinimalMcp.Auth.Operators;
using MinimalMcp.Auth.Server;

namespace MinimalMcp.Pages;

/// <summary>What people see in a browser.</summary>
public static class PagesSetup
{
    /// <summary>Adds what <see cref="MapPages"/> needs.</summary>
    public static IHostApplicationBuilder AddPages(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PageAssets>();
        builder.Services.AddSingleton<IAuthorizationPages, ConsentPage>();
        builder.Services.AddSingleton<IOperatorPages, SignInPage>();
        return builder;
    }

    /// <summary>A page for a browser that asks for what is not there.</summary>
    public static WebApplication UseErrorPages(this WebApplication app)
    {
        app.Use(next =>
            http => ErrorPages.IsFromBrowser(http.Request) ? ErrorPages.InvokeAsync(http, next) : next(http)
        );
        return app;
    }

    /// <summary>
    /// The page on which every caller stores the own secrets for other MCP servers, after a sign-in without any scope.
    /// </summary>
    public static IEndpointConventionBuilder MapConnections(
        this IEndpointRouteBuilder routes,
        string pattern = "/connections"
    ) => ConnectionsPage.Map(routes, pattern);

    /// <summary>
    /// What people see in a browser. Nothing is read or rendered before somebody asks. A browser sends no key by
    /// itself, so the pages are open, and tell hardly more than the OpenAPI document, which is open too.
    /// </summary>
    public static IEndpointConventionBuilder MapPages(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").AllowAnonymous();
        foreach (
            var (path, answer) in (ReadOnlySpan<(string, RequestDelegate)>)
                [
                    ("/", StartPage.GetAsync),
                    ("/docs", http => ApiExplorer.Redirect(http).ExecuteAsync(http)),
                    ("/assets/{name}", PageAssets.GetAsync),
                ]
        )
        {
            group.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], answer);
        }

        ApiExplorer.Map(group);
        return group;
    }
}
