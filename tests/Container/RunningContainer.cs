using System.Text.Json;
using MinimalMcp.Engine;

namespace MinimalMcp.Tests.Container;

/// <summary>A container of the image, which is removed with this.</summary>
internal sealed class RunningContainer(EngineClient engine, string id) : IAsyncDisposable
{
    public const string Key = "k9Zr2mQ7xW4tB8nV5cL1sD6hJ3fG0pYa";

    public static readonly string[] WithKey = ["MCP_AUTH_MODE=api-key", $"MCP_API_KEY={Key}"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public Task<JsonElement> InspectAsync() => engine.GetAsync($"containers/{id}/json", Cancellation);

    public async Task<string> LogsAsync() => (await engine.LogsAsync(id, new(), Cancellation)).ToString();

    /// <summary>Waits until its health check says so, and gives a client of its published port.</summary>
    public async Task<HttpClient> HealthyAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Wait.Limit);
        try
        {
            // From the beginning of time, so that nothing can happen between a look at the state and this.
            await foreach (var happened in engine.EventsAsync($"since=1&{EngineClient.Filters(("container", id))}", limit.Token))
            {
                var action = happened.GetProperty("Action").GetString();
                if (action == "health_status: healthy")
                {
                    break;
                }

                Assert.False(action is "die" or "health_status: unhealthy", $"{action}\n{await LogsAsync()}");
            }
        }
        catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
        {
            Assert.Fail($"It did not become healthy: {(await InspectAsync()).GetProperty("State")}\n{await LogsAsync()}");
        }

        var port = (await InspectAsync()).GetProperty("NetworkSettings").GetProperty("Ports").GetProperty("3001/tcp")[0].GetProperty("HostPort").GetString();
        var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        return http;
    }

    /// <summary>What `docker stop` does, and how long the container lived on, by the engine's own clock.</summary>
    public async Task<TimeSpan> StopAsync()
    {
        await engine.StopAsync(id, seconds: 20, Cancellation);
        var finished = (await InspectAsync()).GetProperty("State").GetProperty("FinishedAt").GetDateTimeOffset();
        await foreach (var kill in engine.EventsAsync($"since=1&until={DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeSeconds()}&{EngineClient.Filters(("container", id), ("event", "kill"))}", Cancellation))
        {
            return finished - DateTimeOffset.UnixEpoch.AddTicks(kill.GetProperty("timeNano").GetInt64() / TimeSpan.NanosecondsPerTick);
        }

        throw new InvalidOperationException("The engine tells of no signal.");
    }

    public Task<int> ExitCodeAsync() => engine.WaitAsync(id, Cancellation);

    /// <summary>Its processes: number and user, as the machine below sees them.</summary>
    public async Task<IEnumerable<(string Pid, string User)>> ProcessesAsync() =>
        (await engine.GetAsync($"containers/{id}/top?ps_args={Uri.EscapeDataString("-eo pid,uid")}", Cancellation)).GetProperty("Processes").EnumerateArray()
            .Select(process => (process[0].GetString()!, process[1].GetString()!)).ToArray();

    public async ValueTask DisposeAsync() => await engine.RemoveAsync(id, force: true, volumes: true, CancellationToken.None);
}
