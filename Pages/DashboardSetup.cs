using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Governance;

namespace MinimalMcp.Pages;

/// <summary>The page on which a person approves calls.</summary>
public static class DashboardSetup
{
    /// <summary>
    /// Maps the approvals page and its API, for operators who are signed in.
    /// </summary>
    public static IEndpointConventionBuilder MapDashboard(
        this IEndpointRouteBuilder routes,
        string pattern = "/dashboard"
    )
    {
        routes.MapApprovals("/api/v1/approvals");
        return routes
            .MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)DashboardPage.GetAsync)
            .RequireAuthorization(Scopes.Admin)
            .AllowOperators(page: true);
    }
}
