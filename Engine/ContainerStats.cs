using Docker.DotNet.Models;

namespace MinimalMcp.Engine;

/// <summary>What a container uses. What was not measured is null, and everything while it does not run.</summary>
/// <param name="CpuPercent">100 is one processor.</param>
/// <param name="MemoryBytes">Without files that are only cached, which is what `docker stats` shows.</param>
internal sealed record ContainerStats(
    bool Running,
    double? CpuPercent,
    long? MemoryBytes,
    long? MemoryLimitBytes,
    long? NetworkReceivedBytes,
    long? NetworkSentBytes,
    long? BlockReadBytes,
    long? BlockWrittenBytes,
    long? Processes
)
{
    public static ContainerStats Of(ContainerStatsResponse answer)
    {
        if (answer.Read.Year <= 1)
        {
            // For a container that does not run Docker answers the year 1, zeros and empty objects.
            return new(false, null, null, null, null, null, null, null, null);
        }

        return new(
            true,
            Cpu(answer.CPUStats, answer.PreCPUStats),
            Memory(answer.MemoryStats),
            Whole(answer.MemoryStats?.Limit),
            Sum(answer.Networks?.Values, network => network.RxBytes),
            Sum(answer.Networks?.Values, network => network.TxBytes),
            Blocks(answer.BlkioStats, "read"),
            Blocks(answer.BlkioStats, "write"),
            Whole(answer.PidsStats?.Current)
        );
    }

    // The share of all processors' time since the first sample, times their number.
    private static double? Cpu(CPUStats? now, CPUStats? before)
    {
        if (
            now?.SystemUsage is not { } system
            || before?.SystemUsage is not { } systemBefore
            || system <= systemBefore
            || now.CPUUsage is not { } used
            || before.CPUUsage is not { } usedBefore
        )
        {
            return null;
        }

        var processors = now.OnlineCPUs is { } online and > 0 ? (int)online : Math.Max(1, used.PercpuUsage?.Count ?? 1);
        var share = Math.Max(0.0, (double)used.TotalUsage - usedBefore.TotalUsage) / (system - systemBefore);
        return Math.Round(100.0 * share * processors, 2);
    }

    private static long? Memory(MemoryStats? memory)
    {
        if (memory?.Usage is not { } usage)
        {
            return null;
        }

        // cgroup v1 has the first, v2 only the second.
        var cached =
            memory.Stats?.TryGetValue("total_inactive_file", out var v1) is true ? v1
            : memory.Stats?.TryGetValue("inactive_file", out var v2) is true ? v2
            : 0;
        return Whole(usage > cached ? usage - cached : 0);
    }

    private static long? Blocks(BlkioStats? blocks, string operation) =>
        Sum(
            blocks?.IoServiceBytesRecursive?.Where(one => operation.Equals(one.Op, StringComparison.OrdinalIgnoreCase)),
            entry => entry.Value
        );

    private static long? Sum<T>(IEnumerable<T>? of, Func<T, ulong> number) => of?.Sum(one => Whole(number(one)));

    private static long? Whole(ulong? number) => number is { } known ? Whole(known) : null;

    // "No limit" is 2^64 - 1 on some machines.
    private static long Whole(ulong number) => number > long.MaxValue ? long.MaxValue : (long)number;
}
