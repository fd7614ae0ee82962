using System.Globalization;

namespace MinimalMcp.Load;

/// <summary>
/// Load for as long as it was asked, and what the server's memory does meanwhile: a leak is a slope that stays.
/// </summary>
internal static class Soak
{
    public static async Task<int> RunAsync(Options options)
    {
        if (options.Url is not null && options.Pid is null)
        {
            throw new InvalidOperationException(
                "--soak looks at the memory of a process: name it with --pid, or let it start the server itself."
            );
        }

        RuntimeSettings.ApplyToGenerator();
        options = await OwnServers.FitAsync(options);
        options = options with { Seconds = options.Soak!.Value * 60 };
        await using var own = new OwnServers(options);
        var server = options.Url is { } url ? ServerProcess.Attach(new(url, options.Key), options.Pid) : own.Governed();
        await server.FirstAnswer(Call.List(Call.Legacy));
        var scenarios = new LoadTest(options, server.Target, null, await Mix.ToolsAsync(server.Target)).Scenarios();

        var samples = new List<(double Minutes, double MiB)>();
        var load = LoadRunner.RunAsync(scenarios, Progress.Console);
        var every = TimeSpan.FromSeconds(Math.Clamp(options.Seconds / 120, 0.5, 30));
        for (var started = TimeProvider.System.GetTimestamp(); await Task.WhenAny(load, Task.Delay(every)) != load; )
        {
            samples.Add((TimeProvider.System.GetElapsedTime(started).TotalMinutes, server.Rss!.Value / 1048576.0));
        }

        var runs = await load;
        // The first third is warm-up: code is compiled and pools fill.
        var (slope, error) = Slope([.. samples.Skip(samples.Count / 3)]);
        var failed = runs.Sum(run => run.Stats.Fail);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{runs.Sum(run => run.Stats.Ok):N0} calls in {options.Soak:0.##} minutes, {failed:N0} failed. "
                    + $"Resident memory {samples[0].MiB:0.0} MiB at first, {samples[^1].MiB:0.0} MiB at last, "
                    + $"{samples.Max(sample => sample.MiB):0.0} MiB at most.\nSlope of the last two thirds: "
                    + $"{slope * 60:0.00} MiB/h ± {error * 60:0.00} (two standard errors of the line; asked for over "
                    + $"24 h: less than 1 MiB/h)."
            )
        );
        foreach (var (run, failure) in runs.SelectMany(run => run.Stats.Failures.Select(failure => (run, failure))))
        {
            Console.WriteLine($"failed: {run.Scenario.Name}, {failure.Value:N0} times: {failure.Key}");
        }

        if (options.Soak < 10)
        {
            Console.WriteLine("That is too short for a verdict: a server warms up for minutes.");
        }

        return failed == 0 ? 0 : 1;
    }

    /// <summary>Of the line through the points, with two standard errors.</summary>
    public static (double Slope, double Error) Slope(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count < 3)
        {
            return (double.NaN, double.NaN);
        }

        var (x, y) = (points.Average(point => point.X), points.Average(point => point.Y));
        var width = points.Sum(point => (point.X - x) * (point.X - x));
        var slope = points.Sum(point => (point.X - x) * (point.Y - y)) / width;
        var rest = points.Sum(point => Math.Pow(point.Y - y - slope * (point.X - x), 2));
        return (slope, 2 * Math.Sqrt(rest / (points.Count - 2) / width));
    }
}
