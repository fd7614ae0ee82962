using System.Globalization;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>
/// Graceful shutdown: readiness fails at once, the server keeps listening for <see cref="ServerOptions.DrainDelay"/>
/// until load balancers have noticed, and then calls in progress complete.
/// </summary>
internal sealed class Drain(IOptions<ServerOptions> options, TimeProvider time) : IHostedLifecycleService
{
    // Longer than a call may take, and than a GPT Action waits (45 s).
    private static readonly TimeSpan LastCalls = TimeSpan.FromSeconds(50);

    public Task StoppingAsync(CancellationToken cancellationToken) =>
        options.Value.DrainDelay > TimeSpan.Zero
            ? Task.Delay(options.Value.DrainDelay, time, cancellationToken)
            : Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public static void Add(WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<Drain>();
        builder.Services.Configure<HostOptions>(host =>
            host.ShutdownTimeout = Delay(builder.Configuration) + LastCalls
        );
    }

    /// <summary>
    /// While draining, every response closes its connection (RFC 9112 section 9.6), so that a load balancer's next
    /// request goes to another replica.
    /// </summary>
    public static void Use(WebApplication app)
    {
        if (Delay(app.Configuration) == TimeSpan.Zero)
        {
            return;
        }

        var stopping = app.Lifetime.ApplicationStopping;
        app.Use(
            (http, next) =>
            {
                if (stopping.IsCancellationRequested && HttpProtocol.IsHttp11(http.Request.Protocol))
                {
                    http.Response.Headers.Connection = "close";
                }

                return next(http);
            }
        );
    }

    // An invalid value is reported with the other errors.
    private static TimeSpan Delay(IConfiguration configuration) =>
        TimeSpan.TryParse(configuration["Server:DrainDelay"], CultureInfo.InvariantCulture, out var delay)
        && delay > TimeSpan.Zero
            ? delay
            : TimeSpan.Zero;
}
