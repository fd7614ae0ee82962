using System.ComponentModel;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Prometheus;

internal sealed record QueryResult(
    [property: Description("vector, matrix, scalar or string, as Prometheus calls them.")] string ResultType,
    [property: Description("Of a scalar or string. A string because it may be NaN, +Inf or -Inf.")]
        string? Value = null,
    [property: Description("The time of an instant query's values.")] string? Time = null,
    [property: Description("How many series there are, whether listed or not.")] int? Total = null,
    IReadOnlyList<Series>? Series = null,
    [property: Description("Of a range: the time of the first value.")] string? Start = null,
    string? End = null,
    [property: Description("Of a range: the time between two values.")] string? Step = null,
    [property: Description("Warnings of Prometheus: the answer may be incomplete.")]
        IReadOnlyList<string>? Warnings = null,
    [property: Description("Remarks of Prometheus on the query.")] IReadOnlyList<string>? Infos = null,
    [property: Description("What was left out or changed, and which argument gives the rest.")] string? Note = null
)
{
    private const int MaxValues = 4000;

    private const string Nothing =
        "Nothing matches. Check the name with prometheus_list_metrics, labels with prometheus_list_label_values, "
        + "and whether there was data at that time.";

    /// <param name="answer">Of query or query_range.</param>
    /// <param name="offset">How many series to skip.</param>
    /// <param name="limit">How many series to list.</param>
    /// <param name="at">The time that an instant query was asked for.</param>
    /// <param name="axis">Of a range: values stand in a row, one for each step, with null where there is none.</param>
    internal static QueryResult From(
        PrometheusAnswer answer,
        int offset,
        int limit,
        DateTimeOffset? at = null,
        TimeAxis? axis = null
    )
    {
        var type = answer.Data.GetProperty("resultType").GetString()!;
        var result = answer.Data.GetProperty("result");
        if (type is "scalar" or "string")
        {
            return new(
                type,
                result[1].GetString(),
                TimeAxis.Show(Prometheus.Series.TimeOf(result)),
                Warnings: answer.Warnings,
                Infos: answer.Infos
            );
        }

        var total = result.GetArrayLength();
        var (series, size, values) = (new List<Series>(), 0, 0);
        foreach (var item in result.EnumerateArray().Skip(offset).Take(limit))
        {
            var one = Prometheus.Series.From(item, axis);
            values += one.Values?.Count ?? one.Histograms?.Count ?? 1;
            size += PrometheusList.SizeOf(one);
            if (series.Count > 0 && (values > MaxValues || size > PrometheusList.MaxCharacters))
            {
                break;
            }

            series.Add(one);
        }

        List<string?> notes =
        [
            axis?.Note,
            PrometheusList.NoteOn(
                total,
                offset,
                series.Count,
                "narrow query with label matchers, aggregate with sum by (...) or topk(10, ...)"
                    + (axis is null ? "" : ", raise step"),
                Nothing,
                answer.Warnings,
                "series"
            ),
            OlderValues(series),
        ];
        var note = string.Join(' ', notes.Where(note => note is not null));
        return new(
            type,
            Time: type == "vector" ? TimeAxis.Show(TimeOf(result) ?? at ?? default) : null,
            Total: total,
            Series: series,
            Start: axis is null ? null : TimeAxis.Show(axis.From),
            End: axis is null ? null : TimeAxis.Show(axis.To),
            Step: axis is null ? null : TimeAxis.Show(axis.Step),
            Warnings: answer.Warnings,
            Infos: answer.Infos,
            Note: note.Length > 0 ? note : null
        );
    }

    private static DateTimeOffset? TimeOf(JsonElement vector) =>
        vector.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first
        && (first.TryGetProperty("value", out var sample) || first.TryGetProperty("histogram", out sample))
            ? Prometheus.Series.TimeOf(sample)
            : null;

    // Of a range selector such as up[7d]: the next part is the same query at the time of the oldest value listed here.
    private static string? OlderValues(List<Series> series) =>
        series.Where(one => one.TotalValues > one.Values?.Count).Select(one => one.Times![0]).Max() is { } oldest
            ? $"Only the newest {Prometheus.Series.MaxRaw} values of a series are listed. "
                + $"Call again with time={oldest} for the older ones, or use prometheus_query_range with a step."
            : null;
}

internal sealed record Series(
    [property: Description("The labels; __name__ is the metric.")] IReadOnlyDictionary<string, string> Metric,
    string? Value = null,
    [property: Description(
        "Oldest first; null where there is no sample. Strings because they may be NaN, +Inf or -Inf."
    )]
        IReadOnlyList<string?>? Values = null,
    [property: Description("The time of each value or histogram, when they are not one for each step.")]
        IReadOnlyList<string>? Times = null,
    [property: Description("How many values there are, when not all are listed.")] int? TotalValues = null,
    Summary? Summary = null,
    [property: Description("Of a native histogram: the value, or the last one of a range, with its buckets.")]
        Histogram? Histogram = null,
    [property: Description("Of a range of a native histogram: one for each step; null where there is no sample.")]
        IReadOnlyList<Histogram?>? Histograms = null
)
{
    /// <summary>Values of one series of a range selector. There may be a million.</summary>
    internal const int MaxRaw = 1000;

    // A server may answer for other times than it was asked for. Milliseconds are its precision.
    private static readonly TimeSpan Precision = TimeSpan.FromMilliseconds(2);

    internal static Series From(JsonElement item, TimeAxis? axis)
    {
        var metric = item.GetProperty("metric")
            .EnumerateObject()
            .ToDictionary(label => label.Name, label => label.Value.GetString() ?? "");
        if (item.TryGetProperty("value", out var value))
        {
            return new(metric, value[1].GetString());
        }

        if (item.TryGetProperty("histogram", out value))
        {
            return new(metric, Histogram: Prometheus.Histogram.From(value[1], withBuckets: true));
        }

        // A series may have samples, native histograms, or some of each.
        var (values, histograms) = (Samples(item, "values"), Samples(item, "histograms"));
        var isHistogram = histograms.Length > values.Length;
        var samples = isHistogram ? histograms : values;
        var total = samples.Length;
        if (axis is null && samples.Length > MaxRaw)
        {
            samples = samples[^MaxRaw..];
        }

        var places = axis is null ? null : PlacesOf(samples, axis);
        var times = places is null ? samples.Select(sample => TimeAxis.Show(TimeOf(sample))).ToArray() : null;
        var series = new Series(metric, Times: times, TotalValues: total > samples.Length ? total : null);
        return isHistogram
            ? series with
            {
                Histogram = Prometheus.Histogram.From(samples[^1][1], withBuckets: true),
                Histograms = Place(sample => Prometheus.Histogram.From(sample[1], withBuckets: false)),
            }
            : series with
            {
                Values = Place(sample => sample[1].GetString()),
                Summary = Summary.Of(samples.Select(sample => PrometheusFigures.Number(sample[1].GetString()))),
            };

        T?[] Place<T>(Func<JsonElement, T?> read)
            where T : class
        {
            if (places is null)
            {
                return [.. samples.Select(read)];
            }

            var placed = new T?[axis!.Points];
            for (var i = 0; i < samples.Length; i++)
            {
                placed[places[i]] = read(samples[i]);
            }

            return placed;
        }
    }

    internal static DateTimeOffset TimeOf(JsonElement sample) =>
        sample[0].GetDouble() is > -6e10 and < 2e11 and var seconds
            ? DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Round(seconds * 1000))
            : throw new FormatException("A sample has no time.");

    // The step that each sample stands on; null when one stands between two. No sample is moved to another time.
    private static int[]? PlacesOf(JsonElement[] samples, TimeAxis axis)
    {
        var places = new int[samples.Length];
        for (var i = 0; i < samples.Length; i++)
        {
            var after = TimeOf(samples[i]) - axis.From;
            places[i] = (int)Math.Clamp(Math.Round(after / axis.Step), -1, axis.Points);
            if (places[i] < 0 || places[i] >= axis.Points || (after - (places[i] * axis.Step)).Duration() > Precision)
            {
                return null;
            }
        }

        return places;
    }

    private static JsonElement[] Samples(JsonElement item, string name) =>
        item.TryGetProperty(name, out var samples) && samples.ValueKind is JsonValueKind.Array
            ? [.. samples.EnumerateArray()]
            : [];
}

/// <summary>A list that may be long: how many items there are, some of them, and how to get the others.</summary>
internal abstract record PrometheusList([property: Description("How many there are, whether listed or not.")] int Total)
{
    /// <summary>Of one answer, as JSON. A GPT Action takes 100,000 with everything else in it.</summary>
    internal const int MaxCharacters = 80_000;

    [Description("Warnings of Prometheus: the answer may be incomplete.")]
    public IReadOnlyList<string>? Warnings { get; init; }

    [Description("What was left out, and which argument gives the rest.")]
    public string? Note { get; init; }

    internal static int SizeOf<T>(T item) => JsonSerializer.SerializeToUtf8Bytes(item, PrometheusTools.Json).Length;

    /// <summary>Some of the items: at most as many as the limit, and as fit into an answer.</summary>
    private protected static T[] Page<T>(IReadOnlyList<T> all, int offset, int limit)
    {
        var size = 0;
        return
        [
            .. all.Skip(offset).Take(limit).TakeWhile((item, i) => (size += SizeOf(item)) <= MaxCharacters || i == 0),
        ];
    }

    internal static string? NoteOn(
        int total,
        int offset,
        int listed,
        string narrow,
        string none,
        IReadOnlyList<string>? warnings = null,
        string items = "items"
    ) =>
        total == 0 ? (warnings is null ? none : $"Prometheus warns: {warnings[0].TrimEnd('.')}. {none}")
        : offset >= total ? $"There are only {total} {items}: offset must be lower than that."
        : offset + listed < total
            ? $"These are {listed} of {total} {items}, from number {offset + 1}. "
                + $"Go on with offset={offset + listed}, or {narrow}."
        : offset > 0 ? $"These are the last {listed} of {total} {items}."
        : null;

    // Go writes an empty list as null.
    private protected static JsonElement.ArrayEnumerator List(JsonElement json, string name) =>
        json.GetProperty(name) is { ValueKind: not JsonValueKind.Null } list ? list.EnumerateArray() : default;

    internal static bool Contains(string text, string? part) =>
        string.IsNullOrEmpty(part) || text.Contains(part, StringComparison.OrdinalIgnoreCase);
}

internal sealed record NameList(int Total, IReadOnlyList<string> Names) : PrometheusList(Total)
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
        var listed = Page(all, offset, limit);
        return new(all.Length, listed)
        {
            Warnings = answer.Warnings,
            Note = NoteOn(all.Length, offset, listed.Length, narrow, none, answer.Warnings),
        };
    }
}

internal sealed record SeriesList(int Total, IReadOnlyList<IReadOnlyDictionary<string, string>> Series)
    : PrometheusList(Total)
{
    internal static SeriesList From(PrometheusAnswer answer, int offset, int limit, string lookback)
    {
        var all = answer
            .Data.EnumerateArray()
            .Select(labels =>
                labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.ToString())
            )
            .ToArray();
        var listed = Page(all, offset, limit);
        return new(all.Length, listed)
        {
            Warnings = answer.Warnings,
            Note = NoteOn(
                all.Length,
                offset,
                listed.Length,
                "narrow match with more labels",
                $"No series matched in the last {lookback}. A longer lookback may find some.",
                answer.Warnings,
                "series"
            ),
        };
    }
}

internal sealed partial record MetricList(int Total, IReadOnlyList<Metric> Metrics) : PrometheusList(Total)
{
    internal static MetricList From(
        IReadOnlyList<Metric> all,
        int offset,
        int limit,
        string narrow,
        string none,
        IReadOnlyList<string>? warnings
    )
    {
        var listed = Page(all, offset, limit);
        var note = NoteOn(all.Count, offset, listed.Length, narrow, none, warnings, "metrics");
        if (listed.FirstOrDefault(metric => !PrometheusClient.ClassicName().IsMatch(metric.Name)) is { } odd)
        {
            note = $"{note} In PromQL such a name is quoted and stands in braces: {{\"{odd.Name}\"}}.".Trim();
        }

        return new(all.Count, listed) { Warnings = warnings, Note = note };
    }

    /// <summary>What is known about a series' name, under the name of the metric that it is a part of.</summary>
    /// <remarks>OpenMetrics describes the counter om_req, and its series is om_req_total.</remarks>
    internal static Metric Describe(string name, Dictionary<string, Metric> known) =>
        known.TryGetValue(name, out var metric) || known.TryGetValue(Whole(name), out metric)
            ? metric with
            {
                Name = name,
            }
            : new(name);

    /// <summary>The name without what histograms, summaries and OpenMetrics append to it.</summary>
    internal static string Whole(string name) => Part().Replace(name, "");

    [GeneratedRegex("_(bucket|count|sum|total|created|info)$")]
    private static partial Regex Part();
}

internal sealed record TargetList(
    int Total,
    [property: Description("How many of those are up, down or not yet known.")] IReadOnlyDictionary<string, int> Health,
    IReadOnlyList<Target> Targets
) : PrometheusList(Total)
{
    internal static TargetList From(
        PrometheusAnswer answer,
        string state,
        string? health,
        string? pool,
        int offset,
        int limit
    )
    {
        // 2.42 does not know the parameter scrapePool.
        var all = (
            state == "dropped"
                ? List(answer.Data, "droppedTargets").Select(Target.Dropped)
                : List(answer.Data, "activeTargets").Select(Target.From)
        )
            .Where(target => string.IsNullOrEmpty(pool) || target.ScrapePool is null || target.ScrapePool == pool)
            .ToArray();
        var counts = all.GroupBy(target => target.Health ?? "unknown")
            .ToDictionary(group => group.Key, group => group.Count());
        var wanted = all.Where(target => string.IsNullOrEmpty(health) || target.Health == health).ToArray();
        var listed = Page(wanted, offset, limit);
        return new(wanted.Length, counts, listed)
        {
            Warnings = answer.Warnings,
            Note = NoteOn(
                wanted.Length,
                offset,
                listed.Length,
                "narrow with health or scrape_pool",
                "There is no such target.",
                answer.Warnings,
                "targets"
            ),
        };
    }
}

internal sealed record AlertList(int Total, IReadOnlyList<Alert> Alerts) : PrometheusList(Total)
{
    internal static AlertList From(PrometheusAnswer answer, string? state, int offset, int limit)
    {
        var all = List(answer.Data, "alerts")
            .Select(Alert.From)
            .Where(alert => string.IsNullOrEmpty(state) || alert.State == state)
            .OrderBy(alert => alert.State)
            .ThenBy(alert => alert.Name)
            .ToArray();
        var listed = Page(all, offset, limit);
        return new(all.Length, listed)
        {
            Warnings = answer.Warnings,
            Note = NoteOn(
                all.Length,
                offset,
                listed.Length,
                "narrow with state",
                $"No alert is {state ?? "firing or pending"} right now.",
                answer.Warnings,
                "alerts"
            ),
        };
    }
}

internal sealed record RuleList(int Total, IReadOnlyList<Rule> Rules) : PrometheusList(Total)
{
    internal static RuleList From(PrometheusAnswer answer, string? search, int offset, int limit)
    {
        var all = (
            from grouped in List(answer.Data, "groups")
            let name = Metric.Text(grouped, "name") ?? ""
            from rule in List(grouped, "rules")
            let read = Rule.From(rule, name)
            where Contains(read.Name, search) || Contains(name, search)
            select read
        ).ToArray();
        var listed = Page(all, offset, limit);
        return new(all.Length, listed)
        {
            Warnings = answer.Warnings,
            Note = NoteOn(
                all.Length,
                offset,
                listed.Length,
                "narrow with type or search",
                "There is no such rule.",
                answer.Warnings,
                "rules"
            ),
        };
    }
}

internal sealed record Metric(
    string Name,
    [property: Description("counter, gauge, histogram, summary or unknown. Query a counter with rate() or increase().")]
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

    // Go writes a time that never was as the first of January of the year 1.
    internal static string? Time(JsonElement json, string name) =>
        Text(json, name) is { } time && !time.StartsWith("0001-01-01", StringComparison.Ordinal) ? time : null;

    internal static Dictionary<string, string>? Texts(JsonElement json, string name) =>
        json.TryGetProperty(name, out var labels) && labels.ValueKind is JsonValueKind.Object
            ? labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.ToString())
            : null;
}

internal sealed record Target(
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
            Metric.Time(target, "lastScrape"),
            Metric.Text(target, "scrapePool")
        );

    // Only what was discovered is known of these, which is long: the address and the job identify a target.
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

internal sealed record Alert(
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
            Metric.Time(alert, "activeAt"),
            Metric.Text(alert, "value")
        );
}

internal sealed record Rule(
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
