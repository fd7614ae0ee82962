using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
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

/// <summary>Of what may be much: how many there are, some of them, and how to see the others.</summary>
public abstract record PrometheusList([property: Description("How many there are, whether listed or not.")] int Total)
{
    public IReadOnlyList<string>? Warnings { get; init; }

    [Description("What was left out, and which argument to use.")]
    public string? Note { get; init; }

    internal static string? NoteOn(int total, int offset, int listed, string narrow, string none) =>
        total == 0 ? none
        : offset + listed < total || offset > 0 ? $"These are {listed} of {total}, from number {offset + 1}. {narrow}"
        : null;

    private protected static JsonElement.ArrayEnumerator List(JsonElement json, string name) =>
        json.GetProperty(name) is { ValueKind: not JsonValueKind.Null } list ? list.EnumerateArray() : default; // Go writes an empty list as null

    internal static bool Contains(string text, string? part) =>
        string.IsNullOrEmpty(part) || text.Contains(part, StringComparison.OrdinalIgnoreCase);
}

public sealed record NameList(int Total, IReadOnlyList<string> Names) : PrometheusList(Total)
{
    internal static NameList From(
        PrometheusAnswer answer,
        string? filter,
        int offset,
        int limit,
        string narrow,
        string none
    )
    {
        var all = answer
            .Data.EnumerateArray()
            .Select(name => name.GetString() ?? "")
            .Where(name => Contains(name, filter))
            .ToArray();
        var names = all.Skip(offset).Take(limit).ToArray();
        return new(all.Length, names)
        {
            Warnings = answer.Warnings,
            Note = NoteOn(all.Length, offset, names.Length, narrow, none),
        };
    }
}

public sealed record SeriesList(int Total, IReadOnlyList<IReadOnlyDictionary<string, string>> Series)
    : PrometheusList(Total)
{
    internal static SeriesList From(PrometheusAnswer answer, int limit, string lookback)
    {
        var series = answer
            .Data.EnumerateArray()
            .Take(limit)
            .Select(labels =>
                labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.ToString())
            )
            .ToArray();
        var total = answer.Data.GetArrayLength();
        return new(total, series)
        {
            Warnings = answer.Warnings,
            Note = NoteOn(
                total,
                0,
                series.Length,
                "Narrow match with more labels, or raise limit.",
                $"No series matched in the last {lookback}. A longer lookback may find some."
            ),
        };
    }
}

public sealed partial record MetricList(int Total, IReadOnlyList<Metric> Metrics) : PrometheusList(Total)
{
    internal static MetricList From(JsonElement data, string? metric, int limit)
    {
        var all = Metric.From(data).ToArray();
        var listed = all.Take(limit).ToArray();
        return new(all.Length, listed)
        {
            Note = NoteOn(
                all.Length,
                0,
                listed.Length,
                "Name the metric, or use prometheus_list_metrics.",
                $"Nothing is known about \"{metric}\". prometheus_list_metrics finds names."
            ),
        };
    }

    /// <summary>The metric of this name with what is known about it.</summary>
    // The parts of a histogram and a summary are described under the name of the whole.
    internal static Metric Describe(string name, Dictionary<string, Metric> known)
    {
        var whole = Part().Replace(name, "");
        return known.TryGetValue(name, out var metric) || known.TryGetValue(whole, out metric)
            ? metric with
            {
                Name = name,
            }
            : new(name);
    }

    [GeneratedRegex("_(bucket|count|sum)$")]
    private static partial Regex Part();
}

public sealed record TargetList(
    int Total,
    [property: Description("How many of those are up, down or not yet known.")] IReadOnlyDictionary<string, int> Health,
    IReadOnlyList<Target> Targets
) : PrometheusList(Total)
{
    internal static TargetList From(JsonElement data, string state, string? health, string? pool, int limit)
    {
        var all = (
            state == "dropped"
                ? List(data, "droppedTargets").Select(Target.Dropped)
                : List(data, "activeTargets").Select(Target.From)
        )
            .Where(target => string.IsNullOrEmpty(pool) || target.ScrapePool is null || target.ScrapePool == pool)
            .ToArray(); // 2.42 does not know the parameter
        var counts = all.GroupBy(target => target.Health ?? "unknown")
            .ToDictionary(group => group.Key, group => group.Count());
        var wanted = all.Where(target => string.IsNullOrEmpty(health) || target.Health == health).ToArray();
        var listed = wanted.Take(limit).ToArray();
        return new(wanted.Length, counts, listed)
        {
            Note = NoteOn(
                wanted.Length,
                0,
                listed.Length,
                "Narrow with health or scrape_pool, or raise limit.",
                "There is no such target."
            ),
        };
    }
}

public sealed record AlertList(int Total, IReadOnlyList<Alert> Alerts) : PrometheusList(Total)
{
    internal static AlertList From(JsonElement data, string? state, int limit)
    {
        var all = List(data, "alerts")
            .Select(Alert.From)
            .Where(alert => string.IsNullOrEmpty(state) || alert.State == state)
            .OrderBy(alert => alert.State)
            .ThenBy(alert => alert.Name)
            .ToArray();
        var listed = all.Take(limit).ToArray();
        return new(all.Length, listed)
        {
            Note = NoteOn(
                all.Length,
                0,
                listed.Length,
                "Narrow with state, or raise limit.",
                "No alert is " + (state ?? "firing or pending") + " right now."
            ),
        };
    }
}

public sealed record RuleList(int Total, IReadOnlyList<Rule> Rules) : PrometheusList(Total)
{
    internal static RuleList From(JsonElement data, string? search, int limit)
    {
        var all = (
            from grouped in List(data, "groups")
            let name = Metric.Text(grouped, "name") ?? ""
            from rule in List(grouped, "rules")
            let read = Rule.From(rule, name)
            where Contains(read.Name, search) || Contains(name, search)
            select read
        ).ToArray();
        var listed = all.Take(limit).ToArray();
        return new(all.Length, listed)
        {
            Note = NoteOn(
                all.Length,
                0,
                listed.Length,
                "Narrow with type or search, or raise limit.",
                "There is no such rule."
            ),
        };
    }
}

public sealed record Metric(
    string Name,
    [property: Description("counter, gauge, histogram, summary, ... A counter is asked for with rate() or increase().")]
        string? Type = null,
    string? Help = null,
    string? Unit = null
)
{
    internal static IEnumerable<Metric> From(JsonElement metadata) =>
        from metric in metadata.EnumerateObject()
        from said in metric.Value.EnumerateArray() // targets may disagree
        select new Metric(metric.Name, Text(said, "type"), Text(said, "help"), Text(said, "unit"));

    internal static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
        && value.GetString() is { Length: > 0 } text
            ? text
            : null;

    internal static Dictionary<string, string>? Texts(JsonElement json, string name) =>
        json.TryGetProperty(name, out var labels) && labels.ValueKind is JsonValueKind.Object
            ? labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.ToString())
            : null;
}

public sealed record Target(
    string? Job,
    string? Health,
    IReadOnlyDictionary<string, string>? Labels,
    string? ScrapeUrl = null,
    string? LastError = null,
    string? LastScrape = null,
    string? ScrapePool = null
)
{
    internal static Target From(JsonElement target) =>
        new(
            Metric.Texts(target, "labels")?.GetValueOrDefault("job"),
            Metric.Text(target, "health"),
            Metric.Texts(target, "labels"),
            Metric.Text(target, "scrapeUrl"),
            Metric.Text(target, "lastError"),
            Metric.Text(target, "lastScrape"),
            Metric.Text(target, "scrapePool")
        );

    // Of these only what was discovered is known, which is long: the address and the job say which it is.
    internal static Target Dropped(JsonElement target)
    {
        var found = Metric.Texts(target, "discoveredLabels") ?? [];
        return new(
            found.GetValueOrDefault("job"),
            "dropped",
            found.Where(label => label.Key is "__address__" or "__metrics_path__").ToDictionary()
        );
    }
}

public sealed record Alert(
    string Name,
    [property: Description("firing, or pending: true but not yet for long enough.")] string? State,
    IReadOnlyDictionary<string, string>? Labels,
    IReadOnlyDictionary<string, string>? Annotations = null,
    string? ActiveAt = null,
    string? Value = null
)
{
    internal static Alert From(JsonElement alert) =>
        new(
            Metric.Texts(alert, "labels")?.GetValueOrDefault("alertname") ?? "",
            Metric.Text(alert, "state"),
            Metric.Texts(alert, "labels"),
            Metric.Texts(alert, "annotations"),
            Metric.Text(alert, "activeAt"),
            Metric.Text(alert, "value")
        );
}

public sealed record Rule(
    string Name,
    string Group,
    [property: Description("alerting or recording.")] string? Type,
    string? Query,
    [property: Description("Of an alerting rule: firing, pending or inactive.")] string? State = null,
    [property: Description("ok, err or unknown: whether its last evaluation worked.")] string? Health = null,
    string? LastError = null,
    [property: Description("For how long it must be true before it fires, in seconds.")] double? Duration = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    IReadOnlyDictionary<string, string>? Annotations = null
)
{
    internal static Rule From(JsonElement rule, string group) =>
        new(
            Metric.Text(rule, "name") ?? "",
            group,
            Metric.Text(rule, "type"),
            Metric.Text(rule, "query"),
            Metric.Text(rule, "state"),
            Metric.Text(rule, "health"),
            Metric.Text(rule, "lastError"),
            rule.TryGetProperty("duration", out var duration) && duration.ValueKind is JsonValueKind.Number
                ? duration.GetDouble()
                : null,
            Metric.Texts(rule, "labels"),
            Metric.Texts(rule, "annotations")
        );
}
