namespace MinimalMcp.Load;

/// <summary>
/// How many calls that change something are acknowledged a second, each with its intent and its outcome on the disk.
/// </summary>
internal static class WriteRate
{
    public static async Task MeasureAsync(Options options, LoadReport report)
    {
        await using var own = new OwnServers(options);
        var server = own.Governed();
        var call = Call.Tool(Call.Legacy, options.WriteTool, options.WriteArguments);
        await server.FirstAnswer(call);
        var round = await Rounds.MeasureAsync(
            server,
            call,
            options.Connections,
            TimeSpan.FromSeconds(Math.Max(1, options.Seconds / 10))
        );
        // A cart holds 99 of one product; what is refused by the tool itself is on record all the same, before and
        // after.
        report.Figures.Add(
            new(
                "writes.rate",
                (round.Stats.Ok + round.Stats.Fail) / round.During.TotalSeconds,
                "/s",
                "calls that change something, on the disk before and after"
            )
        );
    }
}
