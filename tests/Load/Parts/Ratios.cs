namespace MinimalMcp.Load;

/// <summary>
/// The server against bare Kestrel, in both eras: without key and record, with both and a budget, and other people's
/// servers.
/// </summary>
internal static class Ratios
{
    public static async Task MeasureAsync(Options options, LoadReport report, Progress progress)
    {
        await using var own = new OwnServers(options);
        var calls = Call.Tool(options.Tool, options.Arguments);
        var plain = options.Url is { } url ? ServerProcess.Attach(new(url, options.Key), options.Pid) : own.Plain();
        var answers = await AnswersAsync(plain, calls);
        var bare = own.Bare(Lengths(answers));
        await bare.FirstAnswer(calls[0]);
        List<ServerProcess> servers = [bare, plain];
        if (options.Url is null)
        {
            servers.Add(own.Governed());
            await servers[^1].FirstAnswer(calls[0]);
            await IdleMemoryAsync(servers, report);
        }

        if (options.Peers)
        {
            servers.AddRange(await Peers.StartAsync(own, options, answers[0], calls[0], report));
        }

        Describe(await new Rounds(options, progress).MeasureAsync(servers, calls), report);
    }

    /// <summary>What the server answers; Kestrel sends as many bytes, and peers the same content.</summary>
    public static async Task<List<byte[]>> AnswersAsync(ServerProcess server, Call[] calls)
    {
        var answers = new List<byte[]>();
        foreach (var call in calls)
        {
            answers.Add((await server.FirstAnswer(call)).Body.ToArray());
        }

        return answers;
    }

    public static string Lengths(List<byte[]> answers) => string.Join(',', answers.Select(answer => answer.Length));

    public static void Describe(List<CallRound> rounds, LoadReport report)
    {
        foreach (var era in rounds.GroupBy(round => round.Call))
        {
            CallRound[] bare = [.. era.Where(round => round.Server == "bare")];
            foreach (var own in era.GroupBy(round => round.Server))
            {
                report.Servers.Add(ServerFigures.Of(own.Key, era.Key, [.. own], bare));
                if (own.Key == "bare")
                {
                    continue;
                }

                var name = $"ratio.{era.Key}{(own.Key == "server" ? "" : "." + own.Key)}";
                var what =
                    $"{(own.Key == "server" ? "the server without key and record" : own.Key)}, {era.Key}, to bare "
                    + "Kestrel";
                report.Figures.Add(
                    Median.Figure($"{name}.rate", "x", $"calls a second of {what}", Ratio(round => round.Rate))
                );
                report.Figures.Add(
                    Median.Figure($"{name}.cpu", "x", $"processor time for a call of {what}", Ratio(round => round.Cpu))
                );
                report.Figures.Add(Median.Figure($"{name}.p99", "x", $"p99 of {what}", Ratio(round => round.P99)));
                if (own.All(round => double.IsFinite(round.Allocated)))
                {
                    report.Figures.Add(
                        Median.Figure(
                            $"allocated.{era.Key}.{own.Key}",
                            "B",
                            $"allocated for a call, {own.Key}, {era.Key}",
                            own.Select(round => round.Allocated)
                        )
                    );
                }

                if (
                    own.Key is not ("server" or "governed")
                    && era.Where(round => round.Server == "governed").ToArray() is { Length: > 0 } governed
                )
                {
                    report.Figures.Add(
                        Median.Figure(
                            $"ratio.{era.Key}.governed.{own.Key}",
                            "x",
                            $"calls a second of governed, {era.Key}, to {own.Key}",
                            governed.Zip(own, (g, o) => g.Rate / o.Rate)
                        )
                    );
                }

                // Round by round, so that what slows the machine for a while cancels out.
                IEnumerable<double> Ratio(Func<CallRound, double> figure) =>
                    own.Zip(bare, (o, b) => figure(o) / figure(b));
            }
        }

        report.Figures.Add(
            new("calls.errors", rounds.Sum(round => round.Failed), "", "calls of the comparison that failed")
        );
    }

    private static async Task IdleMemoryAsync(List<ServerProcess> servers, LoadReport report)
    {
        var idle = new List<long>();
        foreach (var server in servers)
        {
            idle.Add(await IdleStreams.SettledRss(server));
            report.Figures.Add(
                new(
                    $"memory.idle.{server.Name}",
                    idle[^1],
                    "B",
                    $"resident memory of {server.Name} after its first answer"
                )
            );
        }

        report.Figures.AddRange(
            servers
                .Skip(1)
                .Select(
                    (server, i) =>
                        new Figure(
                            $"ratio.memory.{server.Name}",
                            (double)idle[i + 1] / idle[0],
                            "x",
                            $"idle memory of {server.Name} to bare Kestrel"
                        )
                )
        );
    }
}
