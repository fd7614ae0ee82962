using MinimalMcp.Governance;

namespace MinimalMcp.Dashboard;

/// <summary>The page on which a person approves calls.</summary>
public static class DashboardSetup
{
    /// <summary>
    /// The operator's page, and what its buttons call. The page itself is open, as a browser sends no key by itself, and says nothing: what it shows
    /// it asks for with the key that is typed in.
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
