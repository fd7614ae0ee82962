namespace MinimalMcp.Load;

/// <summary>Scenarios for one server. Every class with this interface is found: a file is enough to add some.</summary>
internal interface IScenarios
{
    IEnumerable<Scenario> For(LoadTest test);
}

/// <summary>What the scenarios are made for.</summary>
/// <param name="slow">The same server with a slow system behind its tools; null when it was not started here.</param>
/// <param name="tools">What the server lists; null when it did not say.</param>
internal sealed class LoadTest(Options options, Target target, Target? slow, IReadOnlyCollection<string>? tools)
{
    public Target Target => target;
    public Target? Slow => slow;

    /// <summary>Whether the server was there before, and may have something to lose.</summary>
    public bool Foreign => options.Url is not null && !options.Writes;
    public string Tool => options.Tool;
    public string Arguments => options.Arguments;
    public string WriteTool => options.WriteTool;
    public string WriteArguments => options.WriteArguments;
    public double SlowMilliseconds => options.SlowMilliseconds;

    /// <summary>How long a scenario lasts, its ramp included.</summary>
    public TimeSpan During { get; } = TimeSpan.FromSeconds(options.Seconds);

    /// <summary>What is not measured, by name, and why.</summary>
    public List<LeftOut> LeftOut { get; } = [];

    public bool Has(string tool) => tools?.Contains(tool) ?? true;

    /// <summary>A rate or a number of copies at the size that was asked for.</summary>
    public double Rate(double perSecond) => perSecond * options.Scale;

    public int Copies(int copies) => Math.Max(1, (int)Math.Round(copies * options.Scale));

    /// <summary>The usual load: a fifth of the time up to a rate, and the rest at it.</summary>
    public LoadSimulation[] RampThenInject(double perSecond) =>
        [
            Simulation.RampingInject(Rate(perSecond), TimeSpan.FromSeconds(1), During / 5),
            Simulation.Inject(Rate(perSecond), TimeSpan.FromSeconds(1), During * 4 / 5),
        ];

    /// <summary>Every scenario that fits this server and was asked for, with its warm-up.</summary>
    public Scenario[] Scenarios()
    {
        var warmUp = TimeSpan.FromSeconds(options.WarmUp ?? Math.Clamp(options.Seconds / 6, 0.5, 5));
        Scenario[] all =
        [
            .. typeof(IScenarios)
                .Assembly.GetTypes()
                .Where(type => type.IsClass && type.IsAssignableTo(typeof(IScenarios)))
                .OrderBy(type => type.Name, StringComparer.Ordinal)
                .SelectMany(type => ((IScenarios)Activator.CreateInstance(type)!).For(this))
                .Select(scenario => scenario.WarmUp > TimeSpan.Zero ? scenario : scenario.WithWarmUpDuration(warmUp)),
        ];
        if (options.Only is null)
        {
            return all;
        }

        var only = options.Only.Split(',', StringSplitOptions.TrimEntries);
        var unknown = only.Except(all.Select(scenario => scenario.Name).Concat(LeftOut.Select(left => left.Name)))
            .ToArray();
        return unknown.Length == 0
            ? [.. all.Where(scenario => only.Contains(scenario.Name))]
            : throw new InvalidOperationException(
                $"--only {unknown[0]}: the scenarios are {string.Join(", ", all.Select(scenario => scenario.Name))}."
            );
    }
}

internal sealed record LeftOut(string Name, string Why);
