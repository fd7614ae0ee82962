using System.Globalization;
using System.Text.Json;
using Docker.DotNet.Models;

namespace MinimalMcp.Engine;

/// <summary>Stops and restarts containers with their own stop timeout, as far as a call can wait for it.</summary>
internal static class ContainerLifecycle
{
    // Docker's own default is 10 seconds. With 20 the answer still comes within the deadline of a request.
    private const uint Default = 10,
        Longest = 20;

    // 128 and the number of SIGKILL.
    private const int KilledExitCode = 137;

    /// <summary>Starts a container.</summary>
    public static async Task<string> StartAsync(EngineClient engine, string container, CancellationToken ct) =>
        await engine.Containers.StartContainerAsync(EngineClient.ValidName(container), new(), ct)
            ? "started"
            : "was running already";

    /// <summary>What a change would do. Fails when there is no such container.</summary>
    /// <param name="done">The word for the change: started, stopped, restarted or removed.</param>
    public static async Task<string> PreviewAsync(
        EngineClient engine,
        string container,
        string done,
        CancellationToken ct
    )
    {
        var state = (await InspectAsync(engine, container, ct)).State;
        return (done, state?.Running) switch
        {
            ("started", true) => "is running already; nothing would change",
            ("stopped", not true) => "is not running; nothing would change",
            ("removed", true) => "is running, so it cannot be removed; stop it first",
            _ => $"would be {done}; it is {state?.Status} now",
        };
    }

    /// <summary>Stops a container, and reports when Docker had to kill it.</summary>
    public static async Task<string> StopAsync(EngineClient engine, string container, CancellationToken ct)
    {
        var timeout = TimeoutOf(await InspectAsync(engine, container, ct));
        ContainerStopParameters how = new() { WaitBeforeKillSeconds = timeout.Override };
        if (!await engine.Containers.StopContainerAsync(container, how, ct))
        {
            return "was not running";
        }

        var after = await AfterwardsAsync(() => engine.Containers.InspectContainerAsync(container, ct));
        return after?.State is { ExitCode: KilledExitCode, Running: false } ? $"stopped; {Killed(timeout)}" : "stopped";
    }

    /// <summary>Restarts a container, and reports when Docker had to kill it.</summary>
    public static async Task<string> RestartAsync(EngineClient engine, string container, CancellationToken ct)
    {
        var before = await InspectAsync(engine, container, ct);
        var timeout = TimeoutOf(before);
        ContainerRestartParameters how = new() { WaitBeforeKillSeconds = timeout.Override };
        await engine.Containers.RestartContainerAsync(container, how, ct);
        return before.State?.Running is not true ? "started; it was not running"
            : await WasKilledAsync(engine, container, before, ct) ? $"restarted; {Killed(timeout)}"
            : "restarted";
    }

    /// <summary>
    /// Reads something after a change that was made. What fails here cannot make a failure of the change: null then.
    /// </summary>
    public static async Task<T?> AfterwardsAsync<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is EngineException or HttpRequestException or JsonException)
        {
            return null;
        }
    }

    private static Task<ContainerInspectResponse> InspectAsync(
        EngineClient engine,
        string container,
        CancellationToken ct
    ) => engine.Containers.InspectContainerAsync(EngineClient.ValidName(container), ct);

    private static string Killed((uint Seconds, uint? Override) timeout) =>
        $"it did not stop within {timeout.Seconds} seconds and was killed"
        + (
            timeout.Override is null
                ? ""
                : $" (its own stop timeout is longer than the {Longest} seconds that a call can wait)"
        );

    // The exit code of the inspected container is that of its new run, so the event of its end is read. Both times are
    // the engine's own: its clock may differ from ours.
    private static async Task<bool> WasKilledAsync(
        EngineClient engine,
        string container,
        ContainerInspectResponse before,
        CancellationToken ct
    )
    {
        var after = await AfterwardsAsync(() => engine.Containers.InspectContainerAsync(container, ct));
        if (UnixTime(before.State?.StartedAt) is not { } since || UnixTime(after?.State?.StartedAt) is not { } until)
        {
            return false;
        }

        var exitCode = "";
        ContainerEventsParameters ends = new()
        {
            Since = since,
            Until = until,
            Filters = EngineClient.Filters(("container", before.ID), ("event", "die")),
        };
        var read = new EngineClient.Reports<Message>(end =>
            exitCode = end.Actor?.Attributes?.TryGetValue("exitCode", out var code) is true ? code : ""
        );
        // Portainer does not show events to everybody.
        await AfterwardsAsync(async () =>
        {
            await engine.System.MonitorEventsAsync(ends, read, ct);
            return exitCode;
        });
        return exitCode == KilledExitCode.ToString(CultureInfo.InvariantCulture);
    }

    private static string? UnixTime(string? time) =>
        DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
        && at.Year > 1
            ? LogQuery.UnixTime(at)
            : null;

    // Without t Docker takes the container's own timeout.
    private static (uint Seconds, uint? Override) TimeoutOf(ContainerInspectResponse container) =>
        container.Config?.StopTimeout switch
        {
            null => (Default, null),
            { TotalSeconds: >= 0 and <= Longest } own => ((uint)own.TotalSeconds, null),
            _ => (Longest, Longest), // longer, or -1: for ever
        };
}
