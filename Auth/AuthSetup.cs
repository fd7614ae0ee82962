using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Diagnostics;
using MinimalMcp.Auth.Provider;
using MinimalMcp.Auth.Server;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

public static class AuthSetup
{
    /// <summary>Every route is closed unless it says <c>AllowAnonymous</c>. Without authentication the server listens on this machine only.</summary>
    public static IHostApplicationBuilder AddAuth(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<AuthOptions>("Auth");
        services.AddSingleton<IValidateOptions<AuthOptions>, AuthCheck>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<WrongKeys>();
        services.AddSingleton<RateLimits>();
        services.AddSingleton<OpenStreams>();
        services.AddSingleton<ProtectedResource>();
        services.AddSingleton<Challenges>();
        services.AddSingleton<ExchangeLog>();
        builder.AddIdentityProvider();
        builder.AddAuthorizationServer();
        return builder;
    }

    public static WebApplication UseAuth(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IConfiguration>().GetSection("Auth");
        if (!(options["Mode"] ?? "none").Equals("none", StringComparison.OrdinalIgnoreCase) || options["RateLimitPerMinute"] is not (null or "" or "0"))
        {
            app.UseMiddleware<CredentialCheck>();
        }

        app.MapAuthorizationServer();

        return app;
    }

    /// <summary>Keeps what was asked and answered while hosts discover the server and sign in, for the page that explains it. Before everything else, to see what the rest refuses.</summary>
    public static WebApplication UseDiagnostics(this WebApplication app)
    {
        app.UseMiddleware<ExchangeRecorder>();
        return app;
    }

    /// <summary><c>hash-password</c>: reads a password from the standard input, and prints what <c>Auth:Users:NAME:PasswordHash</c> takes.</summary>
    public static int HashPassword(this WebApplication app) => Passwords.Print(Console.In, Console.Out);

    /// <summary>In mode mixed, whoever has no token may come in here, and read.</summary>
    internal static TBuilder AllowGuests<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder => routes.WithMetadata(GuestsMayAsk.Mark);
}
