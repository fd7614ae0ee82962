using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Hub.Callers;
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
        builder.Services.AddSettings<GitHubOptions>("GitHub");
        builder.Services.AddHttpClient("GitHubClient").AddTypedClient<FromGitHubClient>();
        builder.Services.AddSingleton<ServerRecords>();
        builder.Services.AddSingleton<ServerRegistry>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ServerRegistry>());
        builder.Services.AddSingleton<ConfiguredServerReader>();
        builder.Services.AddSingleton<IValidateOptions<HubOptions>>(services =>
            services.GetRequiredService<ConfiguredServerReader>()
        );
        builder.Services.AddHostedService<ChildUserCheck>();
        builder.Services.AddSingleton(BannerOf);
        builder.Services.AddSingleton<ConfiguredServers>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ConfiguredServers>());
        builder.Services.AddSingleton<JoinedTools>();
        builder.Services.AddSingleton<JoinedPrompts>();
        builder.Services.AddSingleton<ServerNames>();
        builder.Services.AddSingleton<ServerEvents>();
        builder.Services.AddSingleton<HubAudit>();
        builder.Services.AddSingleton<ProcessMarkers>();
        builder.Services.AddSingleton<HubMetrics>();
        builder.Services.AddSingleton<HubFigures>();
        builder.Services.AddSingleton<IStatusFigures>(services => services.GetRequiredService<HubFigures>());
        builder.Services.AddHostedService(services => services.GetRequiredService<HubFigures>());
        builder.Services.AddSingleton<OAuthRequests>();
        builder.Services.AddSingleton<OAuthDiscovery>();
        builder.Services.AddSingleton<HubAddress>();
        builder.Services.AddSingleton<UpstreamTokens>();
        builder.Services.AddSingleton<UpstreamSignIn>();
        builder.Services.AddSingleton<CallerSecrets>();
        builder.Services.AddSingleton<CallerConnections>();
        builder.Services.AddSingleton<Supervisor>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Supervisor>());
        return builder;
    }

    // Where a server could be registered that runs a command.
    private static BannerLine BannerOf(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<HubOptions>>().Value;
        var runs = options.CommandsWithoutAuth || !services.GetRequiredService<IOptions<AuthOptions>>().Value.IsOff;
        return new(
            "MCP servers",
            runs && options.CommandNames.Count > 0 && options.RunAs is null
                ? "with a command run as this server's own user, and can read its settings and store (set Hub:User)"
                : null
        );
    }

    /// <summary>Maps the routes that register, start and stop servers.</summary>
    public static IEndpointConventionBuilder MapHub(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1/servers"
    ) => HubRoutes.Map(routes, pattern);

    /// <summary>Maps the routes that list, create and revoke API keys.</summary>
    public static IEndpointConventionBuilder MapKeys(
        this IEndpointRouteBuilder routes,
        string pattern = "/api/v1/keys"
    ) => KeyRoutes.Map(routes, pattern);
}
