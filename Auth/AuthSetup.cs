using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Auth.Provider;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>Who is calling: credentials as a scheme of the framework, and the authorization server.</summary>
public static class AuthSetup
{
    /// <summary>
    /// Adds our credentials as an authentication scheme, and our scopes as policies. Sets neither a default scheme nor
    /// a fallback policy, so that routes of the application are unaffected.
    /// </summary>
    public static IHostApplicationBuilder AddAuth(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<AuthOptions>("Auth");
        // Registered in every mode, so that a setting without effect in one mode is not reported as misspelled.
        services.AddSingleton(new SettingsSection("Auth:Server", typeof(AuthorizationServerOptions)));
        services.AddSingleton(new SettingsSection("Auth:Users", typeof(Dictionary<string, UserOptions>)));
        services.AddSingleton(new SettingsSection("Auth:Provider", typeof(ProviderOptions)));
        services.AddSingleton<IValidateOptions<AuthOptions>, AuthCheck>();
        services.AddSingleton<ServerKeys>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<StoredKeys>();
        services.AddHostedService(provider => provider.GetRequiredService<StoredKeys>());
        services.TryAddSingleton(new RateLimitPolicies());
        services.AddSingleton<RateLimiters>();
        services.AddSingleton<RequestRateLimiter>();
        services.AddSingleton<AuthAttempts>();
        services.AddSingleton<CredentialVerifier>();
        services.AddSingleton<RefusedCredentialLog>();
        services.AddSingleton<AuthFastPath>();
        // Not AddAuthentication, which also sets up data protection: cookies are encrypted with the server's own key.
        services.AddAuthenticationCore(schemes => schemes.AddScheme<CredentialHandler>(AuthScheme.Name, null));
        services.PostConfigure<AuthenticationOptions>(LeaveDefaultScheme);
        services.AddTransient<CredentialHandler>();
        services.AddWebEncoders();
        AuthPolicies.Add(services.AddAuthorizationBuilder());
        services.AddSingleton<StreamAuthorization>();
        services.AddSingleton<ProtectedResource>();
        services.AddSingleton<BearerChallenges>();
        services.AddSingleton<DiagnosticsLog>();
        builder.AddIdentityProvider();
        builder.AddAuthorizationServer();
        OperatorSetup.Add(services);
        return builder;
    }

    /// <summary>
    /// For a program that serves only this server: our scheme is the default, and every route is closed unless it has
    /// <c>AllowAnonymous</c> or a policy.
    /// </summary>
    public static IHostApplicationBuilder CloseOtherRoutes(this IHostApplicationBuilder builder)
    {
        builder.Services.Configure<AuthenticationOptions>(schemes => schemes.DefaultScheme = AuthScheme.Name);
        builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(AuthPolicies.AnyCaller);
        return builder;
    }

    /// <summary>Adds the framework's authentication and authorization, and the request rate limit.</summary>
    public static WebApplication UseAuth(this WebApplication app)
    {
        ApiErrors.Use(app);
        app.UseCredentials();
        app.UseRequestLimit();
        app.MapAuth();
        return app;
    }

    /// <summary>Where people sign in and clients get tokens, in modes that issue them.</summary>
    internal static void MapAuth(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/auth").AllowAnonymous();
        var isRegistered = routes.ServiceProvider.GetRequiredService<IServiceProviderIsService>();
        if (isRegistered.IsService(typeof(Consent)) || isRegistered.IsService(typeof(IExternalSignIn)))
        {
            group.MapGet("/callback", OAuthResponses.Page(FinishSignInAsync));
        }

        OperatorSetup.Map(group);
        group.AllowHead();
        routes.MapAuthorizationServer();
    }

    /// <summary>The framework's authentication and authorization, and a fast path for known callers.</summary>
    internal static void UseCredentials(this WebApplication app)
    {
        if (AuthFastPath.IsPossible(app.Services))
        {
            RequestDelegate? beyond = null;
            app.Use(next =>
            {
                // resolved now, after the settings were validated
                var shortCut = app.Services.GetRequiredService<AuthFastPath>();
                return http => shortCut.Admits(http) ? beyond!(http) : next(http);
            });
            MethodNotAllowed.Use(app);
            app.UseAuthentication();
            app.UseAuthorization();
            app.Use(next => beyond = next);
        }
        else
        {
            MethodNotAllowed.Use(app);
            app.UseAuthentication();
            app.UseAuthorization();
        }
    }

    /// <summary>The limit of requests (<c>Auth:RateLimitPerMinute</c>), when there is one.</summary>
    internal static void UseRequestLimit(this IApplicationBuilder app)
    {
        var configuration = app.ApplicationServices.GetRequiredService<IConfiguration>();
        if (configuration["Auth:RateLimitPerMinute"] is not (null or "" or "0"))
        {
            app.Use(next =>
            {
                var limit = app.ApplicationServices.GetRequiredService<RequestRateLimiter>();
                return http => limit.Refusal(http) ?? next(http);
            });
        }
    }

    /// <summary>
    /// Records discovery and sign-in requests for the diagnostics page. Comes before all other middleware, to see what
    /// that refuses.
    /// </summary>
    public static WebApplication UseDiagnostics(this WebApplication app)
    {
        app.UseMiddleware<DiagnosticsMiddleware>();
        return app;
    }

    /// <summary>
    /// <c>hash-password</c>: reads a password from standard input and prints its hash for
    /// <c>Auth:Users:NAME:PasswordHash</c>.
    /// </summary>
    internal static int HashPassword(this WebApplication app) => Passwords.Print(Console.In, Console.Out);

    /// <summary>
    /// Opens tool routes to every caller and, in mode mixed, to unauthenticated callers; each tool decides.
    /// </summary>
    internal static TBuilder AllowGuests<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder
    {
        routes
            .RequireAuthorization(AuthPolicies.Caller)
            .WithMetadata(AllowGuestsMetadata.Mark)
            .Finally(AuthFastPath.AddMark);
        return routes;
    }

    // Where the identity provider returns people to: from a client's sign-in, or from an operator's.
    private static Task FinishSignInAsync(HttpContext http) =>
        OperatorSignIn.IsOwn(http) ? http.RequestServices.GetRequiredService<OperatorSignIn>().FinishAsync(http)
        : http.RequestServices.GetService<Consent>() is { } consent ? consent.FinishAsync(http)
        : http
            .RequestServices.GetRequiredService<IAuthorizationPages>()
            .ExplainAsync(
                http,
                StatusCodes.Status400BadRequest,
                "Nothing to do",
                "The identity provider redirects to this page. Start from the application."
            );

    // The framework makes the only scheme the default. Ours must not become it, nor stop another scheme from being it.
    private static void LeaveDefaultScheme(AuthenticationOptions options)
    {
        var others = options
            .Schemes.Where(scheme => scheme.Name is not (AuthScheme.Name or OperatorSessions.Scheme))
            .ToArray();
        options.DefaultScheme ??= others is [var only] ? only.Name : "";
    }
}

/// <summary>
/// Endpoint metadata of tool routes: in mode mixed they also serve unauthenticated callers, and each tool decides.
/// </summary>
internal sealed class AllowGuestsMetadata
{
    public static readonly AllowGuestsMetadata Mark = new();
}
