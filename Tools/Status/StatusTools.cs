using System.ComponentModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Status;

/// <summary>
/// Shows a model which upstream systems there are and whether they answer, so that it does not guess why a call failed.
/// A family that needs an upstream brings an <see cref="IHealthCheck"/>; its data may have <c>authorised</c> and
/// <c>version</c>.
/// </summary>
[McpServerToolType]
internal sealed class StatusTools(
    HealthCheckService health,
    IOptions<HealthCheckServiceOptions> checks,
    IEnumerable<UnconfiguredFamily> off
)
{
    [McpServerTool(
        Name = "system_status",
        Title = "System status",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the upstream systems of this server. Returns whether each is configured, answers and accepts the"
            + " credentials, its version, and how to fix it. Use it when a tool failed for no clear reason."
    )]
    public async Task<StatusResult> SystemStatus(
        IProgress<ProgressNotificationValue> progress,
        CancellationToken ct = default
    )
    {
        var systems = checks.Value.Registrations;
        var step = progress.Steps(systems.Count);
        var entries = await Task.WhenAll(
            systems.Select(async system =>
            {
                var report = await health.CheckHealthAsync(one => one == system, ct);
                step($"Checked {system.Name}");
                return report.Entries.Single();
            })
        );
        var configured = entries.Select(entry => new SystemState(
            entry.Key,
            Configured: true,
            Reachable: entry.Value.Status is not HealthStatus.Unhealthy,
            Authorised: entry.Value.Data.GetValueOrDefault("authorised") as bool?,
            Version: entry.Value.Data.GetValueOrDefault("version") as string,
            Detail: entry.Value.Exception is OperationCanceledException
                ? $"It did not answer within {StatusSetup.Patience.TotalSeconds:0} seconds. Try again later."
                : entry.Value.Description
        ));
        return new([
            .. configured,
            .. off.Select(family => new SystemState(
                family.Family,
                Configured: false,
                Detail: $"Set {family.Section}:Url to enable it."
            )),
        ]);
    }
}
