using MinimalMcp.Auth.Server;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Configuration;

namespace MinimalMcp.Auth;

public static class AuthSetup
{
    /// <summary>Every route is closed unless it says <c>AllowAnonymous</c>. Without authentication the server listens on this machine only.</summary>
    public static IHostApplicationBuilder AddAuth(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<AuthOptions>("Auth");
        if (!IsOff(builder.Configuration))
        {
            builder.Services.AddSingleton<ApiKeys>();
        }

        if (IsEmbedded(builder.Configuration))
        {
            builder.AddAuthorizationServer();
            builder.Services.AddSingleton<IAccessTokens>(services => services.GetRequiredService<OwnTokens>());
        }

        return builder;
    }

    public static WebApplication UseAuth(this WebApplication app)
    {
        if (!IsOff(app.Configuration))
        {
            app.UseMiddleware<ApiKeyCheck>();
        }

        if (IsEmbedded(app.Configuration))
        {
            app.MapAuthorizationServer();
            app.MapGet("/.well-known/oauth-authorization-server", (AuthorizationServerMetadata metadata) => metadata.ToJson()).AllowAnonymous();
            app.MapGet("/.well-known/oauth-protected-resource/mcp", (AuthorizationServerMetadata metadata) => new System.Text.Json.Nodes.JsonObject
            {
                ["resource"] = metadata.Resource,
                ["authorization_servers"] = new System.Text.Json.Nodes.JsonArray(metadata.Issuer),
            }).AllowAnonymous();
        }

        return app;
    }

    private static bool IsEmbedded(IConfiguration configuration) => new AuthOptions { Mode = configuration["Auth:Mode"] ?? "none" }.IsEmbedded;

    private static bool IsOff(IConfiguration configuration) => new AuthOptions { Mode = configuration["Auth:Mode"] ?? "none" }.IsOff;
}
