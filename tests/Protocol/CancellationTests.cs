using System.Text.Json;

namespace MinimalMcp.Tests.Protocol;

/// <summary>What stops a running call, and what does not.</summary>
public sealed class CancellationTests
{
    private const string Cancel = """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""";

    [Theory, InlineData("wait"), InlineData("wait_in_conversation")]
    public async Task A_closed_connection_cancels_since_2026_07_28(string tool)
    {
        var gate = new Gate();
        await using var server = gate.Serve();
        using var client = new HttpClient { BaseAddress = server.Url };
        var call = PostAsync(client, "2026-07-28", tool);
        await Wait.Soon(gate.Started.Task);

        client.CancelPendingRequests();

        await Wait.Soon(gate.Cancelled.Task);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Theory]
    [InlineData("wait", true)]
    [InlineData("wait", false)]
    [InlineData("wait_in_conversation", true)]
    [InlineData("wait_in_conversation", false)]
    public async Task A_closed_connection_does_not_cancel_before(string tool, bool inSession)
    {
        var gate = new Gate();
        await using var server = gate.Serve();
        using var client = new HttpClient { BaseAddress = server.Url };
        var call = PostAsync(client, "2025-11-25", tool, inSession ? await server.InitializeAsync() : null);
        await Wait.Soon(gate.Started.Task);

        client.CancelPendingRequests();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        // The server has had time to notice when it has served others; the call itself must still be waiting.
        for (var i = 0; i < 20; i++)
        {
            await server.McpAsync("tools/list");
        }

        Assert.False(gate.Cancelled.Task.IsCompleted);
        gate.Release.SetResult();
    }

    [Theory, InlineData("wait"), InlineData("wait_in_conversation")]
    public async Task A_notification_cancels_in_a_session(string tool)
    {
        var gate = new Gate();
        await using var server = gate.Serve();
        var session = await server.InitializeAsync();
        var call = server.McpAsync("tools/call", new { name = tool }, session: session);
        await Wait.Soon(gate.Started.Task);

        var accepted = await server.SendAsync("/mcp", Wire.Bytes(Cancel), ("Mcp-Session-Id", session!));

        Assert.Equal(202, accepted.Status);
        await Wait.Soon(gate.Cancelled.Task);
        Assert.Equal(JsonValueKind.Undefined, (await Wait.Soon(call)).Message.ValueKind); // ended, and no answer
        Assert.Equal(200, (await server.McpAsync("tools/list", session: session)).Status);
    }

    [Fact]
    public async Task A_notification_cancels_nothing_in_another_session()
    {
        var gate = new Gate();
        await using var server = gate.Serve();
        var call = server.McpAsync("tools/call", new { name = "wait" }, session: await server.InitializeAsync());
        await Wait.Soon(gate.Started.Task);

        Assert.Equal(
            202,
            (
                await server.SendAsync(
                    "/mcp",
                    Wire.Bytes(Cancel),
                    ("Mcp-Session-Id", (await server.InitializeAsync())!)
                )
            ).Status
        );
        Assert.Equal(202, (await server.SendAsync("/mcp", Wire.Bytes(Cancel))).Status);

        gate.Release.SetResult();
        Assert.Equal("released", (await Wait.Soon(call)).Text);
    }

    [Theory, InlineData("wait"), InlineData("wait_in_conversation")]
    public async Task A_notification_cancels_over_sse(string tool)
    {
        var gate = new Gate();
        await using var server = gate.Serve();
        using var events = await server.OpenAsync("/sse");
        var endpoint = await events.DataAsync();
        await PostAsync(server, endpoint, Wire.Call(tool).ToJsonString());
        await Wait.Soon(gate.Started.Task);

        await PostAsync(server, endpoint, Cancel);

        await Wait.Soon(gate.Cancelled.Task);
        await PostAsync(server, endpoint, """{"jsonrpc":"2.0","id":2,"method":"ping"}""");
        // the cancelled call has no answer
        Assert.Equal("""{"jsonrpc":"2.0","id":2,"result":{}}""", await events.DataAsync());
    }

    [Theory, InlineData("wait"), InlineData("wait_in_conversation")]
    public async Task A_closed_sse_stream_cancels(string tool)
    {
        var gate = new Gate();
        await using var server = gate.Serve();
        using (var events = await server.OpenAsync("/sse"))
        {
            await PostAsync(server, await events.DataAsync(), Wire.Call(tool).ToJsonString());
            await Wait.Soon(gate.Started.Task);
        }

        await Wait.Soon(gate.Cancelled.Task);
    }

    [Theory, InlineData("wait"), InlineData("wait_in_conversation")]
    public async Task A_deleted_session_cancels(string tool)
    {
        var gate = new Gate();
        await using var server = gate.Serve();
        var session = await server.InitializeAsync();
        var call = server.McpAsync("tools/call", new { name = tool }, session: session);
        await Wait.Soon(gate.Started.Task);

        await Wait.Soon(server.DeleteAsync(session));

        await Wait.Soon(gate.Cancelled.Task);
        Assert.Equal(JsonValueKind.Undefined, (await Wait.Soon(call)).Message.ValueKind);
    }

    private static async Task PostAsync(TestServer server, string endpoint, string message)
    {
        using var response = await server.ResponseAsync(endpoint, Wire.Bytes(message));
        Assert.Equal(202, (int)response.StatusCode);
    }

    private static async Task PostAsync(HttpClient client, string version, string tool, string? session = null)
    {
        var message = Wire.Call(tool);
        message["params"]!["_meta"] = JsonSerializer.SerializeToNode(
            new Dictionary<string, object>
            {
                ["io.modelcontextprotocol/protocolVersion"] = version,
                ["io.modelcontextprotocol/clientCapabilities"] = new { },
            }
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp") { Content = TestServer.Json(message) };
        foreach (
            var (name, value) in ((string, string?)[])
                [
                    ("MCP-Protocol-Version", version),
                    ("Mcp-Method", "tools/call"),
                    ("Mcp-Name", tool),
                    ("Mcp-Session-Id", session),
                ]
        )
        {
            request.Headers.TryAddWithoutValidation(name, value is null ? [] : [value]);
        }

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
