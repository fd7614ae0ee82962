namespace MinimalMcp.Load;

/// <summary>One tool over every way to reach it, at a rate.</summary>
internal sealed class ToolCalls : IScenarios
{
    public IEnumerable<Scenario> For(LoadTest test)
    {
        (string Name, Call Call, double Rate)[] ways =
        [
            ("mcp-2025-11-25", Call.Tool(Call.Legacy, test.Tool, test.Arguments), 200),
            ("mcp-2026-07-28", Call.Tool(Call.Modern, test.Tool, test.Arguments), 200),
            ("rest", Call.Rest(test.Tool, test.Arguments), 100),
            ("functions", Call.Function(test.Tool, test.Arguments), 100),
        ];
        foreach (var (name, call, rate) in ways)
        {
            if (!test.Has(test.Tool))
            {
                test.LeftOut.Add(
                    new(
                        name,
                        $"the server has no tool {test.Tool}: name one of its own that only reads, with --tool and "
                            + "--arguments"
                    )
                );
                continue;
            }

            var request = test.Target.Request(call);
            yield return Scenario
                .Create(name, context => context.SendAsync(request))
                .WithLoadSimulations(test.RampThenInject(rate))
                .WithToolCall()
                .WithThresholds("p99 < 250 ms", "fail <= 0 %");
        }
    }
}
