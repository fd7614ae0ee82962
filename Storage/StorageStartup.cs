namespace MinimalMcp.Storage;

/// <summary>
/// Opens the store in parallel with the rest of the start. The start completes when it is open, and fails when it
/// cannot be opened.
/// </summary>
internal sealed class StorageStartup(Store store, IServiceProvider services) : IHostedLifecycleService, IAsyncDisposable
{
    private Task _opening = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _opening = Task.Run(
            () => store.OpenAsync(services.GetService<ISubjectMigration>, cancellationToken),
            cancellationToken
        );
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// A start that failed elsewhere closes the store while it may still be opening; this is disposed before it, and
    /// waits.
    /// </summary>
    public async ValueTask DisposeAsync() => await _opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public Task StartedAsync(CancellationToken cancellationToken) => _opening;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
