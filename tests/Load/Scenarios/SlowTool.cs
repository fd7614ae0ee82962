namespace MinimalMcp.Load;

/// <summary>
/// A tool whose system answers late: waiting calls must cost neither threads nor the calls beside them.
/// </summary>
internal sealed class SlowTool : IScenarios
{
    public IEnumerable<Scenario> For(LoadTest test)
    {
        if (test.Slow is null)
        {
            test.LeftOut.Add(
                new(
                    "slow-upstream",
                    "it needs the sample shop on a server that is started here, with a slow system behind it"
                )
            );
            yield break;
        }

        var request = test.Slow.Request(Call.Tool(Call.Modern, "search_products", """{"query":"milk"}"""));
        yield return Scenario
            .Create("slow-upstream", context => context.SendAsync(request))
            .WithLoadSimulations(test.RampThenInject(50))
            .WithThresholds($"p99 < {test.SlowMilliseconds + 500:0} ms", "fail <= 0 %");
    }
}
