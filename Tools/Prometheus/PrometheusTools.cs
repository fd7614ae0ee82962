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

/// <summary>Queries Prometheus. Nothing here changes anything; its admin API is left out.</summary>
[McpServerToolType]
internal sealed class PrometheusTools(PrometheusClient prometheus, TimeProvider clock)
{
    // The number of values of a series that a model is shown. Prometheus itself refuses more than 11,000.
    private const int MaxPoints = 251;

    // For names, at servers that know the parameter: older ones send all.
    private const string ServerLimit = "20000";

    // A chart of more series than this says no more, and would be slow to draw.
    private const int MaxChartSeries = 1000;

    private const string Offset =
        "How many items to skip. Default 0. Use the offset that the note of the previous answer names.";

    private static readonly TimeSpan FinestStep = TimeSpan.FromSeconds(15);

    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
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
        "Evaluate a PromQL expression at one moment. Returns the value of each series, or the scalar or string. "
            + "Use it for current values; use prometheus_query_range for values over time, and "
            + "prometheus_list_metrics to find the name of a metric. Lists at most 1000 series; offset gives the rest."
    )]
    public async Task<QueryResult> Query(
        [
            Description("A PromQL expression, for example sum by (job) (rate(http_requests_total[5m]))."),
            StringLength(50_000, MinimumLength = 1)
        ]
            string query,
        [
            Description(
                "The time to evaluate at: now, a span back from now (15m, 7d), yesterday, RFC 3339 "
                    + "(2026-01-31T12:00:00Z) or Unix seconds. Default now."
            ),
            StringLength(60, MinimumLength = 1)
        ]
            string time = "now",
        [Description("The highest number of series to list, 1 to 1000. Default 100."), Range(1, 1000)] int limit = 100,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var now = clock.GetUtcNow();
        var at = Read(() => TimeAxis.ParseTime(time, now));
        return (await prometheus.AskAsync("query", ct, ("query", query), ("time", at == now ? null : Unix(at)))).Read(
            answer => QueryResult.From(answer, offset, limit, at)
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
        "Evaluate a PromQL expression over a time range. Returns values in even steps, the minimum, maximum, average "
            + "and last value of each series, and a line chart on request. Use prometheus_query for current "
            + "values only. Query counters with rate() or increase(). Returns at most 251 values of a series."
    )]
    public async Task<CallToolResult> QueryRange(
        [
            Description("A PromQL expression, for example rate(node_cpu_seconds_total{mode!=\"idle\"}[5m])."),
            StringLength(50_000, MinimumLength = 1)
        ]
            string query,
        [
            Description(
                "The start: a span back from now (1h, 7d, now-1h30m), yesterday, now/d, RFC 3339 "
                    + "(2026-01-31T12:00:00Z) or Unix seconds."
            ),
            StringLength(60, MinimumLength = 1)
        ]
            string start,
        [
            Description("The end, in the forms of start. A day means its end. Default now."),
            StringLength(60, MinimumLength = 1)
        ]
            string end = "now",
        [
            Description(
                "The time between two values, for example 15s, 1m, 1h, or seconds. "
                    + "Default: a step that gives about 250 values."
            ),
            StringLength(20, MinimumLength = 1)
        ]
            string? step = null,
        [Description("true also returns a line chart (PNG) of the 12 largest series. Default false.")]
            bool chart = false,
        [Description("The highest number of series to list, 1 to 100. Default 20."), Range(1, 100)] int limit = 20,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var axis = Read(() => TimeAxis.Parse(start, end, step, clock.GetUtcNow(), MaxPoints, FinestStep));
        var answer = await prometheus.AskAsync(
            "query_range",
            ct,
            ("query", query),
            ("start", Unix(axis.From)),
            ("end", Unix(axis.To)),
            ("step", Seconds(axis.Step)),
            // VictoriaMetrics otherwise rounds start down to the step, for its cache. Prometheus ignores the parameter.
            ("nocache", "1")
        );
        var result = answer.Read(data => QueryResult.From(data, offset, limit, axis: axis));
        byte[]? picture = null;
        if (chart && result.Series is { Count: > 0 })
        {
            var drawn = answer.Read(data => SeriesOf(data, axis));
            picture = PrometheusFigures.Chart(query, drawn, axis).ToPng();
            if (PrometheusFigures.LinesOf(drawn) is > LineChart.MaxLines and var lines)
            {
                var note = $"The chart shows the {LineChart.MaxLines} largest of {lines} lines.";
                result = result with { Note = $"{result.Note} {note}".Trim() };
            }
        }

        return new()
        {
            StructuredContent = JsonSerializer.SerializeToElement(result, Json),
            Content = picture is null ? [] : [ImageContentBlock.FromBytes(picture, "image/png")],
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
        "Search for metrics by words of their name or help text. Returns names with type, help and unit. Start here "
            + "when you do not know what a metric is called. Lists at most 500 at once; offset gives the rest."
    )]
    public async Task<MetricList> ListMetrics(
        [
            Description(
                "Words that must all occur in the name or help, for example cpu seconds. Default: all metrics."
            ),
            StringLength(200)
        ]
            string? search = null,
        [Description("The highest number of metrics to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
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
        var list = MetricList.From(
            all,
            offset,
            limit,
            "narrow with search",
            "No metric has these words. Try fewer or shorter ones.",
            names.Warnings
        );
        return missing.Length == 0 ? list : list with { Note = (list.Note + missing).Trim() };
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
        "List the names of labels that series have, for example job or instance. Use prometheus_list_label_values for "
            + "the values of one label. Lists at most 1000 at once; offset gives the rest."
    )]
    public async Task<NameList> ListLabelNames(
        [
            Description("Only labels of series that match this selector, for example up{job=\"api\"}. Default: all."),
            StringLength(10_000)
        ]
            string? match = null,
        [Description("The highest number of names to list, 1 to 1000. Default 200."), Range(1, 1000)] int limit = 200,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    ) =>
        (await prometheus.AskAsync("labels", ct, ("match[]", match), ("limit", ServerLimit))).Read(answer =>
            NameList.From(
                answer,
                null,
                offset,
                limit,
                "narrow with match",
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
        "List the values of one label, for example every job. Use prometheus_list_metrics for the names of metrics: it "
            + "also returns what they mean. Lists at most 1000 at once; offset gives the rest."
    )]
    public async Task<NameList> ListLabelValues(
        [Description("The label, for example job, instance or __name__."), StringLength(500, MinimumLength = 1)]
            string label,
        [
            Description("Only values of series that match this selector, for example up{job=\"api\"}. Default: all."),
            StringLength(10_000)
        ]
            string? match = null,
        [Description("Only values that contain this text, for example prod. Default: all."), StringLength(200)]
            string? filter = null,
        [Description("The highest number of values to list, 1 to 1000. Default 200."), Range(1, 1000)] int limit = 200,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
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
                "narrow with match or filter",
                $"There are no values of \"{label}\"{(match ?? filter) switch { null => "", _ => " that match" }}. "
                    + "prometheus_list_label_names returns the labels that exist."
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
        "List the series that match a selector and had samples lately. Returns their labels and no values: use "
            + "prometheus_query for values. Lists at most 500 at once; offset gives the rest."
    )]
    public async Task<SeriesList> FindSeries(
        [
            Description("A series selector, for example up{job=\"prometheus\"} or {__name__=~\"node_.*\"}."),
            StringLength(10_000, MinimumLength = 1)
        ]
            string match,
        [
            Description("How far to look back, for example 30m, 24h, 7d, or seconds. Default 1h."),
            StringLength(20, MinimumLength = 1)
        ]
            string lookback = "1h",
        [Description("The highest number of series to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
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
        ).Read(answer => SeriesList.From(answer, offset, limit, lookback));
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
        "List the targets that Prometheus scrapes. Returns health, last scrape, labels and the error of those that are "
            + "down. Use health=down to see only what is broken. Lists at most 500 at once; offset gives the rest."
    )]
    public async Task<TargetList> ListTargets(
        [Description(
            "active: targets that are scraped (default). dropped: targets that relabelling removed, often very many."
        )]
        [AllowedValues("active", "dropped")]
            string state = "active",
        [Description("Only targets with this health. Default: all.")]
        [AllowedValues("up", "down", "unknown")]
            string? health = null,
        [
            Description("Only targets of this scrape pool, which is usually the job, for example node. Default: all."),
            StringLength(500)
        ]
            string? scrape_pool = null,
        [Description("The highest number of targets to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    ) =>
        (await prometheus.AskAsync("targets", ct, ("state", state), ("scrapePool", scrape_pool))).Read(answer =>
            TargetList.From(answer, state, health, scrape_pool, offset, limit)
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
        "Read type, unit and help text of one metric by its exact name. Call it before you query a metric that you do "
            + "not know: a counter needs rate(). Use prometheus_list_metrics to search by words."
    )]
    public async Task<MetricList> GetMetadata(
        [
            Description("The name of the metric, for example node_cpu_seconds_total. Default: all metrics."),
            StringLength(500)
        ]
            string? metric = null,
        [Description("The highest number of metrics to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var answer = await MetadataAsync(metric);
        var found = answer.Read(data => Metric.From(data.Data).ToArray());
        if (found.Length == 0 && metric is not null && MetricList.Whole(metric) is var whole && whole != metric)
        {
            // The parts of a histogram and the counters of OpenMetrics are described under a shorter name.
            answer = await MetadataAsync(whole);
            found = answer.Read(data => Metric.From(data.Data).Select(one => one with { Name = metric }).ToArray());
        }

        return MetricList.From(
            found,
            offset,
            limit,
            "name the metric, or use prometheus_list_metrics",
            $"Nothing is known about \"{metric}\". prometheus_list_metrics finds names.",
            answer.Warnings
        );

        Task<PrometheusAnswer> MetadataAsync(string? name) =>
            prometheus.AskAsync(
                "metadata",
                ct,
                ("metric", name),
                ("limit_per_metric", string.IsNullOrEmpty(name) ? "1" : null)
            );
    }

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
        "List the alerts that are firing or pending right now. Returns labels, annotations, value and since when. "
            + "Use prometheus_list_rules for the rules behind them. Lists at most 500 at once; offset gives the rest."
    )]
    public async Task<AlertList> ListAlerts(
        [Description("Only alerts in this state. Default: both.")]
        [AllowedValues("firing", "pending")]
            string? state = null,
        [Description("The highest number of alerts to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    ) => (await prometheus.AskAsync("alerts", ct)).Read(answer => AlertList.From(answer, state, offset, limit));

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
        "List alerting and recording rules. Returns their PromQL, state, health and last error. Use it to see what "
            + "would alert, or why a rule fails. Lists at most 500 at once; offset gives the rest."
    )]
    public async Task<RuleList> ListRules(
        [Description("Only rules of this type: alert or record. Default: both.")]
        [AllowedValues("alert", "record")]
            string? type = null,
        [
            Description("Only rules whose name or group contains this text, for example disk. Default: all."),
            StringLength(200)
        ]
            string? search = null,
        [Description("The highest number of rules to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    ) =>
        (await prometheus.AskAsync("rules", ct, ("type", type), ("exclude_alerts", "true"))).Read(answer =>
            RuleList.From(answer, search, offset, limit)
        );

    private static Series[] SeriesOf(PrometheusAnswer answer, TimeAxis axis) =>
        [
            .. answer
                .Data.GetProperty("result")
                .EnumerateArray()
                .Take(MaxChartSeries)
                .Select(item => Series.From(item, axis)),
        ];

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
