using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace MinimalMcp.Load;

/// <summary>Tables that read well in a terminal and as Markdown. Figures are medians; the columns x are ratios to bare Kestrel in the same run.</summary>
internal sealed class Report
{
    private readonly StringBuilder text = new();
    private readonly List<Threshold> thresholds = [];

    public string Text => text.ToString();

    public void Machine(Options options)
    {
        Line("# Benchmark");
        Line(string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}."));
        Line(string.Create(CultureInfo.InvariantCulture,
            $"tools/call of {options.Tool}, keep constant {options.Connections} connections, warm-up {options.WarmUp} s, {options.Rounds} alternating rounds of {options.Seconds} s."));
        Line("Figures are medians; x is the ratio to bare Kestrel in the same round.");
        Line($"Servers: {string.Join(", ", RuntimeSettings.ForServers.Select(s => $"{s.Key}={Environment.GetEnvironmentVariable(s.Key) ?? s.Value}"))}.");
    }

    public void Calls(List<CallRound> rounds)
    {
        var rows = new List<string[]>();
        foreach (var era in rounds.GroupBy(r => r.Era))
        {
            CallRound[] bare = [.. era.Where(r => r.Server == "bare")];
            foreach (var own in era.GroupBy(r => r.Server))
            {
                rows.Add([own.Key, era.Key, .. Cells(r => r.Rate, "N0"), .. Cells(r => r.P50, "N2"), .. Cells(r => r.P99, "N2"),
                    .. Cells(r => r.CpuPerCall, "N1"), MiB(own.Last().Rss), $"{own.Sum(r => r.Errors)}"]);
                if (own.Key == "server")
                {
                    thresholds.Add(new($"of bare's req/s, {era.Key}", Ratio(r => r.Rate), 0.70, AtLeast: true));
                    thresholds.Add(new($"x bare's CPU per call, {era.Key}", Ratio(r => r.CpuPerCall), 1.6));
                    thresholds.Add(new($"errors, {era.Key}", own.Sum(r => r.Errors), 0));
                }

                // Round by round, so that what slows the machine for a while cancels out.
                double Ratio(Func<CallRound, double> figure) => Median(own.Zip(bare, (o, b) => figure(o) / figure(b)));
                string[] Cells(Func<CallRound, double> figure, string format) => [Number(Median(own.Select(figure)), format), Number(Ratio(figure), "N2")];
            }
        }
        Table("Calls", ["server", "era", "req/s", "x", "p50 ms", "x", "p99 ms", "x", "CPU us/call", "x", "RSS MiB", "errors"], rows);
    }

    public void Starts(List<Start> starts)
    {
        var medians = starts.GroupBy(s => s.Server).ToDictionary(g => g.Key, g => Median(g.Select(s => s.Milliseconds)));
        Table("Start to first answer", ["server", "ms", "x", "RSS MiB"], starts.GroupBy(s => s.Server).Select(g =>
            new[] { g.Key, $"{medians[g.Key]:N0}", $"{medians[g.Key] / medians["bare"]:N2}", MiB(g.Last().Rss) }));
        thresholds.Add(new("x bare's start to first answer", medians["server"] / medians["bare"], 1.6));
    }

    public void Streams(List<Streams> streams, int wanted)
    {
        Table("Idle event streams", ["server", "path", "open", "KiB/stream", "p99 ms of calls beside"], streams.Select(s =>
            new[] { s.Server, "GET " + s.Path, $"{s.Open:N0}", Number(s.KiBPerStream, "N1"), $"{s.P99:N2}" }));
        foreach (var path in IdleStreams.Paths)
        {
            var complete = streams.Find(s => s.Server == "server" && s.Path == path && s.Open == wanted);
            thresholds.Add(new($"KiB for each of {wanted:N0} idle streams, GET {path}", complete?.KiBPerStream ?? double.NaN, 24));
        }
    }

    /// <summary>True when every target is met.</summary>
    public bool Thresholds()
    {
        Table("Targets", ["", "target", "measured"], thresholds.Select(t =>
            new[] { t.Met ? "PASS" : "MISS", $"{(t.AtLeast ? "≥" : "≤")} {t.Limit:0.##} {t.Name}", double.IsNaN(t.Value) ? "not measured" : Number(t.Value, "N2") }));
        return thresholds.TrueForAll(t => t.Met);
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Number(double value, string format) => double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    private static string MiB(long? bytes) => Number(bytes / 1048576.0 ?? double.NaN, "N0");

    private void Table(string title, string[] head, IEnumerable<string[]> body)
    {
        string[][] rows = [head, .. body];
        var widths = head.Select((_, i) => rows.Max(r => r[i].Length)).ToArray();
        Line($"\n## {title}\n");
        for (var i = 0; i < rows.Length; i++)
        {
            Line($"| {string.Join(" | ", rows[i].Select((cell, c) => cell.PadRight(widths[c])))} |");
            if (i == 0)
            {
                Line($"|{string.Join("|", widths.Select(w => new string('-', w + 2)))}|");
            }
        }
    }

    private void Line(string line)
    {
        text.Append(line).Append('\n');
        Console.WriteLine(line);
    }
}

internal sealed record Threshold(string Name, double Value, double Limit, bool AtLeast = false)
{
    public bool Met => AtLeast ? Value >= Limit : Value <= Limit;
}
