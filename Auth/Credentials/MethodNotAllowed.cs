using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>
/// Responds with 405 and <c>Allow</c> when a known path does not support the method (RFC 9110 section 15.5.6), for
/// every caller. Which paths exist is no secret, and 401 would make a client sign in for nothing.
/// </summary>
internal static class MethodNotAllowed
{
    // The name of routing's own endpoint. It has no metadata, so the fallback policy would apply to it.
    private const string Name = "405 HTTP Method Not Supported";

    /// <summary>Only where the fallback policy is ours: routes of another application are left alone.</summary>
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
            await ApiErrors
                .Problem(
                    http,
                    StatusCodes.Status405MethodNotAllowed,
                    "Method not allowed",
                    $"This path supports {http.Response.Headers.Allow}."
                )
                .ExecuteAsync(http);
        }
    }
}
