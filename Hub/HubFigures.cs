using System.Diagnostics.Metrics;
using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>
/// How many servers there are and what they do: all for <c>/status</c>, and each for the metrics.
/// </summary>
internal sealed class HubFigures(ServerRegistry registry, Supervisor supervisor, IMeterFactory meters)
    : IStatusFigures,
        IHostedService
{
    /// <summary>From the start on, whether or not somebody asks for <c>/status</c>.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var meter = meters.Create(HubMetrics.MeterName);
        meter.CreateObservableGauge(
            "mcp_hub_server_up",
            () => Each(state => state.Status is ServerStatus.Active ? 1L : 0L),
            null,
            "Whether a server that should run is active on this replica: 1 or 0."
        );
        meter.CreateObservableCounter(
            "mcp_hub_server_restarts_total",
            () => Each(state => (long)state.RestartCount),
            null,
            "Restarts of a server after failures, since it was started."
        );
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public IEnumerable<(string Name, long Value)> Read()
    {
        var statuses = registry.Current.Select(server => supervisor.State(server.Id).Status).ToArray();
        var (active, errors) = (
            statuses.Count(status => status is ServerStatus.Active),
            statuses.Count(status => status is ServerStatus.Error)
        );
        return
        [
            ("total_servers", statuses.Length),
            ("active_servers", active),
            ("inactive_servers", statuses.Length - active - errors),
            ("error_servers", errors),
        ];
    }

    private Measurement<long>[] Each(Func<ServerState, long> value) =>
        [
            // One that was stopped is not down: it has no series, so that an alert can tell the two apart.
            .. from server in registry.Current
            let state = supervisor.State(server.Id)
            where state.Status is not ServerStatus.Inactive
            select new Measurement<long>(value(state), new KeyValuePair<string, object?>("server", server.Name)),
        ];
}
