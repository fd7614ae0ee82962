namespace MinimalMcp.Load;

/// <summary>How much load, and for how long; the names and arguments are NBomber's.</summary>
internal static class Simulation
{
    /// <summary>The open model: so many calls in each interval, whether the server keeps up or not.</summary>
    public static LoadSimulation Inject(double rate, TimeSpan interval, TimeSpan during) =>
        new(true, rate / interval.TotalSeconds, during, Ramp: false);

    /// <summary>As <see cref="Inject"/>, from the rate before (at first 0) to this one.</summary>
    public static LoadSimulation RampingInject(double rate, TimeSpan interval, TimeSpan during) =>
        new(true, rate / interval.TotalSeconds, during, Ramp: true);

    /// <summary>
    /// The closed model: so many copies, each of which sends its next call when it has the last one's answer.
    /// </summary>
    public static LoadSimulation KeepConstant(int copies, TimeSpan during) => new(false, copies, during, Ramp: false);

    /// <summary>As <see cref="KeepConstant"/>, from the copies before (at first 0) to this many.</summary>
    public static LoadSimulation RampingConstant(int copies, TimeSpan during) => new(false, copies, during, Ramp: true);

    public static LoadSimulation Pause(TimeSpan during) => new(true, 0, during, Ramp: false);
}

/// <param name="Open">Whether the level is calls a second; otherwise it is copies.</param>
internal sealed record LoadSimulation(bool Open, double Level, TimeSpan During, bool Ramp)
{
    public override string ToString() =>
        (Ramp ? "up to " : "")
        + (Open ? $"{Level:0.##} calls/s" : $"{Level:0} copies")
        + $" for {During.TotalSeconds:0.##} s";
}

/// <summary>The simulations of one scenario, one after the other.</summary>
internal sealed class LoadProfile(params IReadOnlyList<LoadSimulation> simulations)
{
    public TimeSpan Duration { get; } = new(simulations.Sum(simulation => simulation.During.Ticks));

    /// <summary>How many calls of the open model must have been sent by then.</summary>
    public long Arrivals(TimeSpan elapsed)
    {
        double due = 0;
        foreach (var (simulation, from, into) in Until(elapsed))
        {
            if (simulation.Open)
            {
                var seconds = into.TotalSeconds;
                due += simulation.Ramp
                    ? from * seconds
                        + (simulation.Level - from) * seconds * seconds / (2 * simulation.During.TotalSeconds)
                    : simulation.Level * seconds;
            }
        }

        return (long)Math.Floor(due + 1e-6); // 100 a second for ten seconds are 1,000, whatever the floating point says
    }

    /// <summary>How many copies of the closed model work at that moment.</summary>
    public int Copies(TimeSpan elapsed)
    {
        if (elapsed >= Duration)
        {
            return 0;
        }

        var (simulation, from, into) = Until(elapsed).Last();
        return simulation.Open
            ? 0
            : (int)
                Math.Ceiling(
                    simulation.Ramp ? from + (simulation.Level - from) * (into / simulation.During) : simulation.Level
                );
    }

    /// <summary>The simulations that have begun, each with the level before it and how far it is.</summary>
    private IEnumerable<(LoadSimulation Simulation, double From, TimeSpan Into)> Until(TimeSpan elapsed)
    {
        LoadSimulation? before = null;
        foreach (var simulation in simulations)
        {
            yield return (
                simulation,
                before?.Open == simulation.Open ? before.Level : 0,
                elapsed < simulation.During ? elapsed : simulation.During
            );
            if ((elapsed -= simulation.During) < TimeSpan.Zero)
            {
                yield break;
            }

            before = simulation;
        }
    }
}
