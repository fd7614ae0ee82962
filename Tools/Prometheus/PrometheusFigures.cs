using System.Text.RegularExpressions;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>The chart of a range.</summary>
internal static partial class PrometheusFigures
{
    public static LineChart Chart(string query, QueryResult result, TimeAxis axis)
    {
        var names = Legend.Names([.. result.Series!.Select(series => series.Metric)]);
        var lines = result.Series!.Select(
            (series, i) =>
                new Line(
                    names[i],
                    [.. series.Values!.Select(value => value is null ? double.NaN : Series.Number(value))]
                )
        );
        return new(query, axis, [.. lines]) { Unit = UnitOf(query) };
    }

    // By the names that the conventions ask for (prometheus.io/docs/practices/naming).
    private static string UnitOf(string query)
    {
        var unit = Unit().Match(query) is { Success: true } found ? found.Groups[1].Value : "";
        var isRate = Rate().IsMatch(query);
        return unit switch
        {
            "bytes" => isRate ? "B/s" : "B",
            "seconds" => isRate ? "" : "s",
            _ => "",
        };
    }

    [GeneratedRegex("_(bytes|seconds)(?![a-z])")]
    private static partial Regex Unit();

    [GeneratedRegex(@"\bi?rate\(")]
    private static partial Regex Rate();
}

/// <summary>Over the finite values of a series.</summary>
public sealed record Summary(double Min, double Max, double Average, double Last)
{
    internal static Summary? Of(double[] numbers) =>
        Array.FindAll(numbers, double.IsFinite) is { Length: > 0 } finite
            ? new(
                finite.Min(),
                finite.Max(),
                finite.Average() is var average && double.IsFinite(average)
                    ? average
                    : finite.Sum(number => number / finite.Length),
                finite[^1]
            ) // JSON holds no infinity
            : null;
}
