namespace MinimalMcp.Load;

/// <summary>
/// A tool that changes something: its intent is on the disk before the call, and its outcome after it.
/// </summary>
internal sealed class Writes : IScenarios
{
    public IEnumerable<Scenario> For(LoadTest test)
    {
        if (!test.Has(test.WriteTool))
        {
            test.LeftOut.Add(
                new(
                    "writes",
                    $"the server has no tool {test.WriteTool}: name one of its own that may be called often, with "
                        + "--write-tool and --write-arguments"
                )
            );
            yield break;
        }

        if (test.Foreign)
        {
            test.LeftOut.Add(
                new(
                    "writes",
                    "it would change something on a server that was not started for this: allow it with --writes"
                )
            );
            yield break;
        }

        var request = test.Target.Request(Call.Tool(Call.Legacy, test.WriteTool, test.WriteArguments));
        yield return Scenario
            .Create("writes", async context =>
            {
                // A cart holds 99 of one product; what the tool itself refuses is on record all the same.
                var answer = await context.AskAsync(request);
                return answer.Status == 200 && answer.Body.Span.IndexOf("\"result\":"u8) >= 0
                    ? Response.Ok(answer.Size)
                    : Response.Fail(answer.Reason);
            })
            .WithLoadSimulations(test.RampThenInject(20))
            .WithToolCall()
            .WithThresholds("p99 < 500 ms", "fail <= 0 %");
    }
}
