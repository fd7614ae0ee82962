using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// How many calls await approval, on all replicas. Read from the store every few seconds where
/// <c>Governance:Approve</c> asks for approvals, because an instrument must answer at once.
/// </summary>
internal sealed class ApprovalMetrics(
    Store store,
    IOptions<GovernanceOptions> options,
    IMeterFactory meters,
    TimeProvider time
) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private long _pending = -1;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Approve is not { Length: > 0 })
        {
            return;
        }

        meters
            .Create("MinimalMcp.Approvals")
            .CreateObservableGauge("mcp_approvals_pending", Read, null, "Tool calls that await approval.");
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            do
            {
                Volatile.Write(ref _pending, await CountAsync(stoppingToken));
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    // None is reported while the number is unknown.
    private Measurement<long>[] Read() =>
        Volatile.Read(ref _pending) is >= 0 and var pending ? [new Measurement<long>(pending)] : [];

    private async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await store.CountApprovalsAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), cancellationToken);
        }
        catch (StorageException)
        {
            return -1;
        }
    }
}
