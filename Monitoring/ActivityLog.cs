namespace MinimalMcp.Monitoring;

/// <summary>What happened on all replicas, newest first: the audit log as events.</summary>
internal sealed class ActivityLog
{
    public Task<ActivityPage> ReadAsync(ActivityFilter filter, CancellationToken cancellationToken) =>
        Task.FromResult(new ActivityPage([], null));
}
