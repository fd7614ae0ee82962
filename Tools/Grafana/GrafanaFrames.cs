using System.Globalization;
using System.Text.Json;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Grafana;

/// <summary>A data frame: columns of one length. Times are milliseconds; NaN and infinities, which JSON lacks, are null and listed beside.</summary>
internal sealed class Frame(JsonElement frame)
{
    private readonly JsonElement[] _fields = [.. frame.Member("schema").Items("fields")];
    private readonly JsonElement[] _values = [.. frame.Member("data").Items("values")];
    private readonly JsonElement[] _entities = [.. frame.Member("data").Items("entities")];

    public IEnumerable<string> Notices =>
        frame
            .Member("schema")
            .Member("meta")
            .Items("notices")
            .Select(notice => GrafanaJson.Clean(notice.Text("text") ?? ""))
            .Where(text => text.Length > 0);

    private int TimeField => Array.FindIndex(_fields, column => column.Text("type") == "time");

    private bool IsLog =>
        _fields.Any(column => column.Text("name") is "Line" or "body")
        || frame.Member("schema").Member("meta").Text("preferredVisualisationType") == "logs";

    /// <summary>Each column of numbers beside one of times; none when the frame is a table.</summary>
    public IEnumerable<FrameSeries> Series()
    {
        var time = TimeField;
        if (
            time < 0
            || IsLog
            || _fields.Where((_, i) => i != time).Any(column => column.Text("type") != "number")
            || _values.Length < _fields.Length
        )
        {
            yield break;
        }

        // What has no time has no place in a series.
        var rows = Values(time)
            .Select((value, row) => (Time: TimeOf(value), Row: row))
            .Where(one => one.Time is not null)
            .ToArray();
        DateTimeOffset[] times = [.. rows.Select(one => one.Time!.Value)];
        var interval = TimeSpan.FromMilliseconds(_fields[time].Member("config").Number("interval") ?? 0);
        for (var i = 0; i < _fields.Length; i++)
        {
            if (i != time)
            {
                var (labels, config) = (_fields[i].Pairs("labels") ?? [], _fields[i].Member("config"));
                var name = config.Text("displayNameFromDS")
                    ?? (labels.Count == 0 && _fields[i].Text("name") is { } own && own != "Value" ? own : null);
                var column = Column(i).ToArray();
                yield return new(
                    name,
                    labels,
                    times,
                    [.. rows.Select(one => column.ElementAtOrDefault(one.Row))],
                    interval,
                    config.Text("unit")
                );
            }
        }
    }

    /// <summary>The frame as a table; null when it is a series, or empty.</summary>
    public DataTable? Table(int rows)
    {
        if (_fields.Length == 0 || _values.Length < _fields.Length || !Values(0).Any() || Series().Any())
        {
            return null;
        }

        // Of logs, what Grafana keeps for itself: the time again, in nanoseconds, and an id of the line.
        var shown = Enumerable
            .Range(0, _fields.Length)
            .Where(i => !(IsLog && _fields[i].Text("name") is "tsNs" or "id" or "labelTypes"))
            .ToArray();
        var columns = shown.Select(i => Column(i).ToArray()).ToArray();
        var total = columns.Length == 0 ? 0 : columns.Max(column => column.Length);
        return new(
            total,
            [.. shown.Select(i => _fields[i].Text("name") ?? "")],
            [
                .. Enumerable
                    .Range(0, Math.Min(rows, total))
                    .Select(row =>
                        (IReadOnlyList<string?>)[.. columns.Select(column => column.ElementAtOrDefault(row))]
                    ),
            ]
        );
    }

    public static double NumberOf(string? value) =>
        value switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : double.NaN,
        };

    private IEnumerable<string?> Column(int field)
    {
        var special = new Dictionary<int, string>();
        if (field < _entities.Length)
        {
            foreach (var (name, text) in ((string, string)[])[("NaN", "NaN"), ("Inf", "+Inf"), ("NegInf", "-Inf")])
            {
                foreach (var row in _entities[field].Items(name))
                {
                    if (row.ValueKind is JsonValueKind.Number && row.TryGetInt32(out var number))
                    {
                        special[number] = text;
                    }
                }
            }
        }

        var isTime = _fields[field].Text("type") == "time";
        return Values(field)
            .Select(
                (value, row) =>
                    value.ValueKind is JsonValueKind.Null ? special.GetValueOrDefault(row)
                    : isTime && TimeOf(value) is { } time ? TimeAxis.Show(time)
                    : value.ToString()
            );
    }

    // Null in place of a column that is empty.
    private JsonElement.ArrayEnumerator Values(int field) =>
        _values[field].ValueKind is JsonValueKind.Array ? _values[field].EnumerateArray() : default;

    private static DateTimeOffset? TimeOf(JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.GetDouble() is > -6e13 and < 2e14 and var milliseconds
            ? DateTimeOffset.UnixEpoch.AddMilliseconds(milliseconds)
            : null;
}

internal sealed record FrameSeries(
    string? Name,
    Dictionary<string, string> Labels,
    DateTimeOffset[] Times,
    string?[] Values,
    TimeSpan Interval,
    string? Unit
);
