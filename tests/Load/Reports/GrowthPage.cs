using System.Runtime.InteropServices;
using System.Text;

namespace MinimalMcp.Load;

/// <summary>The page of growth as Markdown, with a picture for each table in a folder beside it.</summary>
internal sealed class GrowthPage
{
    private readonly string _folder;
    private readonly StringBuilder _text;

    public GrowthPage(Options options)
    {
        _folder = options.Docs;
        Directory.CreateDirectory(Path.Combine(_folder, "performance"));
        _text = new StringBuilder($"""
            # Performance

            How the server grows with connections, tools and event streams, beside bare Kestrel on the same machine in the same run. This page is written by:

            ```sh
            scripts/load-test --growth --docs docs
            ```

            {Words.Time(TimeProvider.System.GetUtcNow())}: {Environment.ProcessorCount} cores, which the load shares, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}. Medians of {new Rounds(options, Progress.Console).Count} alternating
            rounds of {Words.Number(new Rounds(options, Progress.Console).Seconds)} s. "server" has neither key nor record, "governed" has a key, a budget and the record of every call.

            """);
    }

    public async Task ConnectionsAsync(List<(double At, List<CallRound> Rounds)> rows)
    {
        string[] servers = ["bare", "server", "governed"];
        await SectionAsync("Connections", "tools/call in a closed model: every connection sends its next call when it has the last answer.", "connections",
            [.. servers.SelectMany(server => new[] { $"{server} per s", $"{server} p99 ms", $"{server} CPU µs" })],
            rows.Select(row => (row.At, servers.SelectMany(server => new[] { Of(row.Rounds, server, round => round.Rate), Of(row.Rounds, server, round => round.P99), Of(row.Rounds, server, round => round.Cpu) }).ToArray())),
            new("calls-by-connections", "Calls a second", "connections", Log: false, [.. servers.Select(server => Line(server, server, round => round.Rate))]),
            new("latency-by-connections", "p99", "connections", Log: true, [.. servers.Select(server => Line(server, server, round => round.P99))]));

        Line Line(string name, string server, Func<CallRound, double> figure) => new(name, [.. rows.Select(row => (row.At, Of(row.Rounds, server, figure)))]);
    }

    public Task ToolsAsync(List<(double At, List<CallRound> Rounds)> rows) => SectionAsync(
        "Tools", "The tools are added to the project's own when the server starts. A list of a thousand tools is a long answer, so its rate says little without its length.", "tools",
        ["call per s", "call CPU µs", "list per s", "list CPU µs", "list KiB", "RSS MiB"],
        rows.Select(row => (row.At, new[]
        {
            ByCall(row.Rounds, "call", round => round.Rate), ByCall(row.Rounds, "call", round => round.Cpu), ByCall(row.Rounds, "list", round => round.Rate), ByCall(row.Rounds, "list", round => round.Cpu),
            ByCall(row.Rounds, "list", round => round.Stats.Ok == 0 ? double.NaN : round.Stats.Bytes / 1024.0 / round.Stats.Ok), ByCall(row.Rounds, "list", round => round.Rss / 1048576.0 ?? double.NaN),
        })),
        new("calls-by-tools", "tools/call a second", "tools", Log: false, [new("calls", [.. rows.Select(row => (row.At, ByCall(row.Rounds, "call", round => round.Rate)))])]),
        new("lists-by-tools", "tools/list a second", "tools", Log: true, [new("lists", [.. rows.Select(row => (row.At, ByCall(row.Rounds, "list", round => round.Rate)))])]));

    public Task StreamsAsync(List<(double At, List<StreamFigures> Streams)> rows)
    {
        (string Server, string Path)[] columns = [("bare", "/mcp"), ("server", "/mcp"), ("server", "/sse")];
        return SectionAsync("Event streams", "Open and silent, each on its own connection; beside them one connection calls a tool. Below some hundred streams the memory for each is lost in the rest's.", "streams",
            [.. columns.SelectMany(column => new[] { $"{column.Server} {column.Path} KiB each", $"{column.Server} {column.Path} p99 ms" })],
            rows.Select(row => (row.At, columns.SelectMany(column => Find(row.Streams, column) is { } found ? new[] { found.KiBPerStream, found.P99 } : [double.NaN, double.NaN]).ToArray())),
            new Picture("latency-by-streams", "p99 of calls beside", "streams", Log: true, [.. columns.Select(column => new Line($"{column.Server} {column.Path}", [.. rows.Select(row => (row.At, Find(row.Streams, column)?.P99 ?? double.NaN))]))]));
    }

    public async Task WriteAsync()
    {
        var file = Path.Combine(_folder, "performance.md");
        await File.WriteAllTextAsync(file, _text.ToString());
        Console.WriteLine($"Written: {file}, and its pictures beside it.");
    }

    private async Task SectionAsync(string title, string note, string at, string[] head, IEnumerable<(double At, double[] Values)> rows, params Picture[] pictures)
    {
        _text.Append($"\n## {title}\n\n{note}\n\n{Markdown.Rows([at, .. head], rows.Select(row => new[] { Words.Number(row.At) }.Concat(row.Values.Select(value => Words.Number(value))).ToArray()))}\n");
        foreach (var picture in pictures)
        {
            var svg = Chart.Svg(picture.Title, new(picture.X, Log: true), new(picture.Title.StartsWith("p99", StringComparison.Ordinal) ? "ms" : "per second", picture.Log), picture.Lines, alone: true);
            await File.WriteAllTextAsync(Path.Combine(_folder, "performance", picture.File + ".svg"), svg);
            _text.Append($"![{picture.Title} by {picture.X}](performance/{picture.File}.svg)\n");
        }
    }

    private static double Of(List<CallRound> rounds, string server, Func<CallRound, double> figure) => Median.Of(rounds.Where(round => round.Server == server).Select(figure));

    private static double ByCall(List<CallRound> rounds, string call, Func<CallRound, double> figure) => Median.Of(rounds.Where(round => round.Call == call).Select(figure));

    private static StreamFigures? Find(List<StreamFigures> streams, (string Server, string Path) column) => streams.Find(found => found.Server == column.Server && found.Path == column.Path);

    private sealed record Picture(string File, string Title, string X, bool Log, Line[] Lines);
}
