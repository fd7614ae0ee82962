namespace MinimalMcp.Load;

/// <summary>What every host asks before its first call, in both eras by turns.</summary>
internal sealed class Lists : IScenarios
{
    public IEnumerable<Scenario> For(LoadTest test)
    {
        Request[] lists = [.. Call.Revisions.Select(revision => test.Target.Request(Call.List(revision)))];
        yield return Scenario
            .Create("lists", context => context.SendAsync(lists[context.InvocationNumber % lists.Length]))
            .WithLoadSimulations(test.RampThenInject(50))
            .WithThresholds("p99 < 250 ms", "fail <= 0 %");
    }
}
