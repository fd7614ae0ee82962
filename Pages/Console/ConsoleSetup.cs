using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Storage;

namespace MinimalMcp.Pages.Console;

/// <summary>The console: what operators see and do in a browser.</summary>
public static class ConsoleSetup
{
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// Maps the console, for operators who are signed in. Its pages read what the server knows; what they change goes
    /// through the routes of the API.
    /// </summary>
    public static IEndpointConventionBuilder MapConsole(this IEndpointRouteBuilder routes, string pattern = "/console")
    {
        var all = routes.MapGroup("").RequireAuthorization(Scopes.Admin).AllowOperators(page: true);
        var group = all.MapGroup(pattern);
        foreach (var link in ConsoleLink.All)
        {
            Map(link, link.Path, link.Answer);
        }

        var servers = ConsoleLink.All.Single(link => link.Path == "/servers");
        Map(servers, "/servers/new", RegisterPage.GetAsync);
        Map(servers, "/servers/{id:long}", ServerPage.GetAsync);
        Map(servers, "/servers/{id:long}/edit", EditServerPage.GetAsync);
        all.MapMethods(
            "/diagnostics",
            Reading,
            (RequestDelegate)(http => DiagnosticsPage.GetRecordsAsync(http, pattern))
        );
        return all;

        void Map(ConsoleLink link, string path, RequestDelegate answer) =>
            group.MapMethods(path, Reading, WhenStored(answer)).WithMetadata(link);
    }

    private static RequestDelegate WhenStored(RequestDelegate answer) =>
        async http =>
        {
            try
            {
                await answer(http);
            }
            catch (StorageException) when (!http.Response.HasStarted)
            {
                await ConsolePage.WriteAsync(
                    http,
                    new(Html.Of($"""<p class="note bad">The store is unavailable. Try again in a minute.</p>"""))
                    {
                        Status = StatusCodes.Status503ServiceUnavailable,
                    }
                );
            }
        };
}
