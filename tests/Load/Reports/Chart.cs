using System.Globalization;
using System.Net;
using System.Text;

namespace MinimalMcp.Load;

/// <param name="Ticks">Where the axis is marked, and how; made from the values when there are none.</param>
internal sealed record Axis(string Label, bool Log = false, IReadOnlyList<(double At, string Text)>? Ticks = null);

internal sealed record Line(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>
/// Lines over two axes as SVG, which needs nothing from anywhere and follows the reader's light or dark colours.
/// </summary>
internal static class Chart
{
    private const int Width = 400,
        Height = 220,
        Left = 52,
        Right = 14,
        Top = 36,
        Bottom = 38;

    /// <summary>The same colours as the page's; on paper the light ones.</summary>
    public const string Style = """
        .chart{--ink:#1f2328;--quiet:#59636e;--rule:#d5dae0;--line0:#1f6fc9;--line1:#c4501b;--line2:#15805a;
          font:11px system-ui,sans-serif}
        @media screen and (prefers-color-scheme:dark){.chart{--ink:#e6edf3;--quiet:#9aa4af;--rule:#39424c;
          --line0:#5aa2f0;--line1:#f0875a;--line2:#46c093}}
        .chart text{fill:var(--quiet)}.chart .title{fill:var(--ink);font-weight:600;font-size:12px}
          .chart .rule{stroke:var(--rule);stroke-width:1}
        .chart polyline{fill:none;stroke-width:1.8;stroke-linejoin:round}.chart .l0{stroke:var(--line0)}
          .chart .l1{stroke:var(--line1);stroke-dasharray:6 3}.chart .l2{stroke:var(--line2);stroke-dasharray:2 2}
        .chart circle{stroke:none}
          .chart .d0{fill:var(--line0)}.chart .d1{fill:var(--line1)}.chart .d2{fill:var(--line2)}
        """;

    /// <param name="alone">For a file of its own, which has no page around it with the style.</param>
    public static string Svg(string title, Axis x, Axis y, IReadOnlyList<Line> lines, bool alone = false)
    {
        var points = lines.SelectMany(line => line.Points).Where(point => Drawn(point, x, y)).ToArray();
        var svg = new StringBuilder(
            string.Create(
                CultureInfo.InvariantCulture,
                $"<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" "
                    + $"role=\"img\" aria-label=\"{Text(title)}\">"
            )
        );
        svg.Append(alone ? $"<style>{Style}</style>" : "")
            .Append($"<text class=\"title\" x=\"{Left}\" y=\"14\">{Text(title)}</text>");
        if (points.Length == 0)
        {
            return svg.Append($"<text x=\"{Left}\" y=\"{Height / 2}\">nothing was measured</text></svg>").ToString();
        }

        var xTicks = x.Ticks ?? Ticks(points.Select(point => point.X), x.Log, fromZero: false);
        var yTicks = y.Ticks ?? Ticks(points.Select(point => point.Y), y.Log, fromZero: true);
        var across = Scale(
            points.Select(point => point.X).Concat(xTicks.Select(tick => tick.At)),
            x.Log,
            Left,
            Width - Right
        );
        var up = Scale(
            points.Select(point => point.Y).Concat(yTicks.Select(tick => tick.At)),
            y.Log,
            Height - Bottom,
            Top
        );

        foreach (var (at, text) in yTicks)
        {
            Add(
                $"<line class=\"rule\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{up(at):0.#}\" ",
                $"y2=\"{up(at):0.#}\"/><text x=\"{Left - 6}\" y=\"{up(at) + 4:0.#}\" ",
                $"text-anchor=\"end\">{text}</text>"
            );
        }

        foreach (var (at, text) in xTicks)
        {
            Add($"<text x=\"{across(at):0.#}\" y=\"{Height - Bottom + 15}\" text-anchor=\"middle\">{text}</text>");
        }

        Add(
            $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" ",
            $"text-anchor=\"middle\">{Text(x.Label)}</text><text x=\"{Width - Right}\" y=\"14\" ",
            $"text-anchor=\"end\">{Text(y.Label)}</text>"
        );
        for (var i = 0; i < lines.Count; i++)
        {
            var drawn = lines[i].Points.Where(point => Drawn(point, x, y)).ToArray();
            var coordinates = drawn.Select(point =>
                string.Create(CultureInfo.InvariantCulture, $"{across(point.X):0.#},{up(point.Y):0.#}")
            );
            Add($"<polyline class=\"l{i}\" points=\"{string.Join(' ', coordinates)}\"/>");
            foreach (var point in drawn.Length > 16 ? [] : drawn)
            {
                Add($"<circle class=\"d{i}\" cx=\"{across(point.X):0.#}\" cy=\"{up(point.Y):0.#}\" r=\"2.2\"/>");
            }

            if (lines.Count > 1)
            {
                Add(
                    $"<line class=\"l{i}\" stroke-width=\"2\" x1=\"{Left + 95 * i}\" x2=\"{Left + 95 * i + 16}\" ",
                    $"y1=\"23\" y2=\"23\"/><text x=\"{Left + 95 * i + 20}\" ",
                    $"y=\"27\">{Text(lines[i].Name)}</text>"
                );
            }
        }

        return svg.Append("</svg>").ToString();

        void Add(params FormattableString[] parts)
        {
            foreach (var part in parts)
            {
                svg.Append(part.ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    private static bool Drawn((double X, double Y) point, Axis x, Axis y) =>
        double.IsFinite(point.X) && double.IsFinite(point.Y) && (!x.Log || point.X > 0) && (!y.Log || point.Y > 0);

    private static Func<double, double> Scale(IEnumerable<double> values, bool log, double from, double to)
    {
        double[] all = [.. values.Select(value => log ? Math.Log10(value) : value)];
        var (low, high) = (all.Min(), all.Max());
        return value =>
            high == low
                ? (from + to) / 2
                : from + ((log ? Math.Log10(value) : value) - low) / (high - low) * (to - from);
    }

    private static List<(double At, string Text)> Ticks(IEnumerable<double> values, bool log, bool fromZero)
    {
        var (low, high) = (values.Min(), values.Max());
        if (log)
        {
            var (first, last) = ((int)Math.Floor(Math.Log10(low)), (int)Math.Ceiling(Math.Log10(high)));
            return
            [
                .. Enumerable
                    .Range(first, last - first + 1)
                    .Select(power => Math.Pow(10, power))
                    .Select(at => (at, Short(at))),
            ];
        }

        low = fromZero ? Math.Min(0, low) : low;
        var step = Step(Math.Max((high - low) / 4, 1e-9));
        return
        [
            .. Enumerable
                .Range(0, (int)Math.Ceiling((high - Math.Floor(low / step) * step) / step - 1e-9) + 1)
                .Select(i => Math.Floor(low / step) * step + i * step)
                .Select(at => (at, Short(at))),
        ];
    }

    // 1, 2 or 5 times a power of ten.
    private static double Step(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return new[] { 1, 2, 5, 10 }.First(factor => factor * power >= least * 0.999) * power;
    }

    private static string Short(double value) =>
        value >= 10_000
            ? (value / 1000).ToString("0.#", CultureInfo.InvariantCulture) + "k"
            : value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
