using System.Diagnostics.Metrics;
using MinimalMcp.Configuration;

namespace MinimalMcp.Hub;

/// <summary>
/// How many servers there are and what they do: all for <c>/status</c>, and each for the metrics.
/// </summary>
internal sealed class HubFigures : IStatusFigures
{
    private readonly ServerRegistry _registry;
    private readonly Supervisor _supervisor;

    public HubFigures(ServerRegistry registry, Supervisor supervisor, IMeterFactory meters)
    {
        (_registry, _supervisor) = (registry, supervisor);
        var meter = meters.Create(HubMetrics.MeterName);
        meter.CreateObservableGauge(
            "mcp_hub_server_up",
            () => Each(state => state.Status is ServerStatus.Active ? 1L : 0L),
            null,
            "Whether a registered server is active on this replica: 1 or 0."
        );
        meter.CreateObservableCounter(
            "mcp_hub_server_restarts_total",
            () => Each(state => (long)state.RestartCount),
            null,
            "Restarts of a server after failures, since it was started."
        );
    }

    public IEnumerable<(string Name, long Value)> Read()
    {
        var statuses = _registry.Current.Select(server => _supervisor.State(server.Id).Status).ToArray();
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
            .. _registry.Current.Select(server => new Measurement<long>(
                value(_supervisor.State(server.Id)),
                new KeyValuePair<string, object?>("server", server.Name)
            )),
        ];
}
