using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Auth.Provider;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

public static class AuthSetup
{
    /// <summary>
    /// Our credentials as an authentication scheme, and our scopes as policies. Routes of the application's own stay as
    /// they are: neither a default scheme nor a fallback policy is set here.
    /// </summary>
    public static IHostApplicationBuilder AddAuth(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<AuthOptions>("Auth");
        // Known in every mode: a setting that has no effect in one of them is no misspelling.
        services.AddSingleton(new SettingsSection("Auth:Server", typeof(AuthorizationServerOptions)));
        services.AddSingleton(new SettingsSection("Auth:Users", typeof(Dictionary<string, UserOptions>)));
        services.AddSingleton(new SettingsSection("Auth:Provider", typeof(ProviderOptions)));
        services.AddSingleton<IValidateOptions<AuthOptions>, AuthCheck>();
        services.AddSingleton<ApiKeys>();
        services.TryAddSingleton(new RateLimitPolicies());
        services.AddSingleton<RateLimiters>();
        services.AddSingleton<RequestRateLimiter>();
        services.AddSingleton<CredentialVerifier>();
        services.AddSingleton<RefusedCredentialLog>();
        services.AddSingleton<AuthFastPath>();
        // Not AddAuthentication, which also makes keys for cookies when the server starts; we have none.
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
        return builder;
    }

    /// <summary>
    /// For a program that serves nothing but this server: our scheme is the default, and every route is closed unless
    /// it says
    /// <c>AllowAnonymous</c> or has a policy.
    /// </summary>
    public static IHostApplicationBuilder CloseOtherRoutes(this IHostApplicationBuilder builder)
    {
        builder.Services.Configure<AuthenticationOptions>(schemes => schemes.DefaultScheme = AuthScheme.Name);
        builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(AuthPolicies.AnyCaller);
        return builder;
    }

    /// <summary>The framework's authentication and authorization, and the limit of requests.</summary>
    public static WebApplication UseAuth(this WebApplication app)
    {
        if (AuthFastPath.IsPossible(app.Services))
        {
            RequestDelegate? beyond = null;
            app.Use(next =>
            {
                // now, when the settings have been checked
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

        if (app.Configuration["Auth:RateLimitPerMinute"] is not (null or "" or "0"))
        {
            app.Use(next =>
            {
                var limit = app.Services.GetRequiredService<RequestRateLimiter>();
                return http => limit.Refusal(http) ?? next(http);
            });
        }

        app.MapAuthorizationServer();
        return app;
    }

    /// <summary>
    /// Keeps what was asked and answered while hosts discover the server and sign in, for the page that explains it.
    /// Before everything else, to see what the rest refuses.
    /// </summary>
    public static WebApplication UseDiagnostics(this WebApplication app)
    {
        app.UseMiddleware<DiagnosticsMiddleware>();
        return app;
    }

    /// <summary>
    /// <c>hash-password</c>: reads a password from the standard input, and prints what
    /// <c>Auth:Users:NAME:PasswordHash</c> takes.
    /// </summary>
    public static int HashPassword(this WebApplication app) => Passwords.Print(Console.In, Console.Out);

    /// <summary>
    /// Marks routes of tools: for every caller and, in mode mixed, for whoever has no token; each tool decides.
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

    // The framework makes the only scheme the default. Ours must not become it, and must not keep another from being
    // it.
    private static void LeaveDefaultScheme(AuthenticationOptions options)
    {
        var others = options.Schemes.Where(scheme => scheme.Name != AuthScheme.Name).ToArray();
        options.DefaultScheme ??= others is [var only] ? only.Name : "";
    }
}

/// <summary>Marks a route of tools: in mode mixed it also serves whoever has no token, and each tool decides.</summary>
internal sealed class AllowGuestsMetadata
{
    public static readonly AllowGuestsMetadata Mark = new();
}
