namespace MinimalMcp.Load;

/// <summary>
/// scripts/bench: the calls against bare Kestrel, the start and idle streams; or what governance costs.
/// </summary>
internal static class Bench
{
    public static async Task<IEnumerable<string>> MeasureAsync(Options options, LoadReport report, Progress progress)
    {
        var calls = Call.Tool(options.Tool, options.Arguments);
        await Ratios.MeasureAsync(options, report, progress);
        if (options.Url is not null)
        {
            return Targets.Bench.Where(target =>
                !target.Contains("governed", StringComparison.Ordinal)
                && !target.Contains("memory", StringComparison.Ordinal)
            ); // only what was started here can be compared so
        }

        List<string> targets = [.. Targets.Bench];

        string lengths;
        await using (var own = new OwnServers(options))
        {
            lengths = Ratios.Lengths(await Ratios.AnswersAsync(own.Plain(), calls));
        }

        if (options.Spawns > 0)
        {
            await StartTime.MeasureAsync(options, report, lengths, calls[0]);
            targets.Add(Targets.Start);
        }

        if (options.Streams > 0)
        {
            await using var own = new OwnServers(options) { Hook = false };
            report.Figures.AddRange(
                IdleStreams.Figures(
                    await IdleStreams.Measure([() => own.Bare(lengths), () => own.Plain()], calls[0], options.Streams),
                    options.Streams
                )
            );
            targets.AddRange(Targets.Streams);
        }

        return targets;
    }

    /// <summary>
    /// The same calls to the server with key, budget and record and to one without the three, and the rate of durable
    /// writes.
    /// </summary>
    public static async Task<IEnumerable<string>> GovernedAsync(Options options, LoadReport report, Progress progress)
    {
        await using var own = new OwnServers(options);
        ServerProcess[] servers = [own.Plain(), own.Governed()];
        var call = Call.Tool(Call.Legacy, options.Tool, options.Arguments);
        foreach (var server in servers)
        {
            await server.FirstAnswer(call);
        }

        var rounds = await new Rounds(options, progress).MeasureAsync(servers, [call]);
        var (off, on) = (
            rounds.Where(round => round.Server == "server"),
            rounds.Where(round => round.Server == "governed")
        );
        report.Figures.Add(
            Median.Figure(
                "ratio.governance.rate",
                "x",
                "calls a second with key, budget and record, to none of them",
                off.Zip(on, (without, with) => with.Rate / without.Rate)
            )
        );
        report.Figures.Add(
            Median.Figure(
                "ratio.governance.tail",
                "x",
                "p99 with key, budget and record, to none of them",
                off.Zip(on, (without, with) => with.P99 / without.P99)
            )
        );
        await WriteRate.MeasureAsync(options, report);
        return Targets.Governed;
    }
}
