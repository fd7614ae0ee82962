using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>What is added to the SDK's own <c>AddMcpServer().WithHttpTransport()</c> and <c>MapMcp()</c>.</summary>
public static class McpSetup
{
    /// <summary>
    /// Puts the direct path and the strict checks in front of the SDK's server. Prompts and resources of this assembly
    /// are the SDK's, tools come from the registry.
    /// </summary>
    public static IMcpServerBuilder WithDirectPath(this IMcpServerBuilder mcp)
    {
        var services = mcp.Services;
        services.AddSettings<McpOptions>("Mcp");
        services.AddSingleton<JsonRpcMetrics>();
        services.AddSingleton<ListChangeNotifier>();
        services.AddSingleton<IToolScopes, ToolScopes>();
        services.AddSingleton<ScopeChallenge>();
        services.AddSingleton<SdkPath>();
        services.AddSingleton<SdkEndpoints>();
        services.AddSingleton<DirectPath>();
        services.AddSingleton<SessionIds>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<ISessionMigrationHandler>(provider => provider.GetRequiredService<Sessions>());
        services.AddHostedService(provider => provider.GetRequiredService<Sessions>());
        services.AddSingleton<IStatusFigures>(provider => provider.GetRequiredService<Sessions>());
        services.AddSingleton<ISessionSource>(provider => provider.GetRequiredService<Sessions>());
        services.AddSingleton<McpEndpoint>();
        services.AddSingleton<SseEndpoint>();
        services.AddSingleton<LineServices>();
        services.AddSingleton<SdkHandlers>();
        services.AddSingleton<JoinedContent>();
        services.AddSingleton<CallerQuestions>();
        services.AddSingleton<SanitizedMessages>();

        // By the provider: MapMcp() makes what configures the options, before wrong settings can be explained.
        services
            .AddOptions<McpServerOptions>()
            .Configure<IConfiguration, IServiceProvider>(Introduce)
            .PostConfigure<IServiceProvider>((server, own) => own.GetRequiredService<SdkHandlers>().AddTo(server));

        services.Configure<HttpServerTransportOptions>(http =>
        {
            http.SessionMode = HttpServerSessionMode.StatefulForInitializeClients; // 2026-07-28 has no sessions
            http.IdleTimeout = Timeout.InfiniteTimeSpan; // Sessions ends them: it sees those of the direct path too
        });

        // A family that is off has not registered its class; its prompts and resources are off with it.
        var environment = services.Select(service => service.ImplementationInstance).OfType<IHostEnvironment>().First();
        var assemblies = ApplicationAssemblies.Of(environment);
        var types = services
            .Select(service => service.ServiceType)
            .Where(type => assemblies.Contains(type.Assembly))
            .Distinct()
            .ToArray();
        mcp.WithPrompts(types.Where(type => type.IsDefined(typeof(McpServerPromptTypeAttribute))));
        mcp.WithResources(types.Where(type => type.IsDefined(typeof(McpServerResourceTypeAttribute))));
        return mcp;
    }

    /// <summary>Wraps the SDK's <c>MapMcp()</c>: its endpoints get what the direct path cannot answer.</summary>
    public static IEndpointConventionBuilder WithDirectPath(this IEndpointConventionBuilder mcp)
    {
        mcp.Add(endpoint =>
        {
            // Made with the first request: the server listens while the tools are still being put together.
            var front = new Lazy<McpEndpoint>(endpoint.ApplicationServices.GetRequiredService<McpEndpoint>);
            var sdk = endpoint.ApplicationServices.GetRequiredService<SdkEndpoints>();
            var method = endpoint.Metadata.OfType<HttpMethodMetadata>().Last().HttpMethods[0];
            if (method == HttpMethods.Get)
            {
                endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
            }

            endpoint.RequestDelegate = sdk.Wrap(method, endpoint.RequestDelegate!, front);
        });
        mcp.Finally(endpoint =>
        {
            foreach (var accepts in endpoint.Metadata.OfType<IAcceptsMetadata>().ToArray())
            {
                endpoint.Metadata.Remove(accepts); // routing would refuse other types without a JSON-RPC error
            }
        });
        return mcp.AllowGuests();
    }

    /// <summary>Maps HTTP+SSE of revision 2024-11-05: the stream, and where messages are posted to.</summary>
    public static IEndpointConventionBuilder MapMcpSse(this IEndpointRouteBuilder routes, string pattern = "/sse")
    {
        var endpoint = new Lazy<SseEndpoint>(routes.ServiceProvider.GetRequiredService<SseEndpoint>);
        var group = routes.MapGroup("");
        group.MapGet(pattern, http => endpoint.Value.GetAsync(http));
        group.MapMethods(pattern, [HttpMethods.Head], EventStream.AnswerHead);
        group.MapPost("/message", http => endpoint.Value.PostAsync(http));
        return group.AllowGuests();
    }

    /// <summary>Serves standard input and output instead of HTTP.</summary>
    public static IHostApplicationBuilder AddMcpStdio(this IHostApplicationBuilder builder)
    {
        // Before the other services: clients give up when the first answer takes 5 seconds.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, StdioServer>());
        builder.Services.AddSingleton<IServer, NoListener>();
        return builder;
    }

    private static void Introduce(McpServerOptions server, IConfiguration configuration, IServiceProvider provider)
    {
        var assembly = typeof(McpSetup).Assembly.GetName();
        var name = configuration["Server:Name"] ?? assembly.Name!;
        // Over stdio there is no address but a configured one.
        var url = configuration["mode"] is "stdio" ? PublicUrl.Configured(configuration) : PublicUrl.Fixed(provider);
        server.ServerInfo = new Implementation
        {
            Name = name,
            Title = name,
            Version = configuration["Server:Version"] ?? assembly.Version!.ToString(3),
            Description = configuration["Server:Description"],
            WebsiteUrl = url is null ? null : url + "/",
            Icons =
            [
                new()
                {
                    Source = url is null ? ServerIcon.DataUri : url + "/logo.svg",
                    MimeType = ServerIcon.Type,
                    Sizes = ["any"],
                },
            ],
        };
        server.ServerInstructions = provider.GetRequiredService<IOptions<McpOptions>>().Value.Instructions;
    }

    // Over stdio nothing listens: the host that started us is the only one to talk to.
    private sealed class NoListener : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose() { }
    }
}

/// <summary>The SDK's endpoints, which are the same on every path that they are mapped to.</summary>
internal sealed class SdkEndpoints
{
    public RequestDelegate Post { get; private set; } = _ => Task.CompletedTask;

    public RequestDelegate Get { get; private set; } = _ => Task.CompletedTask;

    public RequestDelegate Delete { get; private set; } = _ => Task.CompletedTask;

    public RequestDelegate Wrap(string method, RequestDelegate sdk, Lazy<McpEndpoint> front)
    {
        switch (method)
        {
            case "GET":
                Get = sdk;
                return http => front.Value.GetAsync(http, sdk);
            case "DELETE":
                Delete = sdk;
                return http => front.Value.DeleteAsync(http);
            default:
                Post = sdk;
                return http => front.Value.PostAsync(http, sdk);
        }
    }
}
