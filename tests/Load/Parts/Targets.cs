namespace MinimalMcp.Load;

/// <summary>The limits that come with the measurements; the scenarios have theirs beside their load.</summary>
internal static class Targets
{
    /// <summary>
    /// Of the standard run: loose enough to hold on a machine that is shared, tight enough that a lost fast path breaks
    /// them. Processor time and allocation are the steady ones; rates swing with whatever else runs.
    /// </summary>
    public static readonly string[] Ratios =
    [
        "ratio.2025-11-25.cpu <= 2",
        "ratio.2026-07-28.cpu <= 2",
        "ratio.2025-11-25.governed.cpu <= 3",
        "ratio.2026-07-28.governed.cpu <= 3",
        "ratio.2025-11-25.rate >= 0.5",
        "ratio.2026-07-28.rate >= 0.5",
        "ratio.2025-11-25.governed.rate >= 0.3",
        "ratio.2026-07-28.governed.rate >= 0.3",
        "allocated.2025-11-25.governed <= 6 KiB",
        "allocated.2026-07-28.governed <= 6 KiB",
        "calls.errors <= 0",
    ];

    public static readonly string[] Tools = ["ratio.tools.call >= 0.7", "ratio.tools.list.bare.1000.cpu <= 2"];

    /// <summary>What scripts/bench is after; only --assert holds it to them.</summary>
    public static readonly string[] Bench =
    [
        "ratio.2025-11-25.rate >= 0.8",
        "ratio.2026-07-28.rate >= 0.8",
        "ratio.2025-11-25.cpu <= 1.4",
        "ratio.2026-07-28.cpu <= 1.4",
        "ratio.2025-11-25.governed.rate >= 0.65",
        "ratio.2026-07-28.governed.rate >= 0.65",
        "ratio.2025-11-25.governed.cpu <= 1.8",
        "ratio.2026-07-28.governed.cpu <= 1.8",
        "ratio.2025-11-25.governed.p99 <= 2.5",
        "ratio.2026-07-28.governed.p99 <= 2.5",
        "allocated.2025-11-25.governed <= 4 KiB",
        "allocated.2026-07-28.governed <= 4 KiB",
        "ratio.memory.server <= 1.3",
        "calls.errors <= 0",
    ];

    public const string Start = "ratio.start <= 1.6";

    public static readonly string[] Streams =
    [
        "streams.mcp.server.memory <= 24 KiB",
        "streams.sse.server.memory <= 24 KiB",
    ];

    public static readonly string[] Governed =
    [
        "ratio.governance.rate >= 0.75",
        "ratio.governance.tail <= 2",
        "writes.rate >= 4000 /s",
    ];
}
