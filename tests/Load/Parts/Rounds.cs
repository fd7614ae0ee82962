namespace MinimalMcp.Load;

/// <summary>
/// The same calls to several servers by turns, in the closed model, so that a machine that slows down slows all of
/// them.
/// </summary>
internal sealed class Rounds(Options options, Progress progress)
{
    public int Count { get; } = options.Rounds ?? (options.Seconds < 10 ? 1 : 3);
    public double Seconds { get; init; } = Math.Max(0.3, options.Seconds / 10);

    /// <summary>
    /// Long enough for the runtime to compile what is hot twice, the second time with what it has seen.
    /// </summary>
    public double WarmUp { get; private set; } = options.WarmUp ?? Math.Clamp(options.Seconds / 5, 0.3, 6);

    public async Task<List<CallRound>> MeasureAsync(
        IReadOnlyList<ServerProcess> servers,
        IReadOnlyList<Call> calls,
        int? connections = null
    )
    {
        var measured = new List<CallRound>();
        var plan =
            from round in Enumerable.Range(0, Count + 1)
            from call in calls
            from server in servers
            where !(server.LegacyOnly && call.Name == Call.Modern)
            select (round, call, server);
        foreach (var (round, call, server) in plan)
        {
            var during = TimeSpan.FromSeconds(round == 0 ? WarmUp : Seconds);
            var result = await MeasureAsync(server, call, connections ?? options.Connections, during);
            progress.Line(
                $"{(round == 0 ? "warm-up" : $"round {round}"), -8} {call.Name} {server.Name, -14} "
                    + $"{result.Rate, 8:N0}/s, {result.Failed} failed"
            );
            if (round > 0)
            {
                measured.Add(result);
            }
        }

        return measured;
    }

    /// <summary>For several measurements of the same servers: what they begin with is short from then on.</summary>
    public async Task WarmUpAsync(IEnumerable<ServerProcess> servers, Call call)
    {
        foreach (var server in servers)
        {
            await server.FirstAnswer(call);
            await MeasureAsync(server, call, options.Connections, TimeSpan.FromSeconds(WarmUp));
        }

        WarmUp = Math.Min(WarmUp, 1);
    }

    public static async Task<CallRound> MeasureAsync(ServerProcess server, Call call, int connections, TimeSpan during)
    {
        var allocated = await server.AllocatedAsync();
        var cpu = server.Cpu;
        var stats = await LoadRunner.KeepConstantAsync(server.Target.Request(call), connections, during);
        return new(
            server.Name,
            call.Name,
            stats,
            during,
            server.Cpu - cpu,
            server.Rss,
            await server.AllocatedAsync() - allocated
        );
    }
}

/// <summary>One server and one call in one round.</summary>
internal sealed record CallRound(
    string Server,
    string Call,
    Stats Stats,
    TimeSpan During,
    TimeSpan? CpuTime,
    long? Rss,
    long? AllocatedBytes
)
{
    public double Rate => Stats.Ok / During.TotalSeconds;
    public long Failed => Stats.Fail;
    public double P50 { get; } = Stats.Latencies.Percentile(50).TotalMilliseconds;
    public double P99 { get; } = Stats.Latencies.Percentile(99).TotalMilliseconds;

    /// <summary>Microseconds of processor time for each call.</summary>
    public double Cpu => (CpuTime?.TotalMicroseconds ?? double.NaN) / (Stats.Ok + Stats.Fail);

    /// <summary>Bytes for each call.</summary>
    public double Allocated => (AllocatedBytes ?? double.NaN) / (Stats.Ok + Stats.Fail);
}

internal static class Median
{
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>A figure of several rounds: their median, and how far they lay apart.</summary>
    public static Figure Figure(string name, string unit, string what, IEnumerable<double> rounds)
    {
        double[] all = [.. rounds.Where(double.IsFinite)];
        return new(name, Of(all), unit, what, all.Length > 1 ? all.Min() : null, all.Length > 1 ? all.Max() : null);
    }
}
