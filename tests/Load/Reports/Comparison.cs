using System.Text.Json;

namespace MinimalMcp.Load;

/// <summary>
/// What is different from an earlier run, and how much of it may be noise. The noise of a scenario's figure is two
/// standard errors of the difference, from the seconds of both runs (which hang together a little, so it is rather too
/// small); of a comparison's figure it is how far the rounds of both runs lie apart. Within the noise a difference
/// means nothing.
/// </summary>
internal static class Comparison
{
    public static async Task AddAsync(LoadReport report, string earlierFile, double? regression)
    {
        LoadReport earlier;
        try
        {
            earlier = JsonSerializer.Deserialize<LoadReport>(
                await File.ReadAllTextAsync(earlierFile),
                JsonReport.Options
            )!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InvalidOperationException(
                $"--compare {earlierFile}: this is no report.json of an earlier run ({e.Message.Split('\n')[0]})."
            );
        }

        foreach (
            var (now, before) in from now in report.Scenarios
            join before in earlier.Scenarios on now.Name equals before.Name
            select (now, before)
        )
        {
            Add(
                $"{now.Name}.rate",
                "/s",
                before.Rate,
                now.Rate,
                Noise(before, now, point => point.Rate),
                lowerIsWorse: true
            );
            Add(
                $"{now.Name}.p50",
                "ms",
                before.P50,
                now.P50,
                Noise(before, now, point => point.P50),
                lowerIsWorse: false
            );
            Add(
                $"{now.Name}.p99",
                "ms",
                before.P99,
                now.P99,
                Noise(before, now, point => point.P99),
                lowerIsWorse: false
            );
        }

        foreach (
            var (now, before) in from now in report.Figures
            join before in earlier.Figures on now.Name equals before.Name
            select (now, before)
        )
        {
            var spread =
                now.Low is null || before.Low is null
                    ? (double?)null
                    : Math.Max(now.High!.Value, before.High!.Value) - Math.Min(now.Low.Value, before.Low.Value);
            Add(
                now.Name,
                now.Unit,
                before.Value,
                now.Value,
                spread,
                lowerIsWorse: now.Name.EndsWith(".rate", StringComparison.Ordinal)
                    || now.Name is "ratio.tools.call" or "ratio.tools.list"
            );
        }

        void Add(string name, string unit, double before, double now, double? noise, bool lowerIsWorse)
        {
            if (before == 0 || !double.IsFinite(before) || !double.IsFinite(now))
            {
                return;
            }

            var percent = 100 * (now - before) / before;
            double? noisePercent = noise is null ? null : 100 * noise / Math.Abs(before);
            var worse = lowerIsWorse ? -percent : percent;
            var beyond = noisePercent is { } band && Math.Abs(percent) > band;
            report.Differences.Add(
                new(
                    name,
                    unit,
                    before,
                    now,
                    percent,
                    noisePercent,
                    beyond
                        ? worse > 0
                            ? "worse"
                            : "better"
                        : noisePercent is null
                            ? "unknown"
                            : "noise",
                    Fails: beyond && regression is { } allowed && worse > noisePercent + allowed
                )
            );
        }
    }

    private static double? Noise(ScenarioFigures before, ScenarioFigures now, Func<Point, double> figure)
    {
        return Variance(before) is { } first && Variance(now) is { } second ? 2 * Math.Sqrt(first + second) : null;

        double? Variance(ScenarioFigures run)
        {
            // The ramp at the beginning is load that was asked for, not noise; seconds without a call have no latency.
            double[] seconds =
            [
                .. run.Series.Skip(run.Series.Count / 5 + 1).Where(point => point.Rate > 0).Select(figure),
            ];
            if (seconds.Length < 4)
            {
                return null;
            }

            var mean = seconds.Average();
            return seconds.Sum(value => (value - mean) * (value - mean)) / (seconds.Length - 1) / seconds.Length;
        }
    }
}

/// <param name="Verdict">worse, better, noise, or unknown when nothing tells how large the noise is.</param>
/// <param name="Fails">Whether it is a regression that the run was asked to fail on.</param>
internal sealed record Difference(
    string Name,
    string Unit,
    double Before,
    double Now,
    double Percent,
    double? NoisePercent,
    string Verdict,
    bool Fails
);
