using MinimalMcp.Governance;

namespace MinimalMcp.Pages;

/// <summary>The page on which a person approves calls.</summary>
public static class DashboardSetup
{
    /// <summary>
    /// Maps the approvals page and its API. The page itself is anonymous, as a browser sends no key by itself, and
    /// contains no data: it fetches that with the key that the operator enters.
    /// </summary>
    public static IEndpointConventionBuilder MapDashboard(
        this IEndpointRouteBuilder routes,
        string pattern = "/dashboard"
    )
    {
        routes.MapApprovals("/api/v1/approvals");
        return routes
            .MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)DashboardPage.GetAsync)
            .AllowAnonymous();
    }
}
