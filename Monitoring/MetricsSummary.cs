using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>Reads the figures of a time window, of all replicas.</summary>
internal sealed class MetricsSummary(UsageWriter writer, Store store, TimeProvider time) : IDisposable
{
    // Rows, the parts of the series, and how long an answer is good enough.
    private static readonly Dictionary<string, (TimeSpan Row, TimeSpan Part, int Parts, TimeSpan Fresh)> Shapes = new()
    {
        ["15m"] = (Periods.Minute, Periods.Minute, 15, TimeSpan.FromSeconds(1)),
        ["1h"] = (Periods.Minute, Periods.Minute, 60, TimeSpan.FromSeconds(1)),
        ["24h"] = (Periods.TenMinutes, TimeSpan.FromMinutes(30), 48, TimeSpan.FromSeconds(15)),
        ["7d"] = (Periods.TenMinutes, TimeSpan.FromHours(2), 84, TimeSpan.FromMinutes(1)),
    };

    // A replica that has not reported for longer is not there any more.
    private static readonly TimeSpan Gone = TimeSpan.FromMinutes(3);

    private readonly SemaphoreSlim _reading = new(1);
    private readonly Dictionary<string, (long At, UsageSummary Summary)> _read = [];

    /// <summary>The windows that can be read.</summary>
    public static IReadOnlyCollection<string> Windows => Shapes.Keys;

    /// <summary>The same answer for all who ask within a second, or a minute for a week.</summary>
    /// <param name="window">One of <see cref="Windows"/>.</param>
    public async Task<UsageSummary> ReadAsync(string window, CancellationToken cancellationToken)
    {
        var shape = Shapes[window];
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_read.TryGetValue(window, out var read) && time.GetElapsedTime(read.At) < shape.Fresh)
            {
                return read.Summary;
            }

            var to = time.GetUtcNow();
            var from = to.Floor(shape.Part) - (shape.Part * (shape.Parts - 1));
            var periods = await PeriodsAsync(shape.Row, from, cancellationToken);
            var summary = Sum(window, from, to, shape.Row, shape.Part, shape.Parts, periods) with
            {
                StoreBytes = await store.SizeAsync(cancellationToken),
            };
            _read[window] = (time.GetTimestamp(), summary);
            return summary;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    // What is in memory stands for what was written of the same time: it is newer.
    private async Task<List<(string Replica, UsagePeriod Period)>> PeriodsAsync(
        TimeSpan length,
        DateTimeOffset from,
        CancellationToken cancellationToken
    )
    {
        var own = writer.Unwritten(length);
        var times = own.Select(period => period.At).ToHashSet();
        var rows = await store.ReadMetricsAsync(
            (long)length.TotalSeconds,
            from.ToUnixTimeMilliseconds(),
            cancellationToken
        );
        return
        [
            .. rows.Select(row => (row.Replica, At: DateTimeOffset.FromUnixTimeMilliseconds(row.At), row.Figures))
                .Where(row => row.Replica != writer.ReplicaId || !times.Contains(row.At))
                .Select(row => (row.Replica, UsagePeriod.Parse(row.At, row.Figures))),
            .. own.Where(period => period.At >= from).Select(period => (writer.ReplicaId, period)),
        ];
    }

    private static UsageSummary Sum(
        string window,
        DateTimeOffset from,
        DateTimeOffset to,
        TimeSpan row,
        TimeSpan part,
        int parts,
        List<(string Replica, UsagePeriod Period)> periods
    )
    {
        var all = new UsagePeriod(from);
        var series = Enumerable.Range(0, parts).Select(i => new UsagePeriod(from + (part * i))).ToArray();
        var uses = new ProcessUse?[parts];
        foreach (var (_, period) in periods)
        {
            all.Add(period);
            var index = (int)((period.At - from) / part);
            if (index < parts)
            {
                series[index].Add(period);
                uses[index] = Highest(uses[index], period.Process);
            }
        }

        var (total, signIns) = (Total(all.Tools), all.SignIns);
        return new(
            window,
            from,
            to,
            Replica.Name,
            Row("total", total),
            Rows(all.Tools.All.Select(tool => (tool.Key, tool.Value)), isTool: true),
            Rows(Groups(all.Tools, count => count.Family)),
            Rows(Groups(all.Tools, count => count.Server)),
            Rows(all.Clients.All.Select(client => (client.Key, client.Value))),
            new(
                signIns.GetValueOrDefault(AuthAttempts.Ok),
                FailedSignIns(all),
                [
                    .. signIns
                        .Where(outcome => outcome.Key != AuthAttempts.Ok)
                        .OrderByDescending(outcome => outcome.Value)
                        .Select(outcome => new SignInFailures(outcome.Key, outcome.Value)),
                ]
            ),
            Processes(periods, to, row),
            null,
            [.. series.Select((one, index) => Point(one, uses[index]))]
        );
    }

    private static ProcessUse? Highest(ProcessUse? one, ProcessUse? other) =>
        one is null || other is null
            ? one ?? other
            : new(
                Math.Max(one.MemoryBytes, other.MemoryBytes),
                Math.Max(one.CpuPercent, other.CpuPercent),
                Math.Max(one.Threads, other.Threads),
                Math.Max(one.Sessions, other.Sessions)
            );

    private static UsageCount Total(UsageTable table)
    {
        var total = new UsageCount("", "");
        foreach (var (_, count) in table.All)
        {
            total.Add(count);
        }

        return total;
    }

    private static IEnumerable<(string, UsageCount)> Groups(UsageTable tools, Func<UsageCount, string> by)
    {
        var groups = new Dictionary<string, UsageCount>(StringComparer.Ordinal);
        foreach (var (_, count) in tools.All.Where(tool => by(tool.Value).Length > 0))
        {
            if (!groups.TryGetValue(by(count), out var group))
            {
                groups[by(count)] = group = new("", "");
            }

            group.Add(count);
        }

        return groups.Select(group => (group.Key, group.Value));
    }

    private static UsageRow[] Rows(IEnumerable<(string Name, UsageCount Count)> counts, bool isTool = false) =>
        [
            .. counts
                .Where(row => row.Count.Calls > 0)
                .Select(row =>
                    Row(row.Name, row.Count) with
                    {
                        Family = isTool && row.Count.Family.Length > 0 ? row.Count.Family : null,
                        Server = isTool && row.Count.Server.Length > 0 ? row.Count.Server : null,
                    }
                )
                .OrderByDescending(row => row.Calls)
                .ThenBy(row => row.Name, StringComparer.Ordinal),
        ];

    private static UsageRow Row(string name, UsageCount count) =>
        new(
            SanitizedText.Show(name),
            count.Calls,
            count.Errors,
            count.Refusals,
            count.Durations.Percentile(0.5),
            count.Durations.Percentile(0.95),
            count.Durations.Percentile(0.99)
        );

    private static UsagePoint Point(UsagePeriod period, ProcessUse? use)
    {
        var row = Row("", Total(period.Tools));
        return new(
            period.At,
            row.Calls,
            row.Errors,
            row.Refusals,
            row.P50Ms,
            row.P95Ms,
            row.P99Ms,
            FailedSignIns(period),
            use?.CpuPercent,
            use?.MemoryBytes
        );
    }

    private static long FailedSignIns(UsagePeriod period) =>
        period.SignIns.Where(outcome => outcome.Key != AuthAttempts.Ok).Sum(outcome => outcome.Value);

    private static ProcessFigures[] Processes(
        List<(string Replica, UsagePeriod Period)> periods,
        DateTimeOffset now,
        TimeSpan length
    ) =>
        [
            .. periods
                .Where(report => report.Period.Process is not null)
                .GroupBy(report => report.Replica)
                .Select(reports => (Replica: reports.Key, reports.MaxBy(report => report.Period.At).Period))
                .Where(last => now - last.Period.At < Gone + length)
                .Select(last => new ProcessFigures(
                    Replica.NameOf(last.Replica),
                    last.Period.At,
                    last.Period.Process!.MemoryBytes,
                    last.Period.Process.CpuPercent,
                    last.Period.Process.Threads,
                    last.Period.Process.Sessions
                ))
                .OrderBy(process => process.Replica, StringComparer.Ordinal),
        ];
}
