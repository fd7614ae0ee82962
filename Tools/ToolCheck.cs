namespace MinimalMcp.Tools;

/// <summary>
/// Tools are made when they are first needed, so that the server starts at once. This makes them beside the start: one
/// that cannot be made (a service that nobody registered, a parameter without a schema) is said in the log and taken
/// off the list, which it would break.
/// </summary>
internal sealed partial class ToolCheck(
    ToolRegistry registry,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<ToolCheck> logger
) : IHostedService
{
    // What only lists need, the output schemas, can wait: the first calls should not have to share the processor with
    // it.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    // Not a BackgroundService: one whose start is called off logs a stack, on top of the sentence that says why the
    // server did not start.
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
                return; // the start failed, and the services are gone
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

    [LoggerMessage(LogLevel.Error, "The tool {Tool} cannot be used and is not listed")]
    private static partial void LogBroken(ILogger logger, Exception exception, string tool);
}
