using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

public static class McpSetup
{
    /// <summary>The protocol: prompts and resources of this assembly through the SDK, tools through the registry.</summary>
    public static IMcpServerBuilder AddMcp(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<McpOptions>("Mcp");
        services.AddSingleton<RpcMetrics>();
        services.AddSingleton<ListChanges>();
        services.AddSingleton<IToolScopes, ToolScopes>();
        services.AddSingleton<StepUp>();
        services.AddSingleton<SecuritySchemes>();
        services.AddSingleton<FullLane>();
        services.AddSingleton<FastLane>();
        services.AddSingleton<Sessions>();
        services.AddHostedService(provider => provider.GetRequiredService<Sessions>());
        services.AddSingleton<ModernEra>();
        services.AddSingleton<HandshakeEra>();
        services.AddSingleton<McpEndpoint>();
        services.AddSingleton<SseEndpoint>();
        var mcp = services.AddMcpServer();
        services.AddOptions<McpServerOptions>().Configure<IConfiguration, Microsoft.Extensions.Options.IOptions<McpOptions>>((server, configuration, options) =>
        {
            server.ServerInfo = new Implementation
            {
                Name = configuration["Server:Name"] ?? typeof(McpSetup).Assembly.GetName().Name!,
                Version = typeof(McpSetup).Assembly.GetName().Version!.ToString(3),
            };
            server.ServerInstructions = options.Value.Instructions;
        });

        // A family that is off has not registered its class; its prompts and resources are off with it.
        var types = typeof(McpSetup).Assembly.GetTypes().Where(type => services.Any(service => service.ServiceType == type)).ToArray();
        mcp.WithPrompts(types.Where(type => type.GetCustomAttribute<McpServerPromptTypeAttribute>() is not null));
        mcp.WithResources(types.Where(type => type.GetCustomAttribute<McpServerResourceTypeAttribute>() is not null));
        return mcp;
    }

    /// <summary>
    /// Maps Streamable HTTP. Name and shape are those of the SDK's ASP.NET Core package; where that can be used, this call stays as it is.
    /// </summary>
    public static IEndpointConventionBuilder MapMcp(this IEndpointRouteBuilder routes, string pattern = "/mcp")
    {
        // Made with the first request: the server listens while the tools are still being put together.
        var endpoint = new Lazy<McpEndpoint>(routes.ServiceProvider.GetRequiredService<McpEndpoint>);
        var group = routes.MapGroup(pattern);
        foreach (var path in (string[])["", "{profile}"])
        {
            group.MapPost(path, http => endpoint.Value.PostAsync(http));
            group.MapGet(path, http => endpoint.Value.GetAsync(http));
            group.MapDelete(path, http => endpoint.Value.DeleteAsync(http));
        }

        return group.AllowGuests();
    }

    /// <summary>Maps HTTP+SSE of revision 2024-11-05: the stream, and the endpoint that messages are posted to.</summary>
    public static IEndpointConventionBuilder MapMcpSse(this IEndpointRouteBuilder routes, string pattern = "/sse")
    {
        var endpoint = new Lazy<SseEndpoint>(routes.ServiceProvider.GetRequiredService<SseEndpoint>);
        var group = routes.MapGroup("");
        group.MapGet(pattern, http => endpoint.Value.GetAsync(http));
        group.MapPost("/message", http => endpoint.Value.PostAsync(http));
        return group.AllowGuests();
    }

    /// <summary>Serves standard input and output instead of HTTP.</summary>
    public static IHostApplicationBuilder AddMcpStdio(this IHostApplicationBuilder builder)
    {
        builder.Services.AddHostedService<StdioServer>();
        builder.Services.AddSingleton<IServer, NoListener>();
        return builder;
    }

    // Over stdio nothing listens: the host that started us is the only one to talk to.
    private sealed class NoListener : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
