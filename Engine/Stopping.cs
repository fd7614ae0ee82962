using Docker.DotNet.Models;

namespace MinimalMcp.Engine;

/// <summary>Stops and restarts with the container's own stop timeout, as far as a call can wait for it.</summary>
public static class Stopping
{
    // Docker's own default is 10 seconds; with 20 an answer still comes within the deadline of a request.
    private const uint Default = 10,
        Longest = 20;

    // 128 and the number of SIGKILL.
    private const int Killed = 137;

    /// <summary>Stops a container, and says so when it did not end by itself.</summary>
    public static async Task<string> StopAsync(EngineClient engine, string container, CancellationToken ct)
    {
        var seconds = await SecondsAsync(engine, container, ct);
        ContainerStopParameters how = new() { WaitBeforeKillSeconds = seconds.Override };
        if (!await engine.Containers.StopContainerAsync(container, how, ct))
        {
            return "was not running";
        }

        var after = (await engine.Containers.InspectContainerAsync(container, ct)).State;
        return after is { ExitCode: Killed, Running: false } ? $"stopped; {KilledAfter(seconds.Wait)}" : "stopped";
    }

    public static async Task<string> RestartAsync(
        EngineClient engine,
        string container,
        TimeProvider time,
        CancellationToken ct
    )
    {
        var seconds = await SecondsAsync(engine, container, ct);
        var began = time.GetTimestamp();
        ContainerRestartParameters how = new() { WaitBeforeKillSeconds = seconds.Override };
        await engine.Containers.RestartContainerAsync(container, how, ct);
        // Nothing else tells: the exit code is that of the new run.
        var wasKilled = seconds.Wait > 0 && time.GetElapsedTime(began).TotalSeconds >= seconds.Wait;
        return wasKilled ? $"restarted; {KilledAfter(seconds.Wait)}" : "restarted";
    }

    private static string KilledAfter(uint seconds) =>
        $"it did not end by itself within {seconds} seconds and was killed";

    // Without t Docker takes the container's own timeout.
    private static async Task<(uint Wait, uint? Override)> SecondsAsync(
        EngineClient engine,
        string container,
        CancellationToken ct
    )
    {
        var own = (await engine.Containers.InspectContainerAsync(EngineClient.Name(container), ct)).Config?.StopTimeout;
        return own switch
        {
            null => (Default, null),
            { TotalSeconds: >= 0 and <= Longest } => ((uint)own.Value.TotalSeconds, null),
            _ => (Longest, Longest), // longer, or -1: for ever
        };
    }
}
