using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>Numbers as Prometheus writes them, and the chart of a range.</summary>
internal static partial class PrometheusFigures
{
    /// <summary>Go's way of writing a number; NaN for what is none.</summary>
    public static double Number(string? text) =>
        text switch
        {
            "+Inf" or "Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : double.NaN,
        };

    /// <summary>A line for each series; of native histograms one for each quantile.</summary>
    public static LineChart Chart(string query, IReadOnlyList<Series> series, TimeAxis axis)
    {
        var names = Legend.Names([.. series.Select(one => one.Metric)]);
        var lines = series.SelectMany((one, i) => Lines(one, names[i])).ToArray();
        return new(query, axis, lines) { Unit = UnitOf(query) };
    }

    /// <summary>How many lines the chart of these series has.</summary>
    public static int LinesOf(IReadOnlyList<Series> series) => series.Sum(one => Lines(one, "").Count());

    private static IEnumerable<Line> Lines(Series series, string name)
    {
        var times = series.Times?.Select(time => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)).ToArray();
        if (series.Values is { } values)
        {
            yield return new(name, [.. values.Select(value => value is null ? double.NaN : Number(value))], times);
        }

        if (series.Histograms is { } histograms)
        {
            foreach (
                var (suffix, quantile) in new (string, Func<Histogram, double?>)[]
                {
                    ("p50", one => one.P50),
                    ("p90", one => one.P90),
                    ("p99", one => one.P99),
                }
            )
            {
                yield return new(
                    $"{name} {suffix}",
                    [.. histograms.Select(one => one is null ? double.NaN : quantile(one) ?? double.NaN)],
                    times
                );
            }
        }
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

/// <summary>Over the finite values of a series. JSON holds no infinity.</summary>
internal sealed record Summary(double Min, double Max, double Average, double Last)
{
    internal static Summary? Of(IEnumerable<double> numbers)
    {
        var finite = numbers.Where(double.IsFinite).ToArray();
        if (finite.Length == 0)
        {
            return null;
        }

        // The sum of the largest numbers is infinite, and parts of it may round beyond the largest number.
        var average = finite.Average();
        average = double.IsFinite(average) ? average : finite.Sum(number => number / finite.Length);
        return new(finite.Min(), finite.Max(), Math.Clamp(average, finite.Min(), finite.Max()), finite[^1]);
    }
}

/// <summary>A native histogram: how many observations there were, and where they lie.</summary>
internal sealed record Histogram(
    [property: Description("How many observations. A string, as Prometheus writes numbers.")] string Count,
    [property: Description("The sum of the observations.")] string Sum,
    [property: Description("The median, estimated from the buckets as histogram_quantile() does.")] double? P50,
    double? P90,
    double? P99,
    [property: Description("The buckets that are not empty: from, to, and the count between them.")]
        IReadOnlyList<IReadOnlyList<string>>? Buckets = null
)
{
    /// <param name="json">With count, sum and buckets: [boundary rule, from, to, count].</param>
    internal static Histogram From(JsonElement json, bool withBuckets)
    {
        var buckets =
            json.TryGetProperty("buckets", out var list) && list.ValueKind is JsonValueKind.Array
                ? list.EnumerateArray().Select(Bucket.FromJson).ToArray()
                : [];
        return new(
            Text(json, "count"),
            Text(json, "sum"),
            Bucket.Quantile(0.5, buckets),
            Bucket.Quantile(0.9, buckets),
            Bucket.Quantile(0.99, buckets),
            withBuckets && list.ValueKind is JsonValueKind.Array
                ?
                [
                    .. list.EnumerateArray()
                        .Select(bucket => (IReadOnlyList<string>)[.. bucket.EnumerateArray().Skip(1).Select(Show)]),
                ]
                : null
        );
    }

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.ToString() : "NaN";

    private static string Show(JsonElement bound) => bound.GetString() ?? "";

    private readonly record struct Bucket(double From, double To, double Count)
    {
        public static Bucket FromJson(JsonElement bucket) =>
            new(
                PrometheusFigures.Number(bucket[1].GetString()),
                PrometheusFigures.Number(bucket[2].GetString()),
                PrometheusFigures.Number(bucket[3].GetString())
            );

        /// <summary>As histogram_quantile() of Prometheus 3: exponential buckets are interpolated as such.</summary>
        public static double? Quantile(double quantile, Bucket[] buckets)
        {
            var rank = quantile * buckets.Sum(bucket => bucket.Count);
            if (!(rank > 0) || !double.IsFinite(rank))
            {
                return null;
            }

            var index = 0;
            for (; index < buckets.Length - 1 && rank > buckets[index].Count; index++)
            {
                rank -= buckets[index].Count;
            }

            var (from, to, count) = buckets[index];
            if (from < 0 && to > 0)
            {
                // The bucket around zero: without negative observations it begins at zero, without positive ones it
                // ends there.
                from = index == 0 && buckets.Length > 1 ? 0 : from;
                to = index == buckets.Length - 1 && buckets.Length > 1 ? 0 : to;
            }

            var part = Math.Min(rank / count, 1);
            var value =
                double.IsInfinity(to) ? from
                : double.IsInfinity(from) ? to
                : from * to > 0 && IsExponential(buckets) ? from * Math.Pow(to / from, part)
                : from + ((to - from) * part);
            return double.IsFinite(value) ? value : null;
        }

        // Exponential buckets have one ratio; those with bounds of somebody's own have many.
        private static bool IsExponential(Bucket[] buckets)
        {
            var ratios = buckets
                .Where(bucket => bucket.From * bucket.To > 0)
                .Select(bucket => Math.Abs(Math.Log(bucket.To / bucket.From)))
                .ToArray();
            return ratios.All(ratio => Math.Abs(ratio - ratios[0]) < ratios[0] * 1e-3);
        }
    }
}
