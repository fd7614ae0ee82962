using System.Globalization;
using Docker.DotNet.Models;
using MinimalMcp.Engine;

namespace MinimalMcp.Tests.Container;

/// <summary>A container of the image, which is removed with this.</summary>
internal sealed class RunningContainer(EngineClient engine, string id) : IAsyncDisposable
{
    public const string Key = "k9Zr2mQ7xW4tB8nV5cL1sD6hJ3fG0pYa";

    public static readonly string[] WithKey = ["MCP_AUTH_MODE=api-key", $"MCP_API_KEY={Key}"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public Task<ContainerInspectResponse> InspectAsync() => engine.Containers.InspectContainerAsync(id, Cancellation);

    public async Task<string> LogsAsync() => (await engine.LogsAsync(id, new(), Cancellation)).ToString();

    /// <summary>Waits until its health check says so, and gives a client of its published port.</summary>
    public async Task<HttpClient> HealthyAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Wait.Limit);
        string? decided = null;
        var events = new EngineClient.Reports<Message>(happened =>
        {
            if (decided is null && happened.Action is "health_status: healthy" or "health_status: unhealthy" or "die")
            {
                decided = happened.Action;
                limit.Cancel();
            }
        });
        try
        {
            // From the beginning of time, so that nothing can happen between a look at the state and this.
            var ours = new ContainerEventsParameters { Since = "1", Filters = EngineClient.Filters(("container", id)) };
            await engine.System.MonitorEventsAsync(ours, events, limit.Token);
        }
        catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
        {
            var what = decided ?? "It did not become healthy in time.";
            Assert.True(decided == "health_status: healthy", $"{what}\n{await LogsAsync()}");
        }

        var port = (await InspectAsync()).NetworkSettings!.Ports["3001/tcp"][0].HostPort;
        var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        return http;
    }

    /// <summary>What `docker stop` does, and how long the container lived on, by Docker's own clock.</summary>
    public async Task<TimeSpan> StopAsync()
    {
        await engine.Containers.StopContainerAsync(id, new() { WaitBeforeKillSeconds = 20 }, Cancellation);
        var finished = DateTimeOffset.Parse((await InspectAsync()).State!.FinishedAt, CultureInfo.InvariantCulture);
        Message? first = null;
        await engine.System.MonitorEventsAsync(
            new()
            {
                Since = "1",
                Until = $"{DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeSeconds()}",
                Filters = EngineClient.Filters(("container", id), ("event", "kill")),
            },
            new EngineClient.Reports<Message>(kill => first ??= kill),
            Cancellation
        );
        var signal = first?.TimeNano ?? throw new InvalidOperationException("Docker tells of no signal.");
        return finished - DateTimeOffset.UnixEpoch.AddTicks(signal / TimeSpan.NanosecondsPerTick);
    }

    public async Task<long> ExitCodeAsync() =>
        (await engine.Containers.WaitContainerAsync(id, Cancellation)).StatusCode;

    /// <summary>Its processes: number and user, as the machine below sees them.</summary>
    public async Task<IEnumerable<(string Pid, string User)>> ProcessesAsync() =>
        (await engine.Containers.ListProcessesAsync(id, new() { PsArgs = "-eo pid,uid" }, Cancellation))
            .Processes.Select(process => (process[0], process[1]))
            .ToArray();

    public async ValueTask DisposeAsync() => await engine.RemoveAsync(id);
}
