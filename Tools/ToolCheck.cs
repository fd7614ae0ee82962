namespace MinimalMcp.Tools;

/// <summary>
/// Tools are made when they are first needed, so that the server starts at once. This makes them all a moment after it is up: one that cannot
/// be made (a service that nobody registered, a parameter without a schema) is said in the log and taken off the list, which it would break.
/// </summary>
internal sealed partial class ToolCheck(ToolRegistry registry, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ToolCheck> logger) : BackgroundService
{
    // The first calls should not have to share the processor with this.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(Moment, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var tool in stoppingToken.IsCancellationRequested ? [] : registry.Current.All)
        {
            try
            {
                _ = tool.Definition;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                LogBroken(logger, failure, tool.Name);
                registry.Remove(tool.Name);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "The tool {Tool} cannot be used and is not listed")]
    private static partial void LogBroken(ILogger logger, Exception exception, string tool);
}
