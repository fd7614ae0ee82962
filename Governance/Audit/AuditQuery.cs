using System.Globalization;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>The filters of the audit log, as its API and its page have them in the query of their URL.</summary>
internal static class AuditQuery
{
    public const int MaxLimit = 1000;

    private static readonly string[] Names =
    [
        "subject",
        "tool",
        "outcome",
        "surface",
        "level",
        "call",
        "trace",
        "from",
        "to",
        "before",
        "limit",
        "format",
    ];

    /// <summary>The filter; null when something in the query is wrong, with a sentence that says what.</summary>
    public static AuditFilter? Read(IQueryCollection query, out string? wrong)
    {
        wrong = query.Keys.Except(Names).FirstOrDefault() is { } unknown
            ? $"'{unknown}' is not a filter. Filters are subject, tool, outcome, surface, level, call (the "
                + "correlation id), trace (a trace id), from and to (times), before (an entry's seq), limit and format."
            : null;
        var limit = Number("limit", ref wrong) ?? 100;
        if (Text("format") is not (null or "json" or "jsonl" or "csv"))
        {
            wrong ??= "'format' must be json, jsonl or csv.";
        }

        var filter = new AuditFilter(
            Text("subject"),
            Text("tool"),
            Text("outcome"),
            Text("call"),
            Time("from", ref wrong),
            Time("to", ref wrong),
            Number("before", ref wrong),
            (int)Math.Clamp(limit, 1, MaxLimit),
            Text("trace"),
            Text("surface"),
            Text("level")?.ToUpperInvariant()
        );
        return wrong is null ? filter : null;

        string? Text(string name) =>
            query[name] is [{ } value, ..] && value.Trim() is { Length: > 0 } text ? text : null;

        long? Number(string name, ref string? wrong)
        {
            if (Text(name) is not { } text)
            {
                return null;
            }

            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                wrong ??= $"'{name}' must be a number.";
            }

            return number;
        }

        long? Time(string name, ref string? wrong)
        {
            if (Text(name) is not { } text)
            {
                return null;
            }

            if (
                !DateTimeOffset.TryParse(
                    text,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out var time
                )
            )
            {
                wrong ??= $"'{name}' must be a time such as 2026-11-21T08:00:00Z.";
            }

            return time.ToUnixTimeMilliseconds();
        }
    }
}
