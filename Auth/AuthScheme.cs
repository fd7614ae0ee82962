using Microsoft.AspNetCore.Authorization;

namespace MinimalMcp.Auth;

/// <summary>The authentication scheme for API keys, our own tokens and tokens of an identity provider.</summary>
public static class AuthScheme
{
    /// <summary>For <c>AddAuthentication(AuthScheme.Name)</c>, where it is the default scheme.</summary>
    public const string Name = "MinimalMcp";
}

/// <summary>
/// Authorization policies of our scheme. Each scope is a policy of the same name, so
/// <c>app.MapGet(...).RequireAuthorization("mcp:admin")</c> works on any route.
/// </summary>
public static class AuthPolicies
{
    /// <summary>The name of <see cref="AnyCaller"/>.</summary>
    public const string Caller = "mcp";

    /// <summary>Any caller with a valid credential, whatever its scopes.</summary>
    public static AuthorizationPolicy AnyCaller { get; } =
        new AuthorizationPolicyBuilder(AuthScheme.Name).RequireAuthenticatedUser().Build();

    internal static void Add(AuthorizationBuilder authorization)
    {
        authorization.AddPolicy(Caller, AnyCaller);
        foreach (var scope in Scopes.Split(Scopes.All))
        {
            authorization.AddPolicy(scope, policy =>
                policy
                    .AddAuthenticationSchemes(AuthScheme.Name)
                    .RequireAuthenticatedUser()
                    .RequireAssertion(context => Auth.Caller.From(context.User).HasScope(scope))
            );
        }
    }
}
