using System.Globalization;

namespace MinimalMcp.Load;

/// <summary>
/// What is going on, on standard error: one line that changes on a terminal, and now and then a line elsewhere.
/// </summary>
internal sealed class Progress(TextWriter output, bool terminal)
{
    private TimeSpan _next;
    private string _stage = "";
    private bool _open;

    public static Progress Console { get; } = new(System.Console.Error, !System.Console.IsErrorRedirected);

    /// <summary>Called often by the thread that paces the load.</summary>
    public void Show(string stage, TimeSpan elapsed, IReadOnlyList<ScenarioRun> runs)
    {
        if (stage != _stage || elapsed < _next - Interval - Interval)
        {
            (_stage, _next) = (stage, Interval);
        }

        if (elapsed < _next)
        {
            return;
        }

        _next += Interval;
        var ok = runs.Sum(run => run.Stats.Ok);
        var failed = runs.Sum(run => run.Stats.Fail);
        var worst = runs.MaxBy(run => run.Stats.Latencies.Percentile(99))!;
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{stage, -7} {elapsed.TotalSeconds, 4:0} of {runs.Max(run => run.Duration).TotalSeconds:0} s  "
                + $"{runs.Sum(run => run.Stats.Series.LastOrDefault()?.Rate ?? 0), 7:N0}/s  {ok:N0} ok, {failed:N0} "
                + $"failed  slowest p99 {worst.Stats.Latencies.Percentile(99).TotalMilliseconds:0.0} ms "
                + $"({worst.Scenario.Name})"
        );
        if (terminal)
        {
            var width = Math.Max(20, Width() - 1);
            output.Write("\r" + (text.Length > width ? text[..width] : text.PadRight(width)));
            _open = true;
        }
        else
        {
            output.WriteLine(text);
        }
    }

    public void Line(string text)
    {
        if (_open)
        {
            output.WriteLine();
            _open = false;
        }

        output.WriteLine(text);
    }

    private TimeSpan Interval => TimeSpan.FromSeconds(terminal ? 0.5 : 5);

    private static int Width()
    {
        try
        {
            return System.Console.BufferWidth;
        }
        catch (IOException)
        {
            return 120;
        }
    }
}
