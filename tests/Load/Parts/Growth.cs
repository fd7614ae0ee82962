namespace MinimalMcp.Load;

/// <summary>
/// How the server grows with connections, tools, event streams and replicas: docs/reference/performance.md and its
/// pictures.
/// </summary>
internal static class Growth
{
    private static readonly int[] Connections = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        Tools = [10, 30, 100, 300, 1000],
        StreamCounts = [1, 10, 100, 1000, 10_000];

    public static async Task<int> RunAsync(Options options)
    {
        RuntimeSettings.ApplyToGenerator();
        options = await OwnServers.FitAsync(options);
        var progress = Progress.Console;
        var call = Call.Tool(Call.Modern, options.Tool, options.Arguments);
        var page = new GrowthPage(options);
        if (options.Has("connections"))
        {
            await page.ConnectionsAsync(await ConnectionsAsync(options, progress, call));
        }

        if (options.Has("tools"))
        {
            progress.Line("tools");
            await page.ToolsAsync(await ToolCounts.MeasureAsync(options, progress, Tools));
        }

        if (options.Has("streams"))
        {
            await page.StreamsAsync(await StreamsAsync(options, call));
        }

        if (options.Has("replicas") && string.Join(" and ", Replicas.Missing()) is { Length: > 0 } missing)
        {
            page.LeaveOut(
                "Replicas",
                $"Replicas behind nginx with one PostgreSQL were not measured, because this was missing: {missing}."
            );
        }
        else if (options.Has("replicas"))
        {
            await page.ReplicasAsync(await Replicas.MeasureAsync(options, progress, call));
        }

        await page.WriteAsync();
        return 0;
    }

    private static async Task<List<(double At, List<CallRound> Rounds)>> ConnectionsAsync(
        Options options,
        Progress progress,
        Call call
    )
    {
        await using var own = new OwnServers(options);
        var servers = new List<ServerProcess> { own.Plain(), own.Governed() };
        servers.Insert(0, own.Bare(await LengthsAsync(servers[0], options)));
        var rounds = new Rounds(options, progress);
        await rounds.WarmUpAsync(servers, call);
        var rows = new List<(double At, List<CallRound> Rounds)>();
        foreach (var connections in Connections)
        {
            progress.Line($"{connections} connections");
            rows.Add((connections, await rounds.MeasureAsync(servers, [call], connections)));
        }

        return rows;
    }

    private static async Task<List<(double At, List<StreamFigures> Streams)>> StreamsAsync(Options options, Call call)
    {
        await using var own = new OwnServers(options) { Hook = false };
        string lengths;
        await using (var server = own.Plain())
        {
            lengths = await LengthsAsync(server, options);
        }

        var rows = new List<(double At, List<StreamFigures> Streams)>();
        foreach (var count in StreamCounts.Where(count => count <= options.Streams))
        {
            rows.Add((count, await IdleStreams.Measure([() => own.Bare(lengths), () => own.Plain()], call, count)));
        }

        return rows;
    }

    private static async Task<string> LengthsAsync(ServerProcess server, Options options) =>
        Ratios.Lengths(await Ratios.AnswersAsync(server, Call.Tool(options.Tool, options.Arguments)));
}
