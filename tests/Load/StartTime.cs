using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>From the spawn of the process to its first answer to a tools/call.</summary>
internal static class StartTime
{
    public static async Task<List<Start>> Measure(Func<ServerProcess>[] servers, Scenario scenario, int spawns)
    {
        var starts = new List<Start>();
        foreach (var spawn in Enumerable.Repeat(servers, spawns).SelectMany(s => s))
        {
            var started = Stopwatch.StartNew();
            await using var server = spawn();
            await server.FirstAnswer(scenario);
            starts.Add(new(server.Name, started.Elapsed.TotalMilliseconds, server.Rss));
        }

        return starts;
    }
}

internal sealed record Start(string Server, double Milliseconds, long? Rss);
