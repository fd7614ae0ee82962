using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>Runs scenarios at the same time, each under its own load.</summary>
internal static class LoadRunner
{
    /// <summary>Warms up all of them together, and then measures all of them together.</summary>
    public static async Task<ScenarioRun[]> RunAsync(IReadOnlyList<Scenario> scenarios, Progress? progress = null)
    {
        ScenarioRun[] warmUp =
        [
            .. scenarios
                .Where(scenario => scenario.WarmUp > TimeSpan.Zero)
                .Select(scenario => new ScenarioRun(
                    scenario,
                    new(scenario.Simulations[^1] with { During = scenario.WarmUp, Ramp = false })
                )),
        ];
        await DriveAsync(warmUp, progress, "warm-up");
        ScenarioRun[] runs =
        [
            .. scenarios.Select(scenario => new ScenarioRun(scenario, new(scenario.Simulations))
            {
                WarmedUp = warmUp.FirstOrDefault(run => run.Scenario == scenario)?.Stats,
            }),
        ];
        await DriveAsync(runs, progress, "");
        return runs;
    }

    /// <summary>One call, as fast as so many connections ask it.</summary>
    public static async Task<Stats> KeepConstantAsync(Request request, int copies, TimeSpan during) =>
        (
            await RunAsync([
                Scenario
                    .Create("call", context => context.SendAsync(request))
                    .WithLoadSimulations(Simulation.KeepConstant(copies, during)),
            ])
        )[0].Stats;

    private static async Task DriveAsync(ScenarioRun[] runs, Progress? progress, string stage)
    {
        if (runs.Length == 0)
        {
            return;
        }

        var finished = Task.WhenAll(runs.Select(run => run.Finished));
        // A thread of its own: calls begin on time also when the pool is busy, and it may sleep.
        var pacer = new Thread(() =>
        {
            var start = Stopwatch.GetTimestamp();
            foreach (var run in runs)
            {
                run.Start(start);
            }

            while (!finished.IsCompleted)
            {
                var now = Stopwatch.GetTimestamp();
                foreach (var run in runs)
                {
                    run.Tick(now);
                }

                progress?.Show(stage, Stopwatch.GetElapsedTime(start, now), runs);
                Thread.Sleep(1);
            }
        })
        {
            IsBackground = true,
            Name = "pacer",
            Priority = ThreadPriority.AboveNormal,
        };
        pacer.Start();
        await finished;
        pacer.Join(); // it may be in its last round; it blocks nobody, for it is never long in one
        foreach (var run in runs)
        {
            run.Dispose();
        }
    }
}
