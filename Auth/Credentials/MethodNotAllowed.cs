using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Auth;

/// <summary>
/// A known path with a method that it does not take is 405 with <c>Allow</c> (RFC 9110 15.5.6), for everybody. Which
/// paths there are is no secret; 401 would make a client sign in for nothing.
/// </summary>
internal static class MethodNotAllowed
{
    // Routing names its own endpoint so; it has no metadata, and so the policy of routes that say nothing would apply.
    private const string Name = "405 HTTP Method Not Supported";

    /// <summary>Only where that policy is ours: routes of somebody else's program are theirs.</summary>
    public static void Use(WebApplication app)
    {
        var fallback = app.Services.GetRequiredService<IOptions<AuthorizationOptions>>().Value.FallbackPolicy;
        if (fallback == AuthPolicies.AnyCaller)
        {
            app.Use(next =>
                http =>
                    http.GetEndpoint() is { DisplayName: Name, RequestDelegate: { } refuse }
                        ? RefuseAsync(http, refuse)
                        : next(http)
            );
        }
    }

    private static async Task RefuseAsync(HttpContext http, RequestDelegate refuse)
    {
        await refuse(http);
        if (!http.Response.HasStarted && !HttpMethods.IsHead(http.Request.Method))
        {
            await Results
                .Problem(
                    statusCode: StatusCodes.Status405MethodNotAllowed,
                    title: "Method not allowed",
                    detail: $"This path takes {http.Response.Headers.Allow}."
                )
                .ExecuteAsync(http);
        }
    }
}
