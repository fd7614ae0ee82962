using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>
/// Event streams that are opened and held, beside the calls. The latency is the time to the first byte.
/// </summary>
internal sealed class Streams : IScenarios
{
    public IEnumerable<Scenario> For(LoadTest test)
    {
        var hold = test.During / 6;
        var request = test.Target.Request(Call.Stream("/mcp"));
        yield return Scenario
            .Create("streams", async context =>
            {
                var asked = Stopwatch.GetTimestamp();
                using var stream = await HttpConnection.Open(request.Target);
                var status = await stream.OpenStream(request.Bytes);
                var opened = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
                if (status != 200)
                {
                    return Response.Fail($"HTTP {status}");
                }

                await Task.Delay(hold, context.ScenarioCancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return stream.IsOpen
                    ? Response.Ok(customLatencyMs: opened)
                    : Response.Fail("the server closed the stream");
            })
            .WithLoadSimulations(
                Simulation.RampingConstant(test.Copies(200), test.During / 5),
                Simulation.KeepConstant(test.Copies(200), test.During * 4 / 5)
            )
            .WithThresholds("p99 < 1 s", "fail <= 0 %");
    }
}
