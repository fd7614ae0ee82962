using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>Of what Prometheus has much of: what was asked for, as much as a model reads, and how to see the rest.</summary>
internal static partial class PrometheusLists
{
    public static NameList Names(
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
            Note = PrometheusList.NoteOn(all.Length, offset, names.Length, narrow, none),
        };
    }

    public static async Task<MetricList> MetricsAsync(
        this PrometheusClient prometheus,
        string? search,
        int offset,
        int limit,
        CancellationToken ct
    )
    {
        var names = await prometheus.AskAsync("label/__name__/values", ct, ("limit", PrometheusReads.ServerLimit));
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
            .Read(answer => answer.Data.EnumerateArray().Select(name => Describe(name.GetString() ?? "", known)))
            .Where(metric => words.All(word => Contains(metric.Name, word) || Contains(metric.Help ?? "", word)))
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

    public static TargetList Targets(JsonElement data, string state, string? health, string? pool, int limit)
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
            Note = PrometheusList.NoteOn(
                wanted.Length,
                0,
                listed.Length,
                "Narrow with health or scrape_pool, or raise limit.",
                "There is no such target."
            ),
        };
    }

    public static AlertList Alerts(JsonElement data, string? state, int limit)
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
            Note = PrometheusList.NoteOn(
                all.Length,
                0,
                listed.Length,
                "Narrow with state, or raise limit.",
                "No alert is " + (state ?? "firing or pending") + " right now."
            ),
        };
    }

    public static RuleList Rules(JsonElement data, string? search, int limit)
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
            Note = PrometheusList.NoteOn(
                all.Length,
                0,
                listed.Length,
                "Narrow with type or search, or raise limit.",
                "There is no such rule."
            ),
        };
    }

    public static SeriesList FoundSeries(PrometheusAnswer answer, int limit, string lookback)
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
            Note = PrometheusList.NoteOn(
                total,
                0,
                series.Length,
                "Narrow match with more labels, or raise limit.",
                $"No series matched in the last {lookback}. A longer lookback may find some."
            ),
        };
    }

    public static MetricList Metadata(JsonElement data, string? metric, int limit)
    {
        var all = Metric.From(data).ToArray();
        var listed = all.Take(limit).ToArray();
        return new(all.Length, listed)
        {
            Note = PrometheusList.NoteOn(
                all.Length,
                0,
                listed.Length,
                "Name the metric, or use prometheus_list_metrics.",
                $"Nothing is known about \"{metric}\". prometheus_list_metrics finds names."
            ),
        };
    }

    // The parts of a histogram and a summary are described under the name of the whole.
    private static Metric Describe(string name, Dictionary<string, Metric> known)
    {
        var whole = Part().Replace(name, "");
        return known.TryGetValue(name, out var metric) || known.TryGetValue(whole, out metric)
            ? metric with
            {
                Name = name,
            }
            : new(name);
    }

    private static JsonElement.ArrayEnumerator List(JsonElement json, string name) =>
        json.GetProperty(name) is { ValueKind: not JsonValueKind.Null } list ? list.EnumerateArray() : default; // Go writes an empty list as null

    private static bool Contains(string text, string? part) =>
        string.IsNullOrEmpty(part) || text.Contains(part, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("_(bucket|count|sum)$")]
    private static partial Regex Part();
}
