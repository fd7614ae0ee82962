using System.Globalization;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>
/// Between the signal to end and the end: readiness is false from the first moment, and for <see
/// cref="ServerOptions.DrainDelay"/> the server goes on listening, until whoever sends it requests has noticed. Then
/// calls under way are finished.
/// </summary>
internal sealed class Drain(IOptions<ServerOptions> options, TimeProvider time) : IHostedLifecycleService
{
    // Longer than a call may take by itself, and than a GPT Action waits (45 s).
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
    /// While it drains, every answer ends its connection (RFC 9112, 9.6), so that a balancer's next request on it goes
    /// to another replica.
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

    // A value that cannot be read is told with the other errors, later.
    private static TimeSpan Delay(IConfiguration configuration) =>
        TimeSpan.TryParse(configuration["Server:DrainDelay"], CultureInfo.InvariantCulture, out var delay)
        && delay > TimeSpan.Zero
            ? delay
            : TimeSpan.Zero;
}
