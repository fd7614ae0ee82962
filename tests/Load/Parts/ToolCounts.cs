namespace MinimalMcp.Load;

/// <summary>What a call and a list cost when the server has ten tools, and when it has a thousand.</summary>
internal static class ToolCounts
{
    public static async Task MeasureAsync(Options options, LoadReport report, Progress progress, params int[] counts)
    {
        await using var own = new OwnServers(options);
        var results = new Dictionary<int, List<CallRound>>();
        // The tools of the project are few beside a thousand, and the same on both sides.
        foreach (var count in counts)
        {
            results[count] = await MeasureAsync(options, own, progress, count);
            foreach (var calls in results[count].GroupBy(round => round.Call))
            {
                report.Figures.Add(Median.Figure($"tools.{count}.{calls.Key}.rate", "/s", $"tools/{calls.Key} with {count:N0} more tools, {options.Connections} connections", calls.Select(round => round.Rate)));
                report.Figures.Add(Median.Figure($"tools.{count}.{calls.Key}.cpu", "us", $"processor time for a tools/{calls.Key} with {count:N0} more tools", calls.Select(round => round.Cpu)));
            }
        }

        foreach (var kind in (string[])["call", "list"])
        {
            var (few, many) = (Rates(counts[0]), Rates(counts[^1]));
            report.Figures.Add(Median.Figure($"ratio.tools.{kind}", "x", $"tools/{kind} a second with {counts[^1]:N0} more tools to {counts[0]}", many.Zip(few, (m, f) => m / f)));

            double[] Rates(int count) => [.. results[count].Where(round => round.Call == kind).Select(round => round.Rate)];
        }
    }

    public static async Task<List<CallRound>> MeasureAsync(Options options, OwnServers own, Progress progress, int count)
    {
        await using var server = own.Plain(count);
        Call[] calls =
        [
            Call.Tool(Call.Legacy, MoreTools.Name((count + 1) / 2), MoreTools.Arguments) with { Name = "call" },
            Call.List(Call.Legacy) with { Name = "list" },
        ];
        await server.FirstAnswer(calls[0]);
        var rounds = await new Rounds(options, progress).MeasureAsync([server], calls);
        return [.. rounds.Select(round => round with { Server = $"{count}" })];
    }
}
