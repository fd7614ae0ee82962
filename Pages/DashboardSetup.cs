using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Governance;

namespace MinimalMcp.Pages;

/// <summary>Manual approval: its API, and the address that leads to its page.</summary>
public static class DashboardSetup
{
    /// <summary>
    /// Maps the API of approvals, for operators who are signed in. The pattern leads to the page of the console.
    /// </summary>
    public static IEndpointConventionBuilder MapDashboard(
        this IEndpointRouteBuilder routes,
        string pattern = "/dashboard"
    )
    {
        routes.MapApprovals("/api/v1/approvals");
        return routes
            .MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], http =>
                Results.Redirect(ErrorPages.Root(http.Request) + "console/approvals").ExecuteAsync(http)
            )
            .RequireAuthorization(Scopes.Admin)
            .AllowOperators(page: true);
    }
}
