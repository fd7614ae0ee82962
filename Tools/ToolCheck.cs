namespace MinimalMcp.Tools;

/// <summary>
/// Creates the tools in the background after the start, so that the server starts at once. A tool that cannot be
/// created (a missing service, a parameter without a schema) is logged and removed from the list.
/// </summary>
internal sealed partial class ToolCheck(
    ToolRegistry registry,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<ToolCheck> logger
) : IHostedService
{
    // Output schemas, which only lists need, come later: the first calls should not compete with them.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    // Not a BackgroundService: when its start is cancelled, it logs a stack trace in addition to the reason.
    private Task _work = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _work = Task.Run(() => CheckAsync(lifetime.ApplicationStopping), CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _work.WaitAsync(cancellationToken);

    private async Task CheckAsync(CancellationToken stoppingToken)
    {
        Each(tool => tool.Prepare(), stoppingToken);
        await Task.Delay(Moment, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Each(tool => _ = tool.Definition, stoppingToken);
    }

    private void Each(Action<Tool> make, CancellationToken stoppingToken)
    {
        foreach (var tool in Current().TakeWhile(_ => !stoppingToken.IsCancellationRequested))
        {
            try
            {
                make(tool);
            }
            catch (ObjectDisposedException)
            {
                return; // the start failed and the services are disposed
            }
            catch (Exception failure)
            {
                LogBroken(logger, failure, tool.Name);
                registry.Remove(tool.Name);
            }
        }
    }

    private IReadOnlyList<Tool> Current()
    {
        try
        {
            return registry.Current.All;
        }
        catch (ObjectDisposedException)
        {
            return [];
        }
    }

    [LoggerMessage(LogLevel.Error, "Tool creation failed, so the tool is not listed {Tool}")]
    private static partial void LogBroken(ILogger logger, Exception exception, string tool);
}
