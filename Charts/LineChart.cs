using System.Globalization;

namespace MinimalMcp.Charts;

/// <summary>A series of numbers over time. Where one is not finite, the line has a gap.</summary>
/// <param name="Times">The time of each value; left out when the values stand on the steps of the axis.</param>
internal sealed record Line(string Name, IReadOnlyList<double> Values, IReadOnlyList<DateTimeOffset>? Times = null);

/// <summary>
/// A line chart as an image that models and people can read: opaque and light, so that it looks the same on a dark page
/// and on a light one. Times are UTC.
/// </summary>
internal sealed class LineChart(string title, TimeAxis axis, IReadOnlyList<Line> lines)
{
    private const int Width = 960,
        Left = 84,
        Right = 16,
        Top = 34,
        PlotHeight = 300,
        Row = 20;

    /// <summary>More lines than this cannot be told apart. The largest are drawn.</summary>
    public const int MaxLines = 12;
    private const int Paper = 0xFCFCFD,
        Ink = 0x24292F,
        Pale = 0x57606A,
        Grid = 0xE3E6EA;

    // Told apart on white, also by most people who do not see red and green as two.
    private static readonly int[] Colours =
    [
        0x1F6FB4,
        0xD1242F,
        0x1A8F3C,
        0xE07B00,
        0x8250DF,
        0x0AA2B5,
        0x8C5A3C,
        0xD6409F,
        0x6E7781,
        0xA39B00,
        0x0B3D66,
        0x66BB00,
    ];

    /// <summary>B, B/s and s get prefixes (20 MiB, 5 ms). Anything else stands behind the number.</summary>
    public string Unit { get; init; } = "";

    public byte[] ToPng()
    {
        var drawn = Largest(lines).Select(line => (line.Name, Points: Points(line))).ToArray();
        var scale = new ValueAxis(
            [.. drawn.SelectMany(line => line.Points).Select(point => point.Y).Where(double.IsFinite)],
            Unit
        );
        var columns = drawn.Length > 3 ? 2 : 1;
        var rows = ((drawn.Length + columns - 1) / columns) + (lines.Count > MaxLines ? 1 : 0);
        var canvas = new Canvas(Width, Top + PlotHeight + 32 + (rows * Row) + 8, Paper);

        canvas.Text(Left, 10, Glyphs.Fit(OneLine(title), Width - Left - Right), Ink);
        DrawValues(canvas, scale);
        DrawTimes(canvas);
        for (var i = drawn.Length - 1; i >= 0; i--)
        {
            // The first one on top.
            canvas.Polyline([.. drawn[i].Points.Select(point => (X(point.X), Y(point.Y, scale)))], Colours[i], 2);
        }

        for (var i = 0; i < drawn.Length; i++)
        {
            DrawName(
                canvas,
                drawn[i].Name,
                Last(drawn[i].Points, scale),
                i % columns,
                i / columns,
                columns,
                Colours[i]
            );
        }

        if (lines.Count > MaxLines)
        {
            canvas.Text(
                Left,
                Top + PlotHeight + 32 + ((rows - 1) * Row),
                $"{lines.Count - MaxLines} smaller series are not drawn",
                Pale
            );
        }

        if (!drawn.SelectMany(line => line.Points).Any(point => double.IsFinite(point.Y)))
        {
            canvas.Text((Width - Glyphs.Width("no data")) / 2, Top + (PlotHeight / 2) - 8, "no data", Pale);
        }

        return canvas.ToPng();
    }

    /// <summary>The lines that a chart draws, in their order: those that reach furthest from zero.</summary>
    public static IReadOnlyList<Line> Largest(IReadOnlyList<Line> lines) =>
        lines.Count <= MaxLines
            ? lines
            :
            [
                .. lines
                    .Select((line, i) => (Line: line, Place: i, Size: SizeOf(line)))
                    .OrderByDescending(one => one.Size)
                    .Take(MaxLines)
                    .OrderBy(one => one.Place)
                    .Select(one => one.Line),
            ];

    private static double SizeOf(Line line) =>
        line.Values.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(-1).Max();

    // Seconds since the beginning, and the value; a NaN between two that are further apart than the steps.
    private List<(double X, double Y)> Points(Line line)
    {
        var points = new List<(double X, double Y)>();
        for (var i = 0; i < line.Values.Count; i++)
        {
            var x = line.Times is null ? i * axis.Step.TotalSeconds : (line.Times[i] - axis.From).TotalSeconds;
            if (points.Count > 0 && x - points[^1].X > 1.5 * axis.Step.TotalSeconds)
            {
                points.Add((x, double.NaN));
            }

            // What is beyond could not be drawn to scale with anything else.
            points.Add(
                (
                    x,
                    Math.Abs(line.Values[i]) < 1e300 && x >= 0 && x <= (axis.To - axis.From).TotalSeconds
                        ? line.Values[i]
                        : double.NaN
                )
            );
        }

        return points;
    }

    private static void DrawValues(Canvas canvas, ValueAxis scale)
    {
        foreach (var tick in scale.Ticks())
        {
            var (y, text) = ((int)Math.Round(Y(tick, scale)), scale.Show(tick));
            canvas.Fill(Left, y, Width - Left - Right, 1, tick == 0 ? 0xAEB4BC : Grid);
            canvas.Text(Left - 8 - Glyphs.Width(text), y - 9, text, Pale);
        }
    }

    private void DrawTimes(Canvas canvas)
    {
        var step = TimeAxis.RoundUp((axis.To - axis.From) / 8);
        var first = new DateTimeOffset(
            (long)Math.Ceiling((double)axis.From.UtcTicks / step.Ticks) * step.Ticks,
            TimeSpan.Zero
        );
        DateTimeOffset? before = null;
        var free = 0; // where the label before ends
        for (var time = first; time <= axis.To; time += step)
        {
            var x = (int)Math.Round(X((time - axis.From).TotalSeconds));
            var format =
                step >= TimeSpan.FromDays(1) ? "d MMM"
                : step < TimeSpan.FromMinutes(1) ? "HH:mm:ss"
                : "HH:mm";
            // Which day it is stands at the first label and at each new day.
            format =
                step < TimeSpan.FromDays(1) && before?.Date != time.Date ? "d MMM " + format
                : before?.Year != time.Year && step >= TimeSpan.FromDays(1) ? "d MMM yyyy"
                : format;
            var text = time.ToString(format, CultureInfo.InvariantCulture);
            var half = Glyphs.Width(text) / 2;
            canvas.Fill(x, Top, 1, PlotHeight, Grid);
            var place = Math.Clamp(x - half, Left - 20, Width - Right - (2 * half));
            if (place >= free)
            {
                canvas.Text(place, Top + PlotHeight + 6, text, Pale);
                (before, free) = (time, place + (2 * half) + 12);
            }
        }

        canvas.Text(8, Top + PlotHeight + 6, "UTC", Pale);
    }

    private static void DrawName(Canvas canvas, string name, string last, int column, int row, int columns, int colour)
    {
        var width = (Width - Left - Right) / columns;
        var (x, y) = (Left + (column * width), Top + PlotHeight + 32 + (row * Row));
        var room = width - 24 - Glyphs.Width(last) - 28;
        canvas.Fill(x, y + 7, 16, 3, colour);
        canvas.Text(x + 24, y, Glyphs.Fit(OneLine(name), room), Ink);
        canvas.Text(x + width - 24 - Glyphs.Width(last), y, last, Pale);
    }

    private static string Last(List<(double X, double Y)> points, ValueAxis scale) =>
        points.FindLastIndex(point => double.IsFinite(point.Y)) is >= 0 and var place
            ? scale.Show(points[place].Y, exact: true)
            : "no data";

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private double X(double seconds) => Left + (seconds / (axis.To - axis.From).TotalSeconds * (Width - Left - Right));

    private static double Y(double value, ValueAxis scale) =>
        Top + PlotHeight - ((value - scale.Low) / (scale.High - scale.Low) * PlotHeight);
}
