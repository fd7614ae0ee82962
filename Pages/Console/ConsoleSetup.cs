using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;

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
        var group = routes.MapGroup(pattern).RequireAuthorization(Scopes.Admin).AllowOperators(page: true);
        foreach (var link in ConsoleLink.All)
        {
            group.MapMethods(link.Path, Reading, link.Answer).WithMetadata(link);
        }

        return group;
    }
}
