namespace MinimalMcp.Load;

/// <summary>The tables of a report; Markdown and HTML draw the same ones.</summary>
/// <param name="Marks">A row that failed, by its number.</param>
internal sealed record Table(string Title, string Note, string[] Head, List<string[]> Rows, HashSet<int> Marks)
{
    public static IEnumerable<Table> Of(LoadReport report) =>
        new[]
        {
            Make(
                "Thresholds",
                "They decide the exit code; that of scripts/bench only with --assert.",
                ["", "threshold", "measured"],
                report
                    .Thresholds.OrderBy(row => row.Met)
                    .Select(row =>
                        (
                            !row.Met,
                            new[]
                            {
                                row.Met ? "met" : "BROKEN",
                                row.Text,
                                row.Value is null ? "not measured"
                                : row.Text.StartsWith(row.Name + " ", StringComparison.Ordinal)
                                    ? Words.Number(row.Value)
                                : $"{row.Name}: {Words.Number(row.Value)}",
                            }
                        )
                    )
            ),
            Make(
                "Scenarios",
                "All at once. Latencies are in milliseconds, of calls that went well, from the moment at which they "
                    + "were due (bucket error below 0.4 %).",
                ["scenario", "load", "ok", "failed", "per s", "mean", "p50", "p95", "p99", "p99.9", "max"],
                report.Scenarios.SelectMany(scenario =>
                    scenario
                        .Steps.Select(step => (step.Failed > 0, Row(step, "– " + step.Name, "")))
                        .Prepend((scenario.Failed > 0, Row(scenario, scenario.Name, scenario.Load)))
                )
            ),
            Make(
                "Failures",
                "By what was answered.",
                ["scenario", "calls", "reason"],
                report.Scenarios.SelectMany(scenario =>
                    scenario
                        .Failures.OrderByDescending(failure => failure.Value)
                        .Select(failure => (true, new[] { scenario.Name, Words.Number(failure.Value), failure.Key }))
                )
            ),
            Make(
                "Against bare Kestrel",
                "The same call to each server by turns; medians of the rounds. × is the ratio to bare Kestrel in the "
                    + "same round.",
                [
                    "server",
                    "call",
                    "per s",
                    "×",
                    "p50 ms",
                    "×",
                    "p99 ms",
                    "×",
                    "CPU µs",
                    "×",
                    "allocated B",
                    "RSS MiB",
                    "failed",
                ],
                report.Servers.Select(row =>
                    (
                        row.Errors > 0,
                        new[]
                        {
                            row.Server,
                            row.Call,
                            Words.Number(row.Rate.Value),
                            Words.Number(row.Rate.Ratio),
                            Words.Number(row.P50.Value),
                            Words.Number(row.P50.Ratio),
                            Words.Number(row.P99.Value),
                            Words.Number(row.P99.Ratio),
                            Words.Number(row.Cpu.Value),
                            Words.Number(row.Cpu.Ratio),
                            Words.Number(row.Allocated.Value),
                            Words.Number(row.Rss / (1 << 20)),
                            Words.Number(row.Errors),
                        }
                    )
                )
            ),
            Make(
                "Figures",
                "Thresholds can name them. Where there were rounds: the median, and the lowest and highest round.",
                ["name", "value", "what it is"],
                report.Figures.Select(figure => (false, new[] { figure.Name, Words.With(figure), figure.What }))
            ),
            Make(
                "Against an earlier run",
                "A difference within the noise means nothing: it is two standard errors from the seconds of both "
                    + "runs, or how far the rounds of both lie apart.",
                ["figure", "before", "now", "difference", "noise", ""],
                report.Differences.Select(row =>
                    (
                        row.Fails,
                        new[]
                        {
                            row.Name,
                            Words.With(row.Before, row.Unit),
                            Words.With(row.Now, row.Unit),
                            Words.Percent(row.Percent),
                            row.NoisePercent is { } noise ? $"± {Words.Number(noise)} %" : "not known",
                            row.Fails ? "REGRESSION" : row.Verdict,
                        }
                    )
                )
            ),
            Make(
                "Left out",
                "What was not measured, and why.",
                ["what", "why"],
                report.LeftOut.Select(left => (false, new[] { left.Name, left.Why }))
            ),
        }.Where(table => table.Rows.Count > 0);

    private static Table Make(string title, string note, string[] head, IEnumerable<(bool Marked, string[] Cells)> rows)
    {
        var all = rows.ToList();
        return new(
            title,
            note,
            head,
            [.. all.Select(row => row.Cells)],
            [.. Enumerable.Range(0, all.Count).Where(i => all[i].Marked)]
        );
    }

    private static string[] Row(ScenarioFigures figures, string name, string load) =>
        [
            name,
            load,
            Words.Number(figures.Ok),
            Words.Number(figures.Failed),
            Words.Number(figures.Rate),
            Words.Number(figures.Mean),
            Words.Number(figures.P50),
            Words.Number(figures.P95),
            Words.Number(figures.P99),
            Words.Number(figures.P999),
            Words.Number(figures.Max),
        ];
}
