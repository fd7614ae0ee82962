using MinimalMcp.Configuration;
using MinimalMcp.Hub.Processes;
using MinimalMcp.Hub.SignIn;

namespace MinimalMcp.Hub;

/// <summary>Other MCP servers: registered, started, supervised, their tools joined to ours.</summary>
public static class HubSetup
{
    /// <summary>Adds the hub.</summary>
    public static IHostApplicationBuilder AddHub(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<HubOptions>("Hub");
        builder.Services.AddSingleton<ServerRecords>();
        builder.Services.AddSingleton<ServerRegistry>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ServerRegistry>());
        builder.Services.AddSingleton<JoinedTools>();
        builder.Services.AddSingleton<ProcessMarkers>();
        builder.Services.AddSingleton<OAuthRequests>();
        builder.Services.AddSingleton<OAuthDiscovery>();
        builder.Services.AddSingleton<UpstreamTokens>();
        builder.Services.AddSingleton<UpstreamSignIn>();
        builder.Services.AddSingleton<Supervisor>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Supervisor>());
        return builder;
    }

    /// <summary>Maps the routes that register, start and stop servers.</summary>
    public static IEndpointConventionBuilder MapHub(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1/servers"
    ) => HubRoutes.Map(routes, pattern);
}
