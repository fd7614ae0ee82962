using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Grafana;

/// <summary>The chart of what a data source answered.</summary>
internal static class GrafanaFigures
{
    public static LineChart? Chart(string query, Frame[] frames, TimeAxis axis)
    {
        var series = frames.SelectMany(frame => frame.Series()).ToArray();
        if (series.Length == 0)
        {
            return null;
        }

        var names = Legend.Names([.. series.Select(one => one.Labels)]);
        var lines = series
            .Select(
                (one, i) =>
                    new Line(one.Name ?? names[i], [.. one.Values.Select(value => Frame.NumberOf(value))], one.Times)
            )
            .ToArray();
        // What the data source took for the distance of two points may be more than what it was asked for.
        var step = series.Select(one => one.Interval).Append(axis.Step).Max();
        return new(query, axis with { Step = step }, lines)
        {
            Unit = UnitOf(series.Select(one => one.Unit).FirstOrDefault(unit => unit is not null)),
        };
    }

    // Grafana's names of units.
    private static string UnitOf(string? unit) =>
        unit switch
        {
            "bytes" or "decbytes" => "B",
            "Bps" or "binBps" => "B/s",
            "s" => "s",
            "percent" => "%",
            _ => "",
        };
}

public sealed record DataResult(
    [property: Description("Of the data source.")] string Type,
    string Start,
    string End,
    int TotalSeries,
    [property: Description("Numbers over time.")] IReadOnlyList<DataSeries> Series,
    [property: Description("Anything else: rows of SQL, lines of a log.")] IReadOnlyList<DataTable> Tables,
    [property: Description("Remarks of the data source, what was left out, and which argument to use.")]
        string? Note = null
)
{
    private const int MaxPoints = 2000;

    internal static DataResult From(string type, Frame[] frames, TimeAxis axis, int rows)
    {
        var (all, listed, left) = (
            frames.SelectMany(frame => frame.Series()).ToArray(),
            new List<DataSeries>(),
            MaxPoints
        );
        foreach (var one in all)
        {
            if ((left -= one.Values.Length) < 0 && listed.Count > 0)
            {
                break;
            }

            listed.Add(DataSeries.From(one));
        }

        DataTable[] tables = [.. frames.Select(frame => frame.Table(rows)).OfType<DataTable>()];
        List<string> notes = [.. frames.SelectMany(frame => frame.Notices).Distinct().Take(5)];
        if (axis.Note is { } changed)
        {
            notes.Add(changed);
        }

        if (all.Length == 0 && tables.Length == 0)
        {
            notes.Add(
                "The query gave no data. Check its names and labels, and whether there was data between start and end."
            );
        }

        if (listed.Count < all.Length)
        {
            notes.Add(
                $"Only {listed.Count} of {all.Length} series are listed. Aggregate in query, or lower max_data_points."
            );
        }

        if (tables.Any(table => table.Rows.Count < table.Total))
        {
            notes.Add("Not all rows are listed. Narrow query, or raise limit.");
        }

        return new(
            type,
            TimeAxis.Show(axis.From),
            TimeAxis.Show(axis.To),
            all.Length,
            listed,
            tables,
            notes.Count > 0 ? string.Join(' ', notes) : null
        );
    }
}

public sealed record DataSeries(
    string? Name,
    IReadOnlyDictionary<string, string> Labels,
    [property: Description(
        "Pairs of time and value, oldest first. Values are strings because they may be NaN, +Inf or -Inf."
    )]
        IReadOnlyList<IReadOnlyList<string?>> Points,
    double? Min,
    double? Max
)
{
    internal static DataSeries From(FrameSeries series)
    {
        var finite = series.Values.Select(Frame.NumberOf).Where(double.IsFinite).ToArray();
        return new(
            series.Name,
            series.Labels,
            [.. series.Times.Zip(series.Values, (time, value) => (IReadOnlyList<string?>)[TimeAxis.Show(time), value])],
            finite.Length > 0 ? finite.Min() : null,
            finite.Length > 0 ? finite.Max() : null
        );
    }
}

public sealed record DataTable(int Total, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string?>> Rows);

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
