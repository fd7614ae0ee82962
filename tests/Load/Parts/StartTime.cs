using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>From the spawn of the process to its first answer to a tools/call.</summary>
internal static class StartTime
{
    public static async Task MeasureAsync(Options options, LoadReport report, string answerLengths, Call call)
    {
        await using var own = new OwnServers(options) { Hook = false };
        var starts = new Dictionary<string, List<double>>();
        for (var spawn = 0; spawn < options.Spawns; spawn++)
        {
            foreach (var start in (Func<ServerProcess>[])[() => own.Bare(answerLengths), () => own.Plain()])
            {
                var started = Stopwatch.StartNew();
                await using var server = start();
                await server.FirstAnswer(call);
                (starts.TryGetValue(server.Name, out var list) ? list : starts[server.Name] = []).Add(
                    started.Elapsed.TotalMilliseconds
                );
            }
        }

        report.Figures.AddRange(
            starts.Select(server =>
                Median.Figure($"start.{server.Key}", "ms", $"{server.Key}: start to first answer", server.Value)
            )
        );
        report.Figures.Add(
            Median.Figure(
                "ratio.start",
                "x",
                "start to first answer, to bare Kestrel",
                starts["server"].Zip(starts["bare"], (own, bare) => own / bare)
            )
        );
    }
}
