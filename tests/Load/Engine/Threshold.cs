using System.Globalization;
using System.Text.RegularExpressions;

namespace MinimalMcp.Load;

/// <summary>
/// A limit as text: <c>rest.p99 &lt; 20 ms</c>, <c>*.fail &lt;= 0 %</c>, <c>ratio.2025-11-25.rate >= 0.7</c>.
/// </summary>
internal sealed partial record Threshold(string Subject, string Comparison, double Limit, string Text)
{
    // The units of each kind of figure, in the one that the report uses.
    private static readonly Dictionary<string, (string Kind, double Factor)> Units = new(StringComparer.Ordinal)
    {
        ["us"] = ("time", 0.001),
        ["µs"] = ("time", 0.001),
        ["ms"] = ("time", 1),
        ["s"] = ("time", 1000),
        ["%"] = ("share", 1),
        ["/s"] = ("rate", 1),
        ["B"] = ("memory", 1),
        ["KiB"] = ("memory", 1024),
        ["MiB"] = ("memory", 1 << 20),
        [""] = ("plain", 1),
    };

    public static Threshold Parse(string text)
    {
        var match = Form().Match(text);
        if (
            !match.Success
            || !double.TryParse(match.Groups[3].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var limit)
            || !double.IsFinite(limit)
        )
        {
            throw new InvalidOperationException(
                $"'{text}' is no threshold: write a name, a comparison and a limit, for example \"rest.p99 < 20 ms\" "
                    + "or \"*.fail <= 0 %\"."
            );
        }

        var (subject, unit) = (match.Groups[1].Value, match.Groups[4].Value);
        if (!Units.TryGetValue(unit, out var known))
        {
            throw new InvalidOperationException(
                $"'{text}': the unit {unit} is not known; the units are "
                    + $"{string.Join(", ", Units.Keys.Where(name => name.Length > 0))}."
            );
        }

        // A latency without a unit would be read as milliseconds by one and as seconds by the next.
        return IsLatency().IsMatch(subject) != (known.Kind == "time")
            ? throw new InvalidOperationException(
                $"'{text}': a latency has a time such as 20 ms, and nothing else has one."
            )
            : new(subject, match.Groups[2].Value, limit * known.Factor, text.Trim());
    }

    public bool Holds(double value) =>
        Comparison switch
        {
            "<" => value < Limit,
            "<=" => value <= Limit,
            ">" => value > Limit,
            _ => value >= Limit,
        };

    /// <summary>What it says of a run; nothing is a sentence, too: what was not measured did not hold.</summary>
    public IEnumerable<ThresholdResult> Judge(LoadReport report)
    {
        var values = Values(report).ToArray();
        return values.Length == 0
            ? [new(Text, Subject, null, Met: false)]
            : values.Select(found => new ThresholdResult(Text, found.Name, found.Value, Holds(found.Value)));
    }

    private IEnumerable<(string Name, double Value)> Values(LoadReport report)
    {
        var pattern = new Regex(
            $"^{Regex.Escape(Subject).Replace("\\*", "[^.]+", StringComparison.Ordinal)}$",
            RegexOptions.CultureInvariant
        );
        foreach (var figure in report.Figures.Where(figure => pattern.IsMatch(figure.Name)))
        {
            yield return (figure.Name, figure.Value);
        }

        if (Metric().Match(Subject) is not { Success: true } metric)
        {
            yield break;
        }

        foreach (var scenario in report.Scenarios)
        {
            foreach (
                var (name, figures) in scenario
                    .Steps.Select(step => ($"{scenario.Name}.{step.Name}", step))
                    .Prepend((scenario.Name, scenario))
            )
            {
                if (pattern.IsMatch(name + metric.Value) && figures.Metric(metric.Value[1..]) is { } value)
                {
                    yield return (name + metric.Value, value);
                }
            }
        }
    }

    [GeneratedRegex(
        @"^\s*([A-Za-z0-9*][\w.*-]*)\s*(<=|>=|<|>)\s*(-?[0-9.]+(?:e[0-9]+)?)\s*([^\s0-9]*)\s*$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Form();

    [GeneratedRegex(@"^(?!ratio\.).*\.(p50|p75|p95|p99\.9|p99|mean|max)$", RegexOptions.CultureInvariant)]
    private static partial Regex IsLatency();

    [GeneratedRegex(@"\.(rate|mean|p50|p75|p95|p99\.9|p99|max|ok|errors|fail)$", RegexOptions.CultureInvariant)]
    private static partial Regex Metric();
}

/// <param name="Value">Null when nothing of that name was measured.</param>
internal sealed record ThresholdResult(string Text, string Name, double? Value, bool Met);
