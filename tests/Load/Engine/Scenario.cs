namespace MinimalMcp.Load;

/// <summary>What one user does, how many do it, and what must hold; made and changed with NBomber's names.</summary>
internal sealed record Scenario
{
    public required string Name { get; init; }
    public required Func<ScenarioContext, ValueTask<Response>> Run { get; init; }
    public IReadOnlyList<LoadSimulation> Simulations { get; init; } = [];
    public IReadOnlyList<string> Thresholds { get; init; } = [];

    /// <summary>Calls that are answered before anything is measured. With the load of the last simulation.</summary>
    public TimeSpan WarmUp { get; init; }

    /// <summary>
    /// How many calls of tools are in what was counted, for the comparison with the server's own counter.
    /// </summary>
    public Func<Stats, long> CallsIn { get; init; } = _ => 0;

    public static Scenario Create(string name, Func<ScenarioContext, ValueTask<Response>> run) =>
        new() { Name = name, Run = run };

    public Scenario WithWarmUpDuration(TimeSpan duration) => this with { WarmUp = duration };

    public Scenario WithLoadSimulations(params LoadSimulation[] simulations) => this with { Simulations = simulations };

    /// <summary>Each run calls one tool of the server; or, with a step, each run of that step.</summary>
    public Scenario WithToolCall(string? step = null) =>
        this with
        {
            CallsIn = stats => Answered(step is null ? stats : stats.Step(step)),
        };

    /// <summary>In the form of <see cref="Threshold"/>, without the scenario's name: <c>p99 &lt; 100 ms</c>.</summary>
    public Scenario WithThresholds(params string[] thresholds) => this with { Thresholds = thresholds };

    private static long Answered(Stats stats) => stats.Ok + stats.Fail;
}
