using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>
/// Between the signal to end and the end: readiness is false from the first moment, and for <see cref="ServerOptions.DrainDelay"/> the server goes on
/// listening, until whoever sends it requests has noticed. Then calls under way are finished.
/// </summary>
internal sealed class Drain(IOptions<ServerOptions> options, TimeProvider time) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) =>
        options.Value.DrainDelay > TimeSpan.Zero ? Task.Delay(options.Value.DrainDelay, time, cancellationToken) : Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
