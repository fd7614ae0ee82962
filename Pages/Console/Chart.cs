using System.Globalization;
using System.Text;
using MinimalMcp.Charts;

namespace MinimalMcp.Pages.Console;

/// <summary>One series of a chart.</summary>
/// <param name="Color">The class of its color in console.css: calls, errors, refusals, p50, p95 or p99.</param>
/// <param name="Values">One for each time; NaN where nothing was measured.</param>
internal sealed record ChartSeries(string Name, string Color, IReadOnlyList<double> Values);

/// <summary>
/// A chart over time as SVG. It is drawn with attributes and classes only, because the content security policy admits
/// no inline style. The drawing stretches to any width; texts keep their size. charts.js shows the tooltip for the
/// pointer and the arrow keys.
/// </summary>
/// <param name="Unit">s and B get prefixes (5 ms, 20 MiB); "" for counts.</param>
/// <param name="Times">Where each bucket begins.</param>
/// <param name="Step">How long a bucket is.</param>
/// <param name="Stacked">Bars on top of each other; otherwise lines.</param>
internal sealed record Chart(
    string Title,
    string Unit,
    IReadOnlyList<DateTimeOffset> Times,
    TimeSpan Step,
    IReadOnlyList<ChartSeries> Series,
    bool Stacked = false
)
{
    private const int Height = 180;
    private const int Wide = 1000; // of the plot's own coordinates, which are stretched

    public Html Render(string id)
    {
        var axis = new ValueAxis([0, .. Highest()], Unit);
        var isEmpty = Series.All(series => series.Values.All(value => double.IsNaN(value) || value == 0));
        return Html.Of(
            $"""
            <figure class="chart" id="{id}">
              <figcaption><h3 id="{id}-name">{Title}</h3> <ul class="legend">{Html.Each(Series, Key)}</ul></figcaption>
              <div class="plot" tabindex="0" role="group" aria-labelledby="{id}-name" aria-describedby="{id}-about">
                <svg class="drawing" width="100%" height="{Height + 24}" role="img" aria-labelledby="{id}-t {id}-about">
                  <title id="{id}-t">{Title}</title>
                  <desc id="{id}-about">{Describe(axis)}</desc>
                  {Html.Each(axis.Ticks(), tick => TickOf(tick, axis))}
                  {Html.Each(TimeTicks(), TickOf)}
                  <svg width="100%" height="{Height}" viewBox="0 0 {Wide} {Height}" preserveAspectRatio="none">
                    {(Stacked ? Bars(axis) : Html.Each(Series, series => LineOf(series, axis)))}
                  </svg>
                  {Html.Each(Enumerable.Range(0, Times.Count), i => PointOf(i, axis))}
                </svg>
                {Html.When(isEmpty, () => Html.Of($"""<p class="nothing">Nothing in this time.</p>"""))}
              </div>
            </figure>
            """
        );
    }

    /// <summary>A line without axes, beside a figure that says the same in words.</summary>
    public static Html Sparkline(IReadOnlyList<double> values, string color)
    {
        var known = values.Where(double.IsFinite).ToArray();
        if (known.Length < 2)
        {
            return Html.Of($"""<svg class="sparkline" viewBox="0 0 100 28" aria-hidden="true"></svg>""");
        }

        var (low, high) = (Math.Min(0, known.Min()), Math.Max(known.Max(), double.Epsilon));
        var path = Path(values, i => i * 100.0 / (values.Count - 1), value => 26 - ((value - low) / (high - low) * 24));
        return Html.Of(
            $"""
            <svg class="sparkline" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true"><path
              class="line {color}" d="{path}"></path></svg>
            """
        );
    }

    /// <summary>A number as the axis of a chart writes it, with three digits: 1.25 s, 12.3 MiB, 340 k.</summary>
    public static string Show(double value, string unit) =>
        double.IsFinite(value) ? new ValueAxis([0, value], unit).Show(Rounded(value), exact: true) : "–";

    private IEnumerable<double> Highest() =>
        Stacked
            ? Enumerable.Range(0, Times.Count).Select(Total).Append(Unit.Length == 0 ? 5 : 0) // whole numbers between
            : Series.SelectMany(series => series.Values).Where(double.IsFinite);

    private double Total(int i) => Series.Sum(series => Known(series.Values[i]));

    private static double Rounded(double value)
    {
        var unit = value == 0 ? 1 : Math.Pow(10, Math.Floor(Math.Log10(Math.Abs(value))) - 2);
        return Math.Round(value / unit) * unit;
    }

    private static double Known(double value) => double.IsFinite(value) ? value : 0;

    // For people who do not see the drawing.
    private string Describe(ValueAxis axis)
    {
        if (Times.Count == 0)
        {
            return "Nothing was measured.";
        }

        var text = new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"From {Clock(Times[0])} to {Clock(Times[^1] + Step)} UTC. "
        );
        foreach (var series in Series)
        {
            var known = series.Values.Where(double.IsFinite).ToArray();
            text.Append(
                known.Length == 0
                    ? $"{series.Name}: nothing measured. "
                    : $"{series.Name}: highest {axis.Show(known.Max(), exact: true)}, "
                        + $"latest {axis.Show(known[^1], exact: true)}. "
            );
        }

        return text.Append("Arrow keys move from point to point.").ToString();
    }

    private static Html Key(ChartSeries series) =>
        Html.Of($"""<li><span class="swatch {series.Color}"></span>{series.Name}</li>""");

    private static Html TickOf(double tick, ValueAxis axis)
    {
        var y = Number(Y(tick, axis));
        return Html.Of(
            $"""
            <line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"></line><text class="value" x="-8" y="{y}"
              dy="0.32em">{axis.Show(tick)}</text>
            """
        );
    }

    private static Html TickOf((double Percent, string Text, string Place) tick) =>
        Html.Of(
            $"""<text class="time {tick.Place}" x="{Number(tick.Percent)}%" y="{Height + 18}">{tick.Text}</text>"""
        );

    // At round times, with the day where it begins.
    private IEnumerable<(double Percent, string Text, string Place)> TimeTicks()
    {
        if (Times.Count == 0)
        {
            yield break;
        }

        var (from, span) = (Times[0], Step * Times.Count);
        var step = TimeAxis.RoundUp(span / 5);
        var first = (long)Math.Ceiling((double)from.UtcTicks / step.Ticks) * step.Ticks;
        DateTime? before = null;
        for (var time = new DateTimeOffset(first, TimeSpan.Zero); time <= from + span; time += step)
        {
            var percent = (time - from) / span * 100;
            var format = step >= TimeSpan.FromDays(1) || (before is { } day && day != time.Date) ? "d MMM" : "HH:mm";
            before = time.Date;
            yield return (
                percent,
                time.ToString(format, CultureInfo.InvariantCulture),
                percent < 4 ? "start"
                : percent > 96 ? "end"
                : "middle"
            );
        }
    }

    private Html Bars(ValueAxis axis)
    {
        var width = (double)Wide / Math.Max(1, Times.Count);
        return Html.Each(Enumerable.Range(0, Times.Count), i =>
        {
            var below = 0.0;
            return Html.Each(Series.Where(series => Known(series.Values[i]) > 0), series =>
            {
                var (bottom, top) = (Y(below, axis), Y(below += series.Values[i], axis));
                return Html.Of(
                    $"""
                    <rect class="bar {series.Color}" x="{Number((i + 0.1) * width)}" y="{Number(top)}"
                      width="{Number(width * 0.8)}" height="{Number(Math.Max(1, bottom - top))}"></rect>
                    """
                );
            });
        });
    }

    private Html LineOf(ChartSeries series, ValueAxis axis)
    {
        var path = Path(series.Values, i => (i + 0.5) * Wide / Times.Count, value => Y(value, axis));
        var dots = string.Concat(
            Enumerable
                .Range(0, series.Values.Count)
                .Where(i => IsAlone(series.Values, i))
                .Select(i => $"M{Number((i + 0.5) * Wide / Times.Count)} {Number(Y(series.Values[i], axis))}h0.01")
        );
        return Html.Of(
            $"""
            <path class="line {series.Color}" d="{path}"></path>{Html.When(dots.Length > 0, () =>
                Html.Of($"""<path class="dots {series.Color}" d="{dots}"></path>"""))}
            """
        );
    }

    // A point without neighbours is no line: a very short one with wide round caps is a dot.
    private static bool IsAlone(IReadOnlyList<double> values, int i) =>
        double.IsFinite(values[i])
        && (i == 0 || !double.IsFinite(values[i - 1]))
        && (i + 1 == values.Count || !double.IsFinite(values[i + 1]));

    // With a gap where nothing was measured.
    private static string Path(IReadOnlyList<double> values, Func<int, double> x, Func<double, double> y)
    {
        var path = new StringBuilder();
        for (var i = 0; i < values.Count; i++)
        {
            if (double.IsFinite(values[i]))
            {
                path.Append(i > 0 && double.IsFinite(values[i - 1]) ? 'L' : 'M')
                    .Append(Number(x(i)))
                    .Append(' ')
                    .Append(Number(y(values[i])));
            }
        }

        return path.ToString();
    }

    // The whole height of a bucket: easier to hit than the point.
    private Html PointOf(int i, ValueAxis axis)
    {
        var (left, width) = (100.0 * i / Times.Count, 100.0 / Times.Count);
        var values = Series.Select(series =>
            $"{series.Name}: {(double.IsNaN(series.Values[i]) ? "–" : axis.Show(series.Values[i], exact: true))}"
        );
        return Html.Of(
            $"""
            <rect class="point" x="{Number(left)}%" width="{Number(width)}%" y="0" height="{Height}" data-tip="{Clock(
                Times[i]
            )} UTC{string.Concat(values.Select(value => "\n" + value))}"></rect>
            """
        );
    }

    private static double Y(double value, ValueAxis axis) =>
        Height - ((value - axis.Low) / (axis.High - axis.Low) * Height);

    private static string Clock(DateTimeOffset time) => time.ToString("d MMM HH:mm", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
