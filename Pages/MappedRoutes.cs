using Microsoft.AspNetCore.Authorization;
using MinimalMcp.Auth.Operators;

namespace MinimalMcp.Pages;

/// <summary>The mapped routes. Pages use them to show only URLs that exist.</summary>
internal static class MappedRoutes
{
    /// <param name="http">Any request.</param>
    /// <param name="withoutKey">Only those that a browser can open when the others ask for a key.</param>
    public static HashSet<string> Of(HttpContext http, bool withoutKey = false) =>
        http
            .RequestServices.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint =>
                !withoutKey
                || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
                || endpoint.Metadata.GetMetadata<OperatorRoute>() is { IsPage: true } // it leads to the sign-in
            )
            .Select(endpoint => "/" + endpoint.RoutePattern.RawText?.Trim('/'))
            .ToHashSet(StringComparer.Ordinal);
}
