namespace MinimalMcp.Load;

/// <summary>Everything a run found out; report.json is this record.</summary>
internal sealed record LoadReport
{
    public required DateTimeOffset Started { get; init; }
    public required string Machine { get; init; }
    public required string Target { get; init; }
    public double Seconds { get; set; }
    public List<ScenarioFigures> Scenarios { get; init; } = [];
    public List<ServerFigures> Servers { get; init; } = [];
    public List<Figure> Figures { get; init; } = [];
    public List<LeftOut> LeftOut { get; init; } = [];
    public List<ThresholdResult> Thresholds { get; init; } = [];
    public List<Difference> Differences { get; init; } = [];

    /// <summary>
    /// The tool calls of the scenarios, and what the server itself counted meanwhile, where it says so.
    /// </summary>
    public CallCounts? Counted { get; set; }

    public bool Passed =>
        Thresholds.All(threshold => threshold.Met) && !Differences.Any(difference => difference.Fails);
}

/// <summary>What a scenario or a step came to. Latencies are in milliseconds.</summary>
internal sealed record ScenarioFigures(
    string Name,
    string Load,
    long Ok,
    long Failed,
    double Rate,
    double Mean,
    double P50,
    double P75,
    double P95,
    double P99,
    double P999,
    double Max,
    long Bytes,
    IReadOnlyDictionary<string, long> Failures,
    IReadOnlyList<ScenarioFigures> Steps,
    IReadOnlyList<Point> Series,
    IReadOnlyList<PercentilePoint> Percentiles
)
{
    private static readonly double[] Drawn =
    [
        0.1,
        10,
        25,
        50,
        75,
        90,
        95,
        98,
        99,
        99.5,
        99.9,
        99.95,
        99.99,
        99.999,
        100,
    ];

    /// <summary>In percent.</summary>
    public double Fail => Ok + Failed == 0 ? 0 : 100.0 * Failed / (Ok + Failed);

    public static ScenarioFigures Of(ScenarioRun run) =>
        Of(run.Scenario.Name, string.Join(", then ", run.Scenario.Simulations), run.Stats, run.Duration);

    /// <summary>A threshold's metric; null when there is no such one.</summary>
    public double? Metric(string name) =>
        name switch
        {
            "rate" => Rate,
            "mean" => Mean,
            "p50" => P50,
            "p75" => P75,
            "p95" => P95,
            "p99" => P99,
            "p99.9" => P999,
            "max" => Max,
            "ok" => Ok,
            "errors" => Failed,
            "fail" => Fail,
            _ => null,
        };

    private static ScenarioFigures Of(string name, string load, Stats stats, TimeSpan during)
    {
        var latencies = stats.Latencies;
        return new(
            name,
            load,
            stats.Ok,
            stats.Fail,
            stats.Ok / during.TotalSeconds,
            latencies.Mean.TotalMilliseconds,
            At(50),
            At(75),
            At(95),
            At(99),
            At(99.9),
            latencies.Max.TotalMilliseconds,
            stats.Bytes,
            stats.Failures,
            [.. stats.Steps.Select(step => Of(step.Name, load, step.Stats, during))],
            stats.Series,
            // As far as there were calls to tell.
            [
                .. Drawn
                    .Where(percent => percent >= 100 || latencies.Count * (100 - percent) >= 100)
                    .Select(percent => new PercentilePoint(percent, At(percent))),
            ]
        );

        double At(double percent) => latencies.Percentile(percent).TotalMilliseconds;
    }
}

internal sealed record PercentilePoint(double Percent, double Milliseconds);

/// <summary>One number with a name that a threshold can ask for.</summary>
/// <param name="Low">Of the rounds that the value is the median of, as is <paramref name="High"/>.</param>
internal sealed record Figure(
    string Name,
    double Value,
    string Unit,
    string What,
    double? Low = null,
    double? High = null
);

/// <summary>Calls of tools: those that were sent, warm-up included, and those that the server counted.</summary>
internal sealed record CallCounts(long Sent, double Server);
