using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Prometheus;

public sealed record QueryResult(
    [property: Description("vector, matrix, scalar or string, as Prometheus calls them.")] string ResultType,
    [property: Description("Of a scalar or string. A string because it may be NaN, +Inf or -Inf.")]
        string? Value = null,
    [property: Description("How many series there are, whether listed or not.")] int? Total = null,
    IReadOnlyList<Series>? Series = null,
    [property: Description("Of a range: the time of the first value.")] string? Start = null,
    string? End = null,
    [property: Description("Of a range: from one value to the next.")] string? Step = null,
    IReadOnlyList<string>? Warnings = null,
    [property: Description("Remarks of Prometheus on the query.")] IReadOnlyList<string>? Infos = null,
    [property: Description("What was left out or changed, and which argument to use.")] string? Note = null
)
{
    private const int MaxValues = 4000;

    private const string Nothing =
        "Nothing matches. Check the name with prometheus_list_metrics, labels with prometheus_list_label_values, and whether there was data at that time.";

    /// <param name="answer">Of query or query_range.</param>
    /// <param name="limit">Of the series.</param>
    /// <param name="axis">Of a range: values then stand in a row, one for each step, with null where there is none.</param>
    internal static QueryResult From(PrometheusAnswer answer, int limit, TimeAxis? axis = null)
    {
        var type = answer.Data.GetProperty("resultType").GetString()!;
        var result = answer.Data.GetProperty("result");
        if (type is "scalar" or "string")
        {
            return new(type, result[1].GetString(), Warnings: answer.Warnings, Infos: answer.Infos);
        }

        var total = result.GetArrayLength();
        var notes = new List<string>();
        if (axis?.Note is { } changed)
        {
            notes.Add(changed);
        }

        var left = MaxValues;
        var series = new List<Series>();
        foreach (var item in result.EnumerateArray().Take(limit))
        {
            var one = Prometheus.Series.From(item, axis);
            if ((left -= one.Values?.Count ?? 1) < 0 && series.Count > 0)
            {
                break;
            }

            series.Add(one);
        }

        if (total == 0)
        {
            notes.Add(Nothing);
        }
        else if (series.Count < total)
        {
            notes.Add(
                $"Only {series.Count} of {total} series are listed. Narrow query with label matchers, aggregate with sum by (...) or topk(10, ...)"
                    + (left < 0 ? ", or raise step." : ", or raise limit.")
            );
        }

        return new(
            type,
            Total: total,
            Series: series,
            Start: axis is null ? null : TimeAxis.Show(axis.From),
            End: axis is null ? null : TimeAxis.Show(axis.To),
            Step: axis is null ? null : TimeAxis.Show(axis.Step),
            Warnings: answer.Warnings,
            Infos: answer.Infos,
            Note: notes.Count > 0 ? string.Join(' ', notes) : null
        );
    }
}

public sealed record Series(
    [property: Description("The labels; __name__ is the metric.")] IReadOnlyDictionary<string, string> Metric,
    string? Value = null,
    [property: Description(
        "Oldest first; null where there is no sample. Strings because they may be NaN, +Inf or -Inf."
    )]
        IReadOnlyList<string?>? Values = null,
    [property: Description("Of each value, when they do not follow each other in steps.")]
        IReadOnlyList<string>? Times = null,
    Summary? Summary = null
)
{
    internal static Series From(JsonElement item, TimeAxis? axis)
    {
        var metric = item.GetProperty("metric")
            .EnumerateObject()
            .ToDictionary(label => label.Name, label => label.Value.GetString() ?? "");
        if (item.TryGetProperty("value", out var value) || item.TryGetProperty("histogram", out value))
        {
            return new(metric, ValueOf(value));
        }

        // Since 3.0 a series may have samples, native histograms, or some of each.
        var samples = Samples(item, "values")
            .Concat(Samples(item, "histograms"))
            .OrderBy(sample => sample[0].GetDouble())
            .ToArray();
        var numbers = samples
            .Select(sample => sample[1].ValueKind is JsonValueKind.String ? Number(sample[1].GetString()!) : double.NaN)
            .ToArray();
        if (axis is null)
        {
            return new(
                metric,
                Values: [.. samples.Select(ValueOf)],
                Times: [.. samples.Select(sample => TimeAxis.Show(TimeOf(sample)))],
                Summary: Summary.Of(numbers)
            );
        }

        var values = new string?[axis.Points];
        foreach (var sample in samples)
        {
            var place = (int)Math.Round((TimeOf(sample) - axis.From) / axis.Step);
            if (place >= 0 && place < values.Length)
            {
                values[place] = ValueOf(sample);
            }
        }

        return new(metric, Values: values, Summary: Summary.Of(numbers));
    }

    /// <summary>Go's way of writing a number; NaN for what is none.</summary>
    internal static double Number(string? text) =>
        text switch
        {
            "+Inf" or "Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : double.NaN,
        };

    private static JsonElement.ArrayEnumerator Samples(JsonElement item, string name) =>
        item.TryGetProperty(name, out var samples) && samples.ValueKind is JsonValueKind.Array
            ? samples.EnumerateArray()
            : default;

    private static DateTimeOffset TimeOf(JsonElement sample) =>
        DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Round(sample[0].GetDouble() * 1000));

    private static string ValueOf(JsonElement sample) =>
        sample[1].ValueKind is JsonValueKind.Object
            ? $"histogram with count {Text(sample[1], "count")} and sum {Text(sample[1], "sum")}"
            : sample[1].GetString() ?? "";

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.ToString() : "?";
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
