namespace MinimalMcp.Load;

/// <summary>What a call and a list cost when the server has ten tools, and when it has a thousand.</summary>
internal static class ToolCounts
{
    public static async Task MeasureAsync(Options options, LoadReport report, Progress progress, params int[] counts)
    {
        var measured = await MeasureAsync(options, progress, counts);
        foreach (var tools in measured)
        {
            foreach (var (kind, rounds) in new[] { ("call", tools.Calls), ("list", tools.Lists) })
            {
                report.Figures.Add(
                    Median.Figure(
                        $"tools.{tools.Count}.{kind}.rate",
                        "/s",
                        $"tools/{kind} with {tools.Count:N0} more tools, {options.Connections} connections",
                        rounds.Select(round => round.Rate)
                    )
                );
                report.Figures.Add(
                    Median.Figure(
                        $"tools.{tools.Count}.{kind}.cpu",
                        "us",
                        $"processor time for a tools/{kind} with {tools.Count:N0} more tools",
                        rounds.Select(round => round.Cpu)
                    )
                );
            }
        }

        // Sending a long answer costs by itself; what is left shows whether the list costs more than its bytes.
        foreach (var tools in measured)
        {
            report.Figures.Add(
                Median.Figure(
                    $"ratio.tools.list.bare.{tools.Count}.rate",
                    "x",
                    $"tools/list a second with {tools.Count:N0} more tools, to bare Kestrel that sends as many bytes",
                    Ratio(tools.Lists, tools.Bare, round => round.Rate)
                )
            );
            report.Figures.Add(
                Median.Figure(
                    $"ratio.tools.list.bare.{tools.Count}.cpu",
                    "x",
                    $"processor time for a tools/list with {tools.Count:N0} more tools, to bare Kestrel that sends "
                        + "as many bytes",
                    Ratio(tools.Lists, tools.Bare, round => round.Cpu)
                )
            );
        }

        var (few, many) = (measured[0], measured[^1]);
        report.Figures.Add(
            Median.Figure(
                "ratio.tools.call",
                "x",
                $"tools/call a second with {many.Count:N0} more tools to {few.Count}",
                Ratio(many.Calls, few.Calls, round => round.Rate)
            )
        );
        report.Figures.Add(
            Median.Figure(
                "ratio.tools.list",
                "x",
                $"tools/list a second with {many.Count:N0} more tools to {few.Count}",
                Ratio(many.Lists, few.Lists, round => round.Rate)
            )
        );
    }

    /// <summary>
    /// All by turns, so that what slows the machine for a while does not look like a matter of tools.
    /// </summary>
    public static async Task<List<ToolRounds>> MeasureAsync(Options options, Progress progress, params int[] counts)
    {
        await using var own = new OwnServers(options);
        // The tools of the project are few beside a thousand, and the same on all sides.
        var list = Call.List(Call.Legacy) with { Name = "list" };
        var servers = counts.Select(count => own.Plain(count, $"{count} tools")).ToList();
        var bare = new List<ServerProcess>();
        foreach (var (count, server) in counts.Zip(servers))
        {
            bare.Add(
                own.Bare(
                    Ratios.Lengths(await Ratios.AnswersAsync(server, [.. Call.Revisions.Select(Call.List)])),
                    $"{count} bare"
                )
            );
            await bare[^1].FirstAnswer(list);
        }

        var rounds = new Rounds(options, progress);
        // Every server has the first few tools; which one is called makes no difference to it.
        var calls = await rounds.MeasureAsync(
            servers,
            [Call.Tool(Call.Legacy, MoreTools.Name((counts.Min() + 1) / 2), MoreTools.Arguments) with { Name = "call" }]
        );
        var lists = await rounds.MeasureAsync(
            [.. servers.Zip(bare, (server, kestrel) => new[] { server, kestrel }).SelectMany(both => both)],
            [list]
        );
        return
        [
            .. counts
                .Zip(servers, bare)
                .Select(tools => new ToolRounds(
                    tools.First,
                    Of(calls, tools.Second),
                    Of(lists, tools.Second),
                    Of(lists, tools.Third)
                )),
        ];

        static CallRound[] Of(List<CallRound> rounds, ServerProcess server) =>
            [.. rounds.Where(round => round.Server == server.Name)];
    }

    private static IEnumerable<double> Ratio(CallRound[] own, CallRound[] other, Func<CallRound, double> figure) =>
        own.Zip(other, (o, b) => figure(o) / figure(b));
}

/// <param name="Bare">The same lists, asked of bare Kestrel that sends as many bytes.</param>
internal sealed record ToolRounds(int Count, CallRound[] Calls, CallRound[] Lists, CallRound[] Bare);
