using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Configuration.Memory;

namespace MinimalMcp.Configuration;

/// <summary>
/// The settings of a server that is part of somebody's application: what is read is the same, and what happens to
/// requests happens to our own routes only. Logging, limits, proxies and the shutdown are the application's.
/// </summary>
internal static class HostedSetup
{
    /// <summary>Reads the settings, and names the application where they name nothing.</summary>
    public static WebApplicationBuilder AddHostedConfiguration(this WebApplicationBuilder builder)
    {
        var application = ApplicationAssemblies.Application(builder.Environment)?.GetName();
        builder.Configuration.Sources.Insert(
            0,
            new MemoryConfigurationSource
            {
                InitialData = new Dictionary<string, string?>
                {
                    ["Server:Name"] = builder.Environment.ApplicationName,
                    ["Server:Version"] = application?.Version?.ToString(3),
                }.Where(setting => setting.Value is not null),
            }
        );
        ConfigurationSetup.AddSettings(builder, isWholeProgram: false);
        if (!ListenCheck.IsSaid(builder.Configuration))
        {
            ConfigurationSetup.Listen(builder);
        }

        builder.Services.AddHostedService<OpenListenCheck>();
        return builder;
    }

    /// <summary>What happens to requests for our own routes.</summary>
    public static void UseHostedConfiguration(this WebApplication app)
    {
        app.UseWhen(HostedRoute.IsHit, ours =>
        {
            ours.UseExceptionHandler();
            ours.UseMiddleware<HostGuard>();
        });
        if (ConfigurationSetup.Origins(app.Configuration) is not null)
        {
            app.UseCors(); // for routes that have a policy, as ours do
        }
    }

    /// <summary>Marks our own routes, limits their bodies, and leaves the start page to the application.</summary>
    public static IEndpointConventionBuilder AddHostedConventions(
        this IEndpointConventionBuilder routes,
        IConfiguration configuration
    )
    {
        var hosted = new HostedRoute(
            long.TryParse(configuration["Server:MaxRequestBytes"], out var bytes)
                ? bytes
                : ServerOptions.DefaultMaxRequestBytes
        );
        routes.Add(endpoint =>
        {
            endpoint.Metadata.Add(hosted);
            if (endpoint is RouteEndpointBuilder { RoutePattern.PathSegments.Count: 0 } root)
            {
                root.Order++;
            }
        });
        return ConfigurationSetup.Origins(configuration) is { } origins ? routes.RequireCors(origins) : routes;
    }
}

/// <summary>Marks a route of ours in somebody's application. Routing sets the limit of the body.</summary>
internal sealed record HostedRoute(long? MaxRequestBodySize) : IRequestSizeLimitMetadata
{
    public static bool IsHit(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<HostedRoute>() is not null;
}

/// <summary>
/// Without authentication nobody but this machine may connect. An application may listen where no setting says so,
/// which <see cref="ListenCheck"/> cannot see.
/// </summary>
internal sealed class OpenListenCheck(IServer server, IConfiguration configuration) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var open = (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
            .Where(address => !ListenCheck.IsLoopback(address))
            .ToArray();
        return
            open.Length > 0 && (configuration["Auth:Mode"] ?? "none").Equals("none", StringComparison.OrdinalIgnoreCase)
            ? throw new StartupException(ListenCheck.OpenToAll(open))
            : Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
