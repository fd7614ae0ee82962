using System.Globalization;
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

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static bool IsNow(string time) => time.Trim().Equals("now", StringComparison.OrdinalIgnoreCase);

    public static string Unix(DateTimeOffset time) => Seconds(time - DateTimeOffset.UnixEpoch);

    public static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    public static T Read<T>(Func<T> parse)
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
            escaped.Append(
                letter.Value == '_' ? "__"
                : Rune.IsLetterOrDigit(letter) && letter.IsAscii ? letter.ToString()
                : $"_{letter.Value:x}_"
            );
        }

        return escaped.ToString();
    }

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

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_]*$")]
    private static partial Regex ClassicName();

    [GeneratedRegex("_(bytes|seconds)(?![a-z])")]
    private static partial Regex Unit();

    [GeneratedRegex(@"\bi?rate\(")]
    private static partial Regex Rate();
}
