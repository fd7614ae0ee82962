using System.Runtime.InteropServices;
using System.Text;

namespace MinimalMcp.Load;

/// <summary>The page of growth as Markdown, with a picture for each table in a folder beside it.</summary>
internal sealed class GrowthPage
{
    private readonly string _folder;
    private readonly StringBuilder _text;
    private readonly int _connections;

    public GrowthPage(Options options)
    {
        (_folder, _connections) = (options.Docs, options.Connections);
        Directory.CreateDirectory(Path.Combine(_folder, "performance"));
        var rounds = new Rounds(options, Progress.Console);
        var (now, seconds) = (Words.Time(TimeProvider.System.GetUtcNow()), Words.Number(rounds.Seconds));
        var cores = Environment.ProcessorCount;
        _text = new StringBuilder(
            $"""
            # Performance

            How the server grows with connections, tools, event streams and replicas. Bare Kestrel ran on the same
            machine in the same run. This writes the page:

            ```sh
            scripts/load-test --growth --docs docs/reference
            ```

            {now}: {cores} cores, shared with the load,
            {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}. Medians of {rounds.Count}
            alternating rounds of {seconds} s. "server" has neither key nor audit log. "governed" has a key, a budget
            and an audit entry for every call.

            """
        );
    }

    public Task ConnectionsAsync(List<(double At, List<CallRound> Rounds)> rows) =>
        ServersAsync(
            "Connections",
            "tools/call in a closed model: every connection sends its next call when it has the last answer.",
            Log("connections"),
            logLatency: true,
            [("bare", "bare"), ("server", "server"), ("governed", "governed")],
            rows
        );

    public Task ToolsAsync(List<ToolRounds> rows) =>
        SectionAsync(
            "Tools",
            """
            The tools are added to the project's own when the server starts.
            A list of a thousand tools is a long answer.
            "bare" is bare Kestrel that sends as many bytes.
            """,
            "tools",
            [
                "call per s",
                "call CPU µs",
                "list per s",
                "list CPU µs",
                "list bare per s",
                "list bare CPU µs",
                "list KiB",
                "RSS MiB",
            ],
            rows.Select(row =>
                (
                    (double)row.Count,
                    new[]
                    {
                        Of(row.Calls, round => round.Rate),
                        Of(row.Calls, round => round.Cpu),
                        Of(row.Lists, round => round.Rate),
                        Of(row.Lists, round => round.Cpu),
                        Of(row.Bare, round => round.Rate),
                        Of(row.Bare, round => round.Cpu),
                        Of(row.Lists, round =>
                            round.Stats.Ok == 0 ? double.NaN : round.Stats.Bytes / 1024.0 / round.Stats.Ok
                        ),
                        Of(row.Lists, round => round.Rss / 1048576.0 ?? double.NaN),
                    }
                )
            ),
            new(
                "calls-by-tools",
                "tools/call a second",
                Log("tools"),
                Log: false,
                [new("calls", [.. rows.Select(row => ((double)row.Count, Of(row.Calls, round => round.Rate)))])]
            ),
            new(
                "lists-by-tools",
                "tools/list a second",
                Log("tools"),
                Log: true,
                [
                    new("bare", [.. rows.Select(row => ((double)row.Count, Of(row.Bare, round => round.Rate)))]),
                    new("server", [.. rows.Select(row => ((double)row.Count, Of(row.Lists, round => round.Rate)))]),
                ]
            )
        );

    public Task StreamsAsync(List<(double At, List<StreamFigures> Streams)> rows)
    {
        (string Server, string Path)[] columns = [("bare", "/mcp"), ("server", "/mcp"), ("server", "/sse")];
        return SectionAsync(
            "Event streams",
            """
            Open and silent, each on its own connection. Another connection calls a tool. Below some hundred streams the
            memory of each cannot be told from the noise.
            """,
            "streams",
            [
                .. columns.SelectMany(column =>
                    new[] { $"{column.Server} {column.Path} KiB each", $"{column.Server} {column.Path} p99 ms" }
                ),
            ],
            rows.Select(row =>
                (
                    row.At,
                    columns
                        .SelectMany(column =>
                            Find(row.Streams, column) is { } found
                                ? new[] { found.KiBPerStream, found.P99 }
                                : [double.NaN, double.NaN]
                        )
                        .ToArray()
                )
            ),
            new Picture(
                "latency-by-streams",
                "p99 of calls beside",
                Log("streams"),
                Log: true,
                [
                    .. columns.Select(column => new Line(
                        $"{column.Server} {column.Path}",
                        [.. rows.Select(row => (row.At, Find(row.Streams, column)?.P99 ?? double.NaN))]
                    )),
                ]
            )
        );
    }

    public Task ReplicasAsync(List<(double At, List<CallRound> Rounds)> rows) =>
        ServersAsync(
            "Replicas",
            $"""
            tools/call over {_connections} connections to governed replicas that share a PostgreSQL. "nginx": through
            nginx, which alternates between them. "direct": to one of them, the same in each row but for noise. The
            processor time is that of all replicas for each call. The load, nginx, PostgreSQL and the replicas share the
            cores of one machine. The table shows the cost of the shared store; replicas pay off where each has its own
            cores.
            """,
            new("replicas", Ticks: [.. rows.Select(row => (row.At, Words.Number(row.At)))]),
            logLatency: false,
            [("nginx", "nginx"), ("direct", "replica 1")],
            rows
        );

    public void LeaveOut(string title, string why) => _text.Append($"\n## {title}\n\n{why}\n");

    public async Task WriteAsync()
    {
        var file = Path.Combine(_folder, "performance.md");
        var old = File.Exists(file) ? await File.ReadAllTextAsync(file) : "";
        var byHand = old.IndexOf("\n## Start and memory\n", StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, _text + (byHand < 0 ? "" : old[byHand..]));
        Console.WriteLine($"Written: {file}, and its pictures beside it.");
    }

    // What each of several servers did with the same calls.
    private Task ServersAsync(
        string title,
        string note,
        Axis axis,
        bool logLatency,
        (string Name, string Server)[] columns,
        List<(double At, List<CallRound> Rounds)> rows
    )
    {
        return SectionAsync(
            title,
            note,
            axis.Label,
            [
                .. columns.SelectMany(column =>
                    new[] { $"{column.Name} per s", $"{column.Name} p99 ms", $"{column.Name} CPU µs" }
                ),
            ],
            rows.Select(row =>
                (
                    row.At,
                    columns
                        .SelectMany(column =>
                            new[]
                            {
                                Of(row.Rounds, column.Server, round => round.Rate),
                                Of(row.Rounds, column.Server, round => round.P99),
                                Of(row.Rounds, column.Server, round => round.Cpu),
                            }
                        )
                        .ToArray()
                )
            ),
            new($"calls-by-{axis.Label}", "Calls a second", axis, Log: false, Lines(round => round.Rate)),
            new($"latency-by-{axis.Label}", "p99", axis, logLatency, Lines(round => round.P99))
        );

        Line[] Lines(Func<CallRound, double> figure) =>
            [
                .. columns.Select(column => new Line(
                    column.Name,
                    [.. rows.Select(row => (row.At, Of(row.Rounds, column.Server, figure)))]
                )),
            ];
    }

    private async Task SectionAsync(
        string title,
        string note,
        string at,
        string[] head,
        IEnumerable<(double At, double[] Values)> rows,
        params Picture[] pictures
    )
    {
        var cells = rows.Select(row => row.Values.Select(value => Words.Number(value)).Prepend(Words.Number(row.At)));
        var table = Markdown.Rows([at, .. head], cells.Select(row => row.ToArray()));
        _text.Append($"\n## {title}\n\n{note}\n\n{table}\n");
        foreach (var picture in pictures)
        {
            var svg = Chart.Svg(
                picture.Title,
                picture.X,
                new(picture.Title.StartsWith("p99", StringComparison.Ordinal) ? "ms" : "per second", picture.Log),
                picture.Lines,
                alone: true
            );
            await File.WriteAllTextAsync(Path.Combine(_folder, "performance", picture.File + ".svg"), svg);
            _text.Append($"![{picture.Title} by {picture.X.Label}](performance/{picture.File}.svg)\n");
        }
    }

    private static double Of(IEnumerable<CallRound> rounds, Func<CallRound, double> figure) =>
        Median.Of(rounds.Select(figure));

    private static double Of(List<CallRound> rounds, string server, Func<CallRound, double> figure) =>
        Of(rounds.Where(round => round.Server == server), figure);

    private static Axis Log(string label) => new(label, Log: true);

    private static StreamFigures? Find(List<StreamFigures> streams, (string Server, string Path) column) =>
        streams.Find(found => found.Server == column.Server && found.Path == column.Path);

    private sealed record Picture(string File, string Title, Axis X, bool Log, Line[] Lines);
}
