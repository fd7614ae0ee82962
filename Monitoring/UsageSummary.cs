namespace MinimalMcp.Monitoring;

/// <summary>The figures of a time window, summed over all replicas.</summary>
/// <param name="Window">15m, 1h, 24h or 7d.</param>
/// <param name="Replica">The replica that answered.</param>
/// <param name="Tools">By tool, most calls first. The rest of too many is one row named <c>other</c>.</param>
/// <param name="Servers">By registered MCP server.</param>
/// <param name="Clients">By OAuth client, or else by caller.</param>
/// <param name="Series">The window in equal parts, oldest first, parts without calls too.</param>
/// <param name="Processes">Each replica that reported in the window: its last report.</param>
internal sealed record UsageSummary(
    string Window,
    DateTimeOffset From,
    DateTimeOffset To,
    string Replica,
    UsageRow Total,
    IReadOnlyList<UsageRow> Tools,
    IReadOnlyList<UsageRow> Families,
    IReadOnlyList<UsageRow> Servers,
    IReadOnlyList<UsageRow> Clients,
    SignInFigures SignIns,
    IReadOnlyList<ProcessFigures> Processes,
    long? StoreBytes,
    IReadOnlyList<UsagePoint> Series
);

/// <summary>Calls and their durations. Percentiles are null without calls.</summary>
/// <param name="Errors">Calls that failed or were cancelled.</param>
/// <param name="Refusals">Calls that governance refused.</param>
internal sealed record UsageRow(
    string Name,
    long Calls,
    long Errors,
    long Refusals,
    double? P50Ms,
    double? P95Ms,
    double? P99Ms
)
{
    /// <summary>Of a tool.</summary>
    public string? Family { get; init; }

    /// <summary>The registered server of a tool, if it is not ours.</summary>
    public string? Server { get; init; }
}

/// <summary>Credentials that were accepted and refused.</summary>
internal sealed record SignInFigures(long Succeeded, long Failed, IReadOnlyList<SignInFailures> Reasons);

/// <param name="Reason">The outcome in <c>mcp_auth_attempts_total</c>.</param>
internal sealed record SignInFailures(string Reason, long Count);

/// <summary>What a replica's process uses.</summary>
/// <param name="CpuPercent">Of all processors, in the last minute.</param>
internal sealed record ProcessFigures(
    string Replica,
    DateTimeOffset At,
    long MemoryBytes,
    double CpuPercent,
    int Threads,
    long Sessions
);

/// <summary>One part of the window, for charts.</summary>
/// <param name="At">When it began.</param>
/// <param name="CpuPercent">The highest of all replicas; null while none reported. So is the memory.</param>
internal sealed record UsagePoint(
    DateTimeOffset At,
    long Calls,
    long Errors,
    long Refusals,
    double? P50Ms,
    double? P95Ms,
    double? P99Ms,
    long SignInFailures,
    double? CpuPercent,
    long? MemoryBytes
);
