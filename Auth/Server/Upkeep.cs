using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>From time to time: removes what has expired, and looks whether it is time for a new key.</summary>
internal sealed partial class Upkeep(Store store, SigningKeys keys, TimeProvider time, ILogger<Upkeep> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            try
            {
                await keys.ReadAsync(stoppingToken);
                await store.PruneOAuthAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), stoppingToken);
            }
            catch (StorageException gone)
            {
                LogGone(gone.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(LogLevel.Warning, "The authorization server's upkeep has to wait: {Problem}")]
    private partial void LogGone(string problem);
}
