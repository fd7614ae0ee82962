using MinimalMcp.Auth.Provider;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

public static class AuthSetup
{
    /// <summary>Every route is closed unless it says <c>AllowAnonymous</c>. Without authentication the server listens on this machine only.</summary>
    public static IHostApplicationBuilder AddAuth(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<AuthOptions>("Auth");
        builder.AddIdentityProvider();
        if (!IsOff(builder.Configuration))
        {
            builder.Services.AddSingleton<ApiKeys>();
        }

        return builder;
    }

    public static WebApplication UseAuth(this WebApplication app)
    {
        if (!IsOff(app.Configuration))
        {
            app.UseMiddleware<ApiKeyCheck>();
        }

        return app;
    }

    private static bool IsOff(IConfiguration configuration) => new AuthOptions { Mode = configuration["Auth:Mode"] ?? "none" }.IsOff;
}
