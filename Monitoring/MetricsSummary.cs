namespace MinimalMcp.Monitoring;

/// <summary>Reads the figures of a time window.</summary>
internal sealed class MetricsSummary(TimeProvider time)
{
    /// <summary>The windows that can be read.</summary>
    public static readonly string[] Windows = ["15m", "1h", "24h", "7d"];

    /// <param name="window">One of <see cref="Windows"/>.</param>
    public Task<UsageSummary> ReadAsync(string window, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return Task.FromResult(
            new UsageSummary(
                window,
                now,
                now,
                Replica.Name,
                new UsageRow("total", 0, 0, 0, null, null, null),
                [],
                [],
                [],
                [],
                new SignInFigures(0, 0, []),
                [],
                null,
                []
            )
        );
    }
}
