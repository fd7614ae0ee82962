namespace MinimalMcp.Load;

/// <summary>
/// What a host of 2025-11-25 does from its first request to its last, in a closed model: users who think before they go
/// on.
/// </summary>
internal sealed class Conversations : IScenarios
{
    private static readonly TimeSpan ThinkTime = TimeSpan.FromMilliseconds(100);

    public IEnumerable<Scenario> For(LoadTest test)
    {
        if (!test.Has(test.Tool))
        {
            test.LeftOut.Add(new("conversations", $"the server has no tool {test.Tool}"));
            yield break;
        }

        var initialize = test.Target.Request(
            Call.Mcp(
                Call.Legacy,
                "initialize",
                $$$"""{"protocolVersion":"{{{Call.Legacy}}}","capabilities":{},"clientInfo":"""
                    + $$$"""{"name":"load","version":"1"}}"""
            )
        );

        yield return Scenario
            .Create("conversations", async context =>
            {
                string? session = null;
                var opened = await Step.Run("initialize", context, async () =>
                {
                    var answer = await context.AskAsync(initialize);
                    session = answer.Header("Mcp-Session-Id");
                    return initialize.Accepts(answer) ? Response.Ok(answer.Size) : Response.Fail(answer.Reason);
                });
                if (opened.IsError)
                {
                    return opened;
                }

                await ThinkAsync(context);
                var listed = await Step.Run("list", context, () =>
                    context.SendAsync(InSession(Call.List(Call.Legacy)))
                );
                await ThinkAsync(context);
                var called = await Step.Run("call", context, () =>
                    context.SendAsync(InSession(Call.Tool(Call.Legacy, test.Tool, test.Arguments)))
                );
                if (session is not null)
                {
                    await context.AskAsync(InSession(Call.Get("/mcp") with { Method = "DELETE" }));
                }

                return listed.IsError ? listed : called;

                Request InSession(Call call) =>
                    test.Target.Request(session is null ? call : call.With($"Mcp-Session-Id: {session}"));
            })
            .WithLoadSimulations(
                Simulation.RampingConstant(test.Copies(8), test.During / 5),
                Simulation.KeepConstant(test.Copies(8), test.During * 4 / 5)
            )
            .WithToolCall("call")
            .WithThresholds("fail <= 0 %", "call.p99 < 250 ms");
    }

    private static async Task ThinkAsync(ScenarioContext context) =>
        await Task.Delay(ThinkTime, context.ScenarioCancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
