using System.Text.Json;

namespace MinimalMcp.Engine;

/// <summary>What a container uses. All is null while it does not run, and what the machine does not measure is null too.</summary>
/// <param name="CpuPercent">100 is one processor.</param>
/// <param name="MemoryBytes">Without files that are only cached, which is what `docker stats` shows.</param>
public sealed record ContainerStats(
    bool Running, double? CpuPercent, long? MemoryBytes, long? MemoryLimitBytes, long? NetworkReceivedBytes, long? NetworkSentBytes, long? BlockReadBytes, long? BlockWrittenBytes, long? Processes)
{
    public static ContainerStats Of(JsonElement answer)
    {
        // Of a container that does not run the engine says the beginning of time, zeros and empty objects.
        if (!(answer.ValueKind is JsonValueKind.Object && answer.TryGetProperty("read", out var read) && read.TryGetDateTimeOffset(out var at) && at.Year > 1))
        {
            return new(false, null, null, null, null, null, null, null, null);
        }

        return new(
            true,
            Cpu(answer),
            Number(answer, "memory_stats", "usage") is { } usage
                ? Math.Max(0, usage - (Number(answer, "memory_stats", "stats", "inactive_file") is { } v2 && Number(answer, "memory_stats", "stats", "total_inactive_file") is null
                    ? v2
                    : Number(answer, "memory_stats", "stats", "total_inactive_file") ?? 0)) // cgroup v2, and v1
                : null,
            Number(answer, "memory_stats", "limit"),
            Networks(answer, "rx_bytes"),
            Networks(answer, "tx_bytes"),
            Blocks(answer, "read"),
            Blocks(answer, "write"),
            Number(answer, "pids_stats", "current"));
    }

    // The share of all processors' time since the first sample, times their number.
    private static double? Cpu(JsonElement answer)
    {
        if (Number(answer, "cpu_stats", "cpu_usage", "total_usage") is not { } used || Number(answer, "precpu_stats", "cpu_usage", "total_usage") is not { } before
            || Number(answer, "cpu_stats", "system_cpu_usage") is not { } system || Number(answer, "precpu_stats", "system_cpu_usage") is not { } systemBefore || system <= systemBefore)
        {
            return null;
        }

        var processors = Number(answer, "cpu_stats", "online_cpus") is { } online and > 0 ? online
            : Find(answer, "cpu_stats", "cpu_usage", "percpu_usage") is { ValueKind: JsonValueKind.Array } each ? each.GetArrayLength() : 1;
        return Math.Round(100.0 * Math.Max(0, used - before) / (system - systemBefore) * processors, 2);
    }

    private static long? Networks(JsonElement answer, string direction) => Find(answer, "networks") is { ValueKind: JsonValueKind.Object } networks
        ? networks.EnumerateObject().Sum(network => Number(network.Value, direction) ?? 0)
        : null;

    private static long? Blocks(JsonElement answer, string operation) => Find(answer, "blkio_stats", "io_service_bytes_recursive") is { ValueKind: JsonValueKind.Array } entries
        ? entries.EnumerateArray().Where(entry => Find(entry, "op") is { ValueKind: JsonValueKind.String } op && string.Equals(op.GetString(), operation, StringComparison.OrdinalIgnoreCase)).Sum(entry => Number(entry, "value") ?? 0)
        : null;

    private static long? Number(JsonElement from, params ReadOnlySpan<string> path) => Find(from, path) is { ValueKind: JsonValueKind.Number } number
        ? number.TryGetInt64(out var whole) ? whole : long.MaxValue // "no limit" is 2^64 - 1 on some machines
        : null;

    private static JsonElement? Find(JsonElement from, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (from.ValueKind is not JsonValueKind.Object || !from.TryGetProperty(name, out from))
            {
                return null;
            }
        }

        return from;
    }
}
