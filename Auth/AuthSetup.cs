using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Auth.Provider;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

/// <summary>Who is calling: credentials as a scheme of the framework, and the authorization server.</summary>
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
        services.TryAddSingleton(new RateLimitFigures());
        services.AddSingleton<RateLimits>();
        services.AddSingleton<RequestLimit>();
        services.AddSingleton<CredentialVerifier>();
        services.AddSingleton<RefusedCredentials>();
        services.AddSingleton<ShortCut>();
        // Not AddAuthentication, which also makes keys for cookies when the server starts; we have none.
        services.AddAuthenticationCore(schemes => schemes.AddScheme<CredentialHandler>(AuthScheme.Name, null));
        services.PostConfigure<AuthenticationOptions>(LeaveDefaultScheme);
        services.AddTransient<CredentialHandler>();
        services.AddWebEncoders();
        AuthPolicies.Add(services.AddAuthorizationBuilder());
        services.AddSingleton<OpenStreams>();
        services.AddSingleton<ProtectedResource>();
        services.AddSingleton<Challenges>();
        services.AddSingleton<ExchangeLog>();
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
        app.UseCredentials();
        app.UseRequestLimit();
        app.MapAuth();
        return app;
    }

    /// <summary>Where people sign in and clients get tokens, in modes that issue them.</summary>
    internal static void MapAuth(this IEndpointRouteBuilder routes) => routes.MapAuthorizationServer();

    /// <summary>The framework's authentication and authorization, and a shorter way for callers that are known.</summary>
    internal static void UseCredentials(this WebApplication app)
    {
        if (ShortCut.IsPossible(app.Services))
        {
            RequestDelegate? beyond = null;
            app.Use(next =>
            {
                var shortCut = app.Services.GetRequiredService<ShortCut>(); // now, when the settings have been checked
                return http => shortCut.Admits(http) ? beyond!(http) : next(http);
            });
            WrongMethod.Use(app);
            app.UseAuthentication();
            app.UseAuthorization();
            app.Use(next => beyond = next);
        }
        else
        {
            WrongMethod.Use(app);
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
                var limit = app.ApplicationServices.GetRequiredService<RequestLimit>();
                return http => limit.Refusal(http) ?? next(http);
            });
        }
    }

    /// <summary>Keeps what was asked and answered while hosts discover the server and sign in, for the page that explains it. Before everything else, to see what the rest refuses.</summary>
    public static WebApplication UseDiagnostics(this WebApplication app)
    {
        app.UseMiddleware<ExchangeRecorder>();
        return app;
    }

    /// <summary><c>hash-password</c>: reads a password from the standard input, and prints what <c>Auth:Users:NAME:PasswordHash</c> takes.</summary>
    internal static int HashPassword(this WebApplication app) => Passwords.Print(Console.In, Console.Out);

    /// <summary>
    /// Marks routes of tools: for every caller and, in mode mixed, for whoever has no token; each tool decides.
    /// </summary>
    internal static TBuilder AllowGuests<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder
    {
        routes.RequireAuthorization(AuthPolicies.Caller).WithMetadata(GuestsMayAsk.Mark).Finally(ShortCut.AddMark);
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
internal sealed class GuestsMayAsk
{
    public static readonly GuestsMayAsk Mark = new();
}
