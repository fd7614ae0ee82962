using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using MinimalMcp.Charts;

namespace MinimalMcp.Tools.Grafana;

/// <summary>The chart of the series that a data source returned.</summary>
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
        // The data source may have chosen a longer interval than it was asked for.
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

internal sealed record DataResult(
    [property: Description("The type of the data source.")] string Type,
    string Start,
    string End,
    [property: Description("How many series there are, whether listed or not.")] int TotalSeries,
    [property: Description("Numbers over time.")] IReadOnlyList<DataSeries> Series,
    [property: Description("Anything else: rows of SQL, lines of a log.")] IReadOnlyList<DataTable> Tables,
    [property: Description("Remarks of the data source, and what was left out with the argument that gives the rest.")]
        string? Note = null
)
{
    internal const int MaxPoints = 2000;

    internal static DataResult From(string type, Frame[] frames, TimeAxis axis, int offset, int limit, bool hasChart)
    {
        var all = frames.SelectMany(frame => frame.Series()).ToArray();
        var (listed, left) = (new List<DataSeries>(), MaxPoints);
        foreach (var one in all.Skip(offset))
        {
            if ((left -= one.Values.Length) < 0 && listed.Count > 0)
            {
                break;
            }

            listed.Add(DataSeries.From(one));
        }

        DataTable[] tables = [.. frames.Select(frame => frame.Table(offset, limit)).OfType<DataTable>()];
        List<string?> notes = [.. frames.SelectMany(frame => frame.Notices).Distinct().Take(5), axis.Note];
        if (all.Length == 0 && tables.Length == 0)
        {
            notes.Add(
                "The query returned no data. Check its names and labels, and whether there was data between start "
                    + "and end."
            );
        }

        if (offset + listed.Count < all.Length)
        {
            notes.Add(
                $"These are {listed.Count} of {all.Length} series, from number {offset + 1}. "
                    + $"Go on with offset={offset + listed.Count}, aggregate in query, or lower max_data_points."
            );
        }

        if (listed.FirstOrDefault(series => series.Total is not null) is { } long_)
        {
            notes.Add(
                $"Only the first {MaxPoints} of {long_.Total} values of a series are listed. "
                    + $"Go on with start={long_.Points[^1][0]}."
            );
        }

        if (tables.FirstOrDefault(table => offset + table.Rows.Count < table.Total) is { } cut)
        {
            notes.Add(
                $"These are {cut.Rows.Count} of {cut.Total} rows, from number {offset + 1}. "
                    + $"Go on with offset={offset + cut.Rows.Count}, or narrow query."
            );
        }

        if (hasChart && all.Length > LineChart.MaxLines)
        {
            notes.Add($"The chart shows the {LineChart.MaxLines} largest of {all.Length} series.");
        }

        return new(
            type,
            TimeAxis.Show(axis.From),
            TimeAxis.Show(axis.To),
            all.Length,
            listed,
            tables,
            string.Join(' ', notes.Where(note => note is not null)) is { Length: > 0 } note ? note : null
        );
    }
}

internal sealed record DataSeries(
    string? Name,
    IReadOnlyDictionary<string, string> Labels,
    [property: Description(
        "Pairs of time and value, oldest first. Values are strings because they may be NaN, +Inf or -Inf."
    )]
        IReadOnlyList<IReadOnlyList<string?>> Points,
    double? Min,
    double? Max,
    [property: Description("How many values there are, when not all are listed.")] int? Total = null
)
{
    internal static DataSeries From(FrameSeries series)
    {
        var finite = series.Values.Select(Frame.NumberOf).Where(double.IsFinite).ToArray();
        return new(
            series.Name,
            series.Labels,
            [
                .. series
                    .Times.Zip(series.Values, (time, value) => (IReadOnlyList<string?>)[TimeAxis.Show(time), value])
                    .Take(DataResult.MaxPoints),
            ],
            finite.Length > 0 ? finite.Min() : null,
            finite.Length > 0 ? finite.Max() : null,
            series.Values.Length > DataResult.MaxPoints ? series.Values.Length : null
        );
    }
}

internal sealed record DataTable(
    [property: Description("How many rows there are, whether listed or not.")] int Total,
    IReadOnlyList<string> Columns,
    [property: Description("Booleans are JSON booleans; numbers are strings because they may be NaN, +Inf or -Inf.")]
        IReadOnlyList<IReadOnlyList<JsonElement?>> Rows
);

/// <summary>
/// A data frame: columns of one length. Times are milliseconds; NaN and infinities, which JSON lacks, are null and
/// listed in "entities".
/// </summary>
internal sealed class Frame(JsonElement frame)
{
    // Of the rows of one table. A GPT Action takes 100,000 with everything else in it.
    private const int MaxCharacters = 70_000;

    private const int MaxCell = 4000;

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

        // A value without a time has no place in a series.
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
    public DataTable? Table(int offset, int rows)
    {
        if (_fields.Length == 0 || _values.Length < _fields.Length || !Values(0).Any() || Series().Any())
        {
            return null;
        }

        // Of logs, not what Grafana keeps for itself: the time again, in nanoseconds, and an id of the line.
        var shown = Enumerable
            .Range(0, _fields.Length)
            .Where(i => !(IsLog && _fields[i].Text("name") is "tsNs" or "id" or "labelTypes"))
            .ToArray();
        var columns = shown.Select(i => Column(i).ToArray()).ToArray();
        var total = columns.Length == 0 ? 0 : columns.Max(column => column.Length);
        var left = MaxCharacters;
        return new(
            total,
            [.. shown.Select(i => _fields[i].Text("name") ?? "")],
            [
                .. Enumerable
                    .Range(offset, Math.Max(0, Math.Min(rows, total - offset)))
                    .Select(row =>
                        (IReadOnlyList<JsonElement?>)
                            [.. columns.Select((column, i) => Cell(column.ElementAtOrDefault(row), shown[i]))]
                    )
                    .TakeWhile((row, i) => (left -= row.Sum(SizeOf)) >= 0 || i == 0),
            ]
        );
    }

    // A line of a log may have megabytes, and must not hide the others.
    private JsonElement? Cell(string? text, int field) =>
        text is null ? null
        : _fields[field].Text("type") == "boolean" && bool.TryParse(text, out var flag)
            ? JsonSerializer.SerializeToElement(flag)
        : JsonSerializer.SerializeToElement(
            text.Length <= MaxCell ? text : $"{text[..MaxCell]}… [truncated: {text.Length} characters]"
        );

    private static int SizeOf(JsonElement? cell) => (cell?.GetRawText().Length ?? 4) + 1;

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
