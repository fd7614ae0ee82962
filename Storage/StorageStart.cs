namespace MinimalMcp.Storage;

/// <summary>Opens the store beside the start of everything else; the start ends when it is open, and fails when it cannot be.</summary>
internal sealed class StorageStart(Store store, ILogger<StorageStart> logger) : IHostedLifecycleService
{
    private Task _opening = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _opening = Task.Run(() => store.OpenAsync(cancellationToken), cancellationToken);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        await _opening;
        StorageLog.Opened(logger, store.Description);
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

internal static partial class StorageLog
{
    [LoggerMessage(LogLevel.Information, "The store is {Description}")]
    public static partial void Opened(ILogger logger, string description);
}
