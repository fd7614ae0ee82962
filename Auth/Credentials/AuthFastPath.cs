using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;

namespace MinimalMcp.Auth;

/// <summary>
/// Admits tool calls of callers that are already known, ahead of the framework's authentication and authorization
/// middleware, which cost each call about three microseconds. It refuses nothing: other requests go through the
/// middleware.
/// </summary>
internal sealed class AuthFastPath(CredentialVerifier verifier)
{
    // The routing middleware throws when the policy of a route was never evaluated. This marks it as evaluated.
    private const string Authorized = "__AuthorizationMiddlewareWithEndpointInvoked";

    private static readonly object Looked = new();

    public bool Admits(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<Mark>() is null || verifier.Known(http) is not { } caller)
        {
            return false;
        }

        http.User = caller;
        http.Items[Authorized] = Looked;
        http.Response.Headers.CacheControl = "no-store"; // the response is specific to this caller
        return true;
    }

    /// <summary>False when the application has customised authorization, which this path would bypass.</summary>
    public static bool IsPossible(IServiceProvider services)
    {
        using var scope = services.CreateScope();
        return scope.ServiceProvider.GetService<IClaimsTransformation>() is null or NoopClaimsTransformation
            && scope
                .ServiceProvider.GetServices<IAuthorizationHandler>()
                .All(handler => handler is PassThroughAuthorizationHandler);
    }

    /// <summary>Marks a route, unless it requires more than an authenticated caller.</summary>
    public static void AddMark(EndpointBuilder endpoint)
    {
        if (!endpoint.Metadata.Any(AsksForMore))
        {
            endpoint.Metadata.Add(new Mark());
        }
    }

    private static bool AsksForMore(object metadata) =>
        metadata switch
        {
            AuthorizationPolicy or IAuthorizationRequirementData or IAllowAnonymous => true,
            IAuthorizeData data => data.Policy != AuthPolicies.Caller
                || data is not { Roles: null, AuthenticationSchemes: null },
            _ => false,
        };

    private sealed class Mark;
}
