using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using MinimalMcp.Charts;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>What a model can ask Prometheus. Nothing here changes anything; its admin API stays out.</summary>
[McpServerToolType]
public sealed class PrometheusTools(PrometheusClient prometheus, TimeProvider clock)
{
    /// <summary>Values of a series that a model is shown. Prometheus itself refuses more than 11,000.</summary>
    private const int MaxPoints = 251;

    /// <summary>Of names, asked of servers that know the parameter: older ones send all.</summary>
    private const string ServerLimit = "20000";

    private static readonly TimeSpan FinestStep = TimeSpan.FromSeconds(15);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    [McpServerTool(
        Name = "prometheus_query",
        Title = "Query Prometheus",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Evaluates a PromQL expression at one moment: the current value of metrics, sums, rates. For a development over time use prometheus_query_range; for names of metrics prometheus_list_metrics."
    )]
    public async Task<QueryResult> Query(
        [
            Description("PromQL, for example: sum by (job) (rate(http_requests_total[5m]))"),
            StringLength(50_000, MinimumLength = 1)
        ]
            string query,
        [
            Description("When to evaluate: now, a span back from now (15m, 7d), RFC 3339 or Unix seconds."),
            StringLength(60, MinimumLength = 1)
        ]
            string time = "now",
        [Description("At most this many series."), Range(1, 1000)] int limit = 100,
        CancellationToken ct = default
    )
    {
        var at = IsNow(time) ? null : Unix(Read(() => TimeAxis.ParseTime(time, clock.GetUtcNow())));
        return (await prometheus.AskAsync("query", ct, ("query", query), ("time", at))).Read(answer =>
            QueryResult.From(answer, limit)
        );
    }

    [McpServerTool(
        Name = "prometheus_query_range",
        Title = "Query Prometheus over time",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true,
        OutputSchemaType = typeof(QueryResult)
    )]
    [Description(
        "Evaluates a PromQL expression over a time span: values in even steps with min, max, average and last of each series, and a line chart when asked. Counters need rate() or increase()."
    )]
    public async Task<CallToolResult> QueryRange(
        [
            Description("PromQL, for example: rate(node_cpu_seconds_total{mode!=\"idle\"}[5m])"),
            StringLength(50_000, MinimumLength = 1)
        ]
            string query,
        [
            Description("Beginning: a span back from now (1h, 7d, now-1h30m), RFC 3339 or Unix seconds."),
            StringLength(60, MinimumLength = 1)
        ]
            string start,
        [Description("End, in the same forms."), StringLength(60, MinimumLength = 1)] string end = "now",
        [
            Description(
                "From one value to the next, for example 15s, 1m, 1h, or seconds. Leave out for a fitting one: about 250 values."
            ),
            StringLength(20, MinimumLength = 1)
        ]
            string? step = null,
        [Description("Also draw the series as a picture.")] bool chart = false,
        [Description("At most this many series."), Range(1, 100)] int limit = 20,
        CancellationToken ct = default
    )
    {
        var axis = Read(() => TimeAxis.Parse(start, end, step, clock.GetUtcNow(), MaxPoints, FinestStep));
        var asked = await prometheus.AskAsync(
            "query_range",
            ct,
            ("query", query),
            ("start", Unix(axis.From)),
            ("end", Unix(axis.To)),
            ("step", Seconds(axis.Step))
        );
        var result = asked.Read(answer => QueryResult.From(answer, limit, axis));
        return new()
        {
            StructuredContent = JsonSerializer.SerializeToElement(result, Json),
            Content =
                chart && result.Series is { Count: > 0 }
                    ? [ImageContentBlock.FromBytes(PrometheusFigures.Chart(query, result, axis).ToPng(), "image/png")]
                    : [],
        };
    }

    [McpServerTool(
        Name = "prometheus_list_metrics",
        Title = "Find metrics",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Finds metrics by words of their name or help text, with type and unit. Start here when you do not know what a metric is called."
    )]
    public async Task<MetricList> ListMetrics(
        [Description("Words that must all occur, for example \"cpu seconds\". Leave out for all."), StringLength(200)]
            string? search = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        [Description("How many to skip, to page on."), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var names = await prometheus.AskAsync("label/__name__/values", ct, ("limit", ServerLimit));
        var (known, missing) = (new Dictionary<string, Metric>(), "");
        try
        {
            var metadata = await prometheus.AskAsync("metadata", ct, ("limit_per_metric", "1"));
            known = metadata
                .Read(answer => Metric.From(answer.Data).ToArray())
                .GroupBy(metric => metric.Name)
                .ToDictionary(metric => metric.Key, metric => metric.First());
        }
        catch (HttpRequestException failed)
            when (failed.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
        {
            missing = " Types and help are missing: " + failed.Message;
        }

        var words = (search ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var all = names
            .Read(answer =>
                answer.Data.EnumerateArray().Select(name => MetricList.Describe(name.GetString() ?? "", known))
            )
            .Where(metric =>
                words.All(word =>
                    PrometheusList.Contains(metric.Name, word) || PrometheusList.Contains(metric.Help ?? "", word)
                )
            )
            .ToArray();
        var listed = all.Skip(offset).Take(limit).ToArray();
        var note =
            PrometheusList.NoteOn(
                all.Length,
                offset,
                listed.Length,
                "Narrow with search, or go on with offset.",
                "No metric has these words. Try fewer or shorter ones."
            ) + missing;
        return new(all.Length, listed) { Warnings = names.Warnings, Note = note.Length > 0 ? note.Trim() : null };
    }

    [McpServerTool(
        Name = "prometheus_list_label_names",
        Title = "List label names",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists the label names that series have, for example job or instance. Use prometheus_list_label_values for the values of one."
    )]
    public async Task<NameList> ListLabelNames(
        [
            Description("Only labels of series that match this selector, for example up{job=\"api\"}."),
            StringLength(10_000)
        ]
            string? match = null,
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    ) =>
        (await prometheus.AskAsync("labels", ct, ("match[]", match), ("limit", ServerLimit))).Read(answer =>
            NameList.From(
                answer,
                null,
                0,
                limit,
                "Narrow with match.",
                "No series has labels" + (match is null ? "." : ": nothing matches the selector.")
            )
        );

    [McpServerTool(
        Name = "prometheus_list_label_values",
        Title = "List label values",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists the values that a label has, for example every job. For names of metrics prometheus_list_metrics says more than the label __name__."
    )]
    public async Task<NameList> ListLabelValues(
        [Description("The label, for example job, instance or __name__."), StringLength(500, MinimumLength = 1)]
            string label,
        [
            Description("Only values of series that match this selector, for example up{job=\"api\"}."),
            StringLength(10_000)
        ]
            string? match = null,
        [Description("Only values that contain this."), StringLength(200)] string? filter = null,
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        [Description("How many to skip, to page on."), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    ) =>
        (
            await prometheus.AskAsync(
                $"label/{PrometheusClient.Escape(label)}/values",
                ct,
                ("match[]", match),
                ("limit", ServerLimit)
            )
        ).Read(answer =>
            NameList.From(
                answer,
                filter,
                offset,
                limit,
                "Narrow with match or filter, or go on with offset.",
                $"There are no values of \"{label}\"{(match ?? filter) switch { null => "", _ => " that match" }}. prometheus_list_label_names has the labels that exist."
            )
        );

    [McpServerTool(
        Name = "prometheus_find_series",
        Title = "Find series",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists the series, as sets of labels, that match a selector and had data lately. It gives no values: use prometheus_query for these."
    )]
    public async Task<SeriesList> FindSeries(
        [
            Description("A selector, for example up{job=\"prometheus\"} or {__name__=~\"node_.*\"}."),
            StringLength(10_000, MinimumLength = 1)
        ]
            string match,
        [Description("How far back to look, for example 1h, 24h, 7d, or seconds."), StringLength(20, MinimumLength = 1)]
            string lookback = "1h",
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    )
    {
        var now = clock.GetUtcNow();
        var start = now - Read(() => TimeAxis.ParseDuration(lookback));
        return (
            await prometheus.AskAsync(
                "series",
                ct,
                ("match[]", match),
                ("start", Unix(start)),
                ("end", Unix(now)),
                ("limit", ServerLimit)
            )
        ).Read(answer => SeriesList.From(answer, limit, lookback));
    }

    [McpServerTool(
        Name = "prometheus_list_targets",
        Title = "List scrape targets",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists what Prometheus scrapes, with health and the error of those that are down. Use health=down to see only what is broken."
    )]
    public async Task<TargetList> ListTargets(
        [Description(
            "active: those that are scraped; dropped: those that relabelling took out, which may be very many."
        )]
        [AllowedValues("active", "dropped")]
            string state = "active",
        [Description("Only targets with this health.")] [AllowedValues("up", "down", "unknown")] string? health = null,
        [Description("Only targets of this scrape pool, which is mostly the job."), StringLength(500)]
            string? scrape_pool = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    ) =>
        (await prometheus.AskAsync("targets", ct, ("state", state), ("scrapePool", scrape_pool))).Read(answer =>
            TargetList.From(answer.Data, state, health, scrape_pool, limit)
        );

    [McpServerTool(
        Name = "prometheus_get_metadata",
        Title = "Describe metrics",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Tells type, unit and help text of a metric. Ask before you use a metric that you do not know: a counter needs rate()."
    )]
    public async Task<MetricList> GetMetadata(
        [Description("The metric, without _bucket, _count or _sum. Leave out for all."), StringLength(500)]
            string? metric = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    ) =>
        (
            await prometheus.AskAsync(
                "metadata",
                ct,
                ("metric", metric),
                ("limit_per_metric", string.IsNullOrEmpty(metric) ? "1" : null)
            )
        ).Read(answer => MetricList.From(answer.Data, metric, limit));

    [McpServerTool(
        Name = "prometheus_list_alerts",
        Title = "List alerts",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists the alerts that are firing or pending right now, with their labels, since when, and what their annotations say."
    )]
    public async Task<AlertList> ListAlerts(
        [Description("Only alerts in this state.")] [AllowedValues("firing", "pending")] string? state = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    ) => (await prometheus.AskAsync("alerts", ct)).Read(answer => AlertList.From(answer.Data, state, limit));

    [McpServerTool(
        Name = "prometheus_list_rules",
        Title = "List rules",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists alerting and recording rules with their PromQL, state and health. Use it to see what would alert, or why a rule fails."
    )]
    public async Task<RuleList> ListRules(
        [Description("Only rules of this type.")] [AllowedValues("alert", "record")] string? type = null,
        [Description("Only rules whose name or group contains this."), StringLength(200)] string? search = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    ) =>
        (await prometheus.AskAsync("rules", ct, ("type", type), ("exclude_alerts", "true"))).Read(answer =>
            RuleList.From(answer.Data, search, limit)
        );

    private static bool IsNow(string time) => time.Trim().Equals("now", StringComparison.OrdinalIgnoreCase);

    private static string Unix(DateTimeOffset time) => Seconds(time - DateTimeOffset.UnixEpoch);

    private static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    private static T Read<T>(Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (FormatException wrong)
        {
            throw new McpException(wrong.Message);
        }
    }
}
