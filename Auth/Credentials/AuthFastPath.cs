using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;

namespace MinimalMcp.Auth;

/// <summary>
/// Admits a call of a tool whose caller is known already, in front of the framework's two middlewares, which cost each
/// call about three microseconds. It refuses nothing: whoever it does not admit goes through them.
/// </summary>
internal sealed class AuthFastPath(CredentialVerifier verifier)
{
    // The routing middleware throws when a route has a policy that nobody looked at; this says that somebody did.
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
        http.Response.Headers.CacheControl = "no-store"; // the answer is this caller's own
        return true;
    }

    /// <summary>
    /// It would go around whatever an application adds to the framework's authorization, so then there is none.
    /// </summary>
    public static bool IsPossible(IServiceProvider services)
    {
        using var scope = services.CreateScope();
        return scope.ServiceProvider.GetService<IClaimsTransformation>() is null or NoopClaimsTransformation
            && scope
                .ServiceProvider.GetServices<IAuthorizationHandler>()
                .All(handler => handler is PassThroughAuthorizationHandler);
    }

    /// <summary>Marks a route, unless it asks for more than that its caller is known.</summary>
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
