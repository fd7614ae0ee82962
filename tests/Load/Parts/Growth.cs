namespace MinimalMcp.Load;

/// <summary>How the server grows with connections, tools and event streams: docs/performance.md and its pictures.</summary>
internal static class Growth
{
    private static readonly int[] Connections = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024], Tools = [10, 30, 100, 300, 1000], StreamCounts = [1, 10, 100, 1000, 10_000];

    public static async Task<int> RunAsync(Options options)
    {
        RuntimeSettings.ApplyToGenerator();
        options = await OwnServers.FitAsync(options);
        var progress = Progress.Console;
        var call = Call.Tool(Call.Modern, options.Tool, options.Arguments);
        var page = new GrowthPage(options);
        string lengths;
        await using (var own = new OwnServers(options))
        {
            var servers = new List<ServerProcess> { own.Plain(), own.Governed() };
            lengths = Ratios.Lengths(await Ratios.AnswersAsync(servers[0], Call.Tool(options.Tool, options.Arguments)));
            servers.Insert(0, own.Bare(lengths));
            foreach (var server in servers)
            {
                await server.FirstAnswer(call);
                await Rounds.MeasureAsync(server, call, options.Connections, TimeSpan.FromSeconds(options.Seconds / 5)); // or the first row would be that of code that is not compiled yet
            }

            var rows = new List<(double At, List<CallRound> Rounds)>();
            foreach (var connections in Connections)
            {
                progress.Line($"{connections} connections");
                rows.Add((connections, await new Rounds(options, progress).MeasureAsync(servers, [call], connections)));
            }

            await page.ConnectionsAsync(rows);
        }

        await using (var own = new OwnServers(options))
        {
            var rows = new List<(double At, List<CallRound> Rounds)>();
            foreach (var count in Tools)
            {
                progress.Line($"{count} tools");
                rows.Add((count, await ToolCounts.MeasureAsync(options, own, progress, count)));
            }

            await page.ToolsAsync(rows);
        }

        await using (var own = new OwnServers(options) { Hook = false })
        {
            var rows = new List<(double At, List<StreamFigures> Streams)>();
            foreach (var count in StreamCounts.Where(count => count <= options.Streams))
            {
                rows.Add((count, await IdleStreams.Measure([() => own.Bare(lengths), () => own.Plain()], call, count)));
            }

            await page.StreamsAsync(rows);
        }

        await page.WriteAsync();
        return 0;
    }
}
