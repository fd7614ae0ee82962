using System.ComponentModel;
using System.Text.Json;

namespace MinimalMcp.Tools.Prometheus;

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
}

public sealed record NameList(int Total, IReadOnlyList<string> Names) : PrometheusList(Total);

public sealed record SeriesList(int Total, IReadOnlyList<IReadOnlyDictionary<string, string>> Series)
    : PrometheusList(Total);

public sealed record MetricList(int Total, IReadOnlyList<Metric> Metrics) : PrometheusList(Total);

public sealed record TargetList(
    int Total,
    [property: Description("How many of those are up, down or not yet known.")] IReadOnlyDictionary<string, int> Health,
    IReadOnlyList<Target> Targets
) : PrometheusList(Total);

public sealed record AlertList(int Total, IReadOnlyList<Alert> Alerts) : PrometheusList(Total);

public sealed record RuleList(int Total, IReadOnlyList<Rule> Rules) : PrometheusList(Total);

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
