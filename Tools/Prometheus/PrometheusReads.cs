using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MinimalMcp.Charts;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Prometheus;

/// <summary>From arguments to what Prometheus reads, and from its answers to what a model reads.</summary>
internal static partial class PrometheusReads
{
    /// <summary>Values of a series that a model is shown. Prometheus itself refuses more than 11,000.</summary>
    public const int MaxPoints = 251;

    /// <summary>Of names, asked of servers that know the parameter: older ones send all.</summary>
    public const string ServerLimit = "20000";

    public static readonly TimeSpan FinestStep = TimeSpan.FromSeconds(15);

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static bool IsNow(string time) => string.IsNullOrWhiteSpace(time) || time.Trim().Equals("now", StringComparison.OrdinalIgnoreCase);

    public static string Unix(DateTimeOffset time) => Seconds(time - DateTimeOffset.UnixEpoch);

    public static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    public static T Read<T>(Func<T> parse)
    {
        try { return parse(); }
        catch (FormatException wrong) { throw new McpException(wrong.Message); }
    }

    /// <summary>A label in a path. Names that are not classic ones are written as Prometheus 3 wants them: U__ and each other letter by its number.</summary>
    public static string Escape(string label)
    {
        if (ClassicName().IsMatch(label))
        {
            return label;
        }

        var escaped = new StringBuilder("U__");
        foreach (var letter in label.EnumerateRunes())
        {
            escaped.Append(letter.Value == '_' ? "__" : Rune.IsLetterOrDigit(letter) && letter.IsAscii ? letter.ToString() : $"_{letter.Value:x}_");
        }

        return escaped.ToString();
    }

    public static NameList Names(PrometheusAnswer answer, string? filter, int offset, int limit, string narrow, string none)
    {
        var all = answer.Data.EnumerateArray().Select(name => name.GetString() ?? "").Where(name => Contains(name, filter)).ToArray();
        var names = all.Skip(offset).Take(limit).ToArray();
        return new(all.Length, names) { Warnings = answer.Warnings, Note = PrometheusList.NoteOn(all.Length, offset, names.Length, narrow, none) };
    }

    public static async Task<MetricList> MetricsAsync(this PrometheusClient prometheus, string? search, int offset, int limit, CancellationToken ct)
    {
        var names = await prometheus.AskAsync("label/__name__/values", ct, ("limit", ServerLimit));
        var (known, missing) = (new Dictionary<string, Metric>(), "");
        try
        {
            var metadata = await prometheus.AskAsync("metadata", ct, ("limit_per_metric", "1"));
            known = Metric.From(metadata.Data).GroupBy(metric => metric.Name).ToDictionary(metric => metric.Key, metric => metric.First());
        }
        catch (HttpRequestException failed) when (failed.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
        {
            missing = " Types and help are missing: " + failed.Message;
        }

        var words = (search ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var all = names.Data.EnumerateArray().Select(name => Describe(name.GetString() ?? "", known))
            .Where(metric => words.All(word => Contains(metric.Name, word) || Contains(metric.Help ?? "", word))).ToArray();
        var listed = all.Skip(offset).Take(limit).ToArray();
        var note = PrometheusList.NoteOn(all.Length, offset, listed.Length, "Narrow with search, or go on with offset.", "No metric has these words. Try fewer or shorter ones.") + missing;
        return new(all.Length, listed) { Warnings = names.Warnings, Note = note.Length > 0 ? note.Trim() : null };
    }

    public static TargetList Targets(JsonElement data, string state, string? health, string? pool, int limit)
    {
        var all = (state == "dropped" ? List(data, "droppedTargets").Select(Target.Dropped) : List(data, "activeTargets").Select(Target.From))
            .Where(target => string.IsNullOrEmpty(pool) || target.ScrapePool is null || target.ScrapePool == pool).ToArray(); // 2.42 does not know the parameter
        var counts = all.GroupBy(target => target.Health ?? "unknown").ToDictionary(group => group.Key, group => group.Count());
        var wanted = all.Where(target => string.IsNullOrEmpty(health) || target.Health == health).ToArray();
        var listed = wanted.Take(limit).ToArray();
        return new(wanted.Length, counts, listed) { Note = PrometheusList.NoteOn(wanted.Length, 0, listed.Length, "Narrow with health or scrape_pool, or raise limit.", "There is no such target.") };
    }

    public static AlertList Alerts(JsonElement data, string? state, int limit)
    {
        var all = List(data, "alerts").Select(Alert.From).Where(alert => string.IsNullOrEmpty(state) || alert.State == state).OrderBy(alert => alert.State).ThenBy(alert => alert.Name).ToArray();
        var listed = all.Take(limit).ToArray();
        return new(all.Length, listed) { Note = PrometheusList.NoteOn(all.Length, 0, listed.Length, "Narrow with state, or raise limit.", "No alert is " + (state ?? "firing or pending") + " right now.") };
    }

    public static RuleList Rules(JsonElement data, string? search, int limit)
    {
        var all = (from grouped in List(data, "groups")
                   let name = Metric.Text(grouped, "name") ?? ""
                   from rule in List(grouped, "rules")
                   let read = Rule.From(rule, name)
                   where Contains(read.Name, search) || Contains(name, search)
                   select read).ToArray();
        var listed = all.Take(limit).ToArray();
        return new(all.Length, listed) { Note = PrometheusList.NoteOn(all.Length, 0, listed.Length, "Narrow with type or search, or raise limit.", "There is no such rule.") };
    }

    public static LineChart Chart(string query, QueryResult result, TimeAxis axis)
    {
        var names = Legend.Names([.. result.Series!.Select(series => series.Metric)]);
        var lines = result.Series!.Select((series, i) => new Line(names[i], [.. series.Values!.Select(value => value is null ? double.NaN : Series.Number(value))]));
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

    // The parts of a histogram and a summary are described under the name of the whole.
    private static Metric Describe(string name, Dictionary<string, Metric> known)
    {
        var whole = Part().Replace(name, "");
        return known.TryGetValue(name, out var metric) || known.TryGetValue(whole, out metric) ? metric with { Name = name } : new(name);
    }

    private static JsonElement.ArrayEnumerator List(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) && list.ValueKind is JsonValueKind.Array ? list.EnumerateArray() : default;

    private static bool Contains(string text, string? part) => string.IsNullOrEmpty(part) || text.Contains(part, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_]*$")]
    private static partial Regex ClassicName();

    [GeneratedRegex("_(bucket|count|sum)$")]
    private static partial Regex Part();

    [GeneratedRegex("_(bytes|seconds)(?![a-z])")]
    private static partial Regex Unit();

    [GeneratedRegex(@"\bi?rate\(")]
    private static partial Regex Rate();
}
