using System.Text.Json;

namespace MinimalMcp.Tests.Hub;

/// <summary>What <c>/status</c> and <c>/metrics</c> show of other servers.</summary>
[Slow]
public sealed class HubFiguresTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Servers_and_sessions_are_counted_by_what_they_do()
    {
        await using var server = Start();
        var none = await server.GetJsonAsync("/status");
        Assert.Equal((0, 0, 0, 0), Servers(none));
        Assert.Equal((0, 0), Sessions(none));
        Assert.InRange(none.GetProperty("memory_usage_mb").GetDouble(), 1, 1_000_000);
        Assert.InRange(none.GetProperty("cpu_usage_percent").GetDouble(), 0, 100);
        Assert.Equal("running", none.GetProperty("status").GetString());

        await RegisterAsync(server, "good", "good");
        await RegisterAsync(server, "dead", "dies");
        await RegisterAsync(server, "idle", "good", autoRestart: false);
        await Wait.Until(async () => Servers(await server.GetJsonAsync("/status")) == (3, 1, 1, 1));

        var parameters = new
        {
            protocolVersion = "2025-11-25",
            capabilities = new { },
            clientInfo = new { name = "test", version = "1" },
        };
        var session = (await server.McpAsync("initialize", parameters)).Session;
        Assert.Equal((1, 1), Sessions(await server.GetJsonAsync("/status")));
        using var end = new HttpRequestMessage(HttpMethod.Delete, "/mcp");
        end.Headers.Add("Mcp-Session-Id", session);
        using var ended = await server.Http.SendAsync(end, Stop);
        Assert.Equal((1, 0), Sessions(await server.GetJsonAsync("/status")));
    }

    [Fact]
    public async Task Metrics_say_which_servers_are_up_how_often_they_restarted_and_how_long_their_calls_took()
    {
        await using var server = Start();
        await RegisterAsync(server, "good", "good");
        await RegisterAsync(server, "dead", "dies");
        await Wait.Until(async () => Servers(await server.GetJsonAsync("/status")) == (2, 1, 0, 1));
        var call = await server.McpAsync("tools/call", new { name = "good_echo", arguments = new { text = "hi" } });
        Assert.False(call.IsError, call.Message.GetRawText());
        call = await server.McpAsync("tools/call", new { name = "good_die", arguments = new { } });
        Assert.True(call.IsError);

        var lines = (await server.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Stop)).Split('\n');
        Assert.Contains("""mcp_hub_server_up{server="dead"} 0""", lines);
        Assert.Contains("""mcp_hub_server_restarts_total{server="dead"} 1""", lines);
        Assert.Contains("""mcp_hub_request_duration_seconds_count{server="good",outcome="ok"} 1""", lines);
        Assert.Contains("""mcp_hub_request_duration_seconds_count{server="good",outcome="error"} 1""", lines);
        Assert.Contains("# TYPE mcp_hub_server_up gauge", lines);
        Assert.Contains("# TYPE mcp_hub_server_restarts_total counter", lines);
        Assert.Contains("# TYPE mcp_hub_request_duration_seconds histogram", lines);
        Assert.Contains("# HELP mcp_rpc_request_duration_seconds How long JSON-RPC requests took.", lines);
        var families = lines.Where(line => line.StartsWith("# TYPE", StringComparison.Ordinal)).ToArray();
        Assert.Equal(families.Distinct(), families);

        // Back after the crash; and what is deleted has no series.
        using var deleted = await server.Http.DeleteAsync(new Uri("/api/v1/servers/2", UriKind.Relative), Stop);
        Assert.True(deleted.IsSuccessStatusCode);
        await Wait.Until(async () =>
        {
            var text = await server.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Stop);
            return text.Contains("""mcp_hub_server_up{server="good"} 1""", StringComparison.Ordinal)
                && text.Contains("""mcp_hub_server_restarts_total{server="good"} 1""", StringComparison.Ordinal)
                && !text.Contains("""{server="dead"}""", StringComparison.Ordinal);
        });
    }

    private static (int Total, int Active, int Inactive, int Error) Servers(JsonElement status) =>
        (
            status.GetProperty("total_servers").GetInt32(),
            status.GetProperty("active_servers").GetInt32(),
            status.GetProperty("inactive_servers").GetInt32(),
            status.GetProperty("error_servers").GetInt32()
        );

    private static (int Total, int Active) Sessions(JsonElement status) =>
        (status.GetProperty("total_sessions").GetInt32(), status.GetProperty("active_sessions").GetInt32());

    private static TestServer Start() => TestServer.Start(("Hub:CommandsWithoutAuth", "true"));

    private static async Task RegisterAsync(TestServer server, string name, string kind, bool autoRestart = true)
    {
        Needs.Program("install Node.js", "node");
        var body = JsonSerializer.Serialize(
            new
            {
                name,
                command = "node",
                args = (string[])[HubServer.Script(), kind],
                auto_restart = autoRestart,
                max_restarts = kind == "dies" ? 1 : 3,
                risk = "LOW",
            }
        );
        using var answer = await server.PostAsync("/api/v1/servers", body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }
}
