using System.Collections.Concurrent;
using System.Text.Json;
using MinimalMcp.Tests.Protocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>What passes between a caller and another server while a call runs.</summary>
[Slow]
public sealed class CarriedThroughTests
{
    private const string Streamable = SdkClient.Streamable,
        Sse = SdkClient.Sse;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static readonly TheoryData<string, string> Clients = new()
    {
        { Streamable, "2025-11-25" },
        { Streamable, "2026-07-28" },
        { Sse, "2024-11-05" },
    };

    [Theory, InlineData("2025-03-26"), InlineData("2025-11-25"), InlineData("2026-07-28")]
    public async Task Progress_comes_before_the_result(string version)
    {
        await using var hub = await HubServer.StartAsync();
        using var events = await CallAsync(hub, "up_work", version, ("progressToken", "t"));
        foreach (var expected in (int[])[1, 2])
        {
            var progress = (await events.MessageAsync()).GetProperty("params");
            Assert.Equal("t", progress.GetProperty("progressToken").GetString());
            Assert.Equal(expected, progress.GetProperty("progress").GetInt32());
        }

        Assert.Contains("worked", (await events.MessageAsync()).GetProperty("result").GetRawText());
    }

    // Over Streamable HTTP before 2026-07-28 this client only closes the connection, which cancels nothing.
    [Theory, InlineData(Streamable, "2026-07-28"), InlineData(Sse, "2024-11-05")]
    public async Task A_cancelled_call_is_cancelled_at_the_server(string transport, string version)
    {
        await using var hub = await HubServer.StartAsync();
        await using var client = await SdkClient.ConnectAsync(hub.Server, transport, version);
        using var cancel = new CancellationTokenSource();
        var call = client.CallToolAsync("up_wait", cancellationToken: cancel.Token).AsTask();
        await Wait.Until(async () => (await hub.CallAsync("up_seen")).Contains("waits"));

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Wait.Soon(call));
        await CancelledAsync(hub);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_call_that_is_cancelled_in_a_session_is_cancelled_at_the_server(bool canBeAsked)
    {
        await using var hub = await HubServer.StartAsync();
        var hello = new
        {
            protocolVersion = "2025-11-25",
            capabilities = canBeAsked ? new { elicitation = new { } } : (object)new { },
            clientInfo = new { name = "t", version = "1" },
        };
        var session = (await hub.Server.McpAsync("initialize", hello)).Session!;
        var call = hub.Server.McpAsync("tools/call", new { name = "up_wait" }, session: session, id: 7);
        await Wait.Until(async () => (await hub.CallAsync("up_seen")).Contains("waits"));
        const string Cancel = """
            {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}
            """;
        await hub.Server.SendAsync("/mcp", Wire.Bytes(Cancel), ("Mcp-Session-Id", session));
        await CancelledAsync(hub);
        Assert.Equal(JsonValueKind.Undefined, (await Wait.Soon(call)).Message.ValueKind);
    }

    [Fact]
    public async Task A_call_that_takes_too_long_is_cancelled_at_the_server()
    {
        await using var hub = await HubServer.StartAsync("full", ("Hub:ServerTimeout", "00:00:01"));
        Assert.Contains("Whether the call took effect is unknown", await hub.CallAsync("up_wait"));
        await CancelledAsync(hub);
    }

    [Theory, MemberData(nameof(Clients))]
    public async Task A_server_asks_the_user_and_the_model_of_its_caller(string transport, string version)
    {
        await using var hub = await HubServer.StartAsync();
        await using var client = await SdkClient.ConnectAsync(hub.Server, transport, version);

        var once = Text(await client.CallToolAsync("up_ask", cancellationToken: Stop));
        Assert.Equal("""[{"action":"accept","content":{"name":"ada"}}]""", once);
        var arguments = new Dictionary<string, object?> { ["again"] = true };
        var twice = Text(await client.CallToolAsync("up_ask", arguments, cancellationToken: Stop));
        Assert.Equal(2, JsonElement.Parse(twice).GetArrayLength());
        var sampled = await client.CallToolAsync("up_sample", cancellationToken: Stop);
        Assert.Contains("model says hi", Text(sampled));
    }

    [Theory, InlineData("2025-11-25"), InlineData("2026-07-28")]
    public async Task A_person_may_take_longer_than_the_server(string version)
    {
        (string, string)[] settings = [("Hub:ServerTimeout", "00:00:03"), ("Tools:Deadline", "00:00:04")];
        await using var hub = await HubServer.StartAsync("full", settings);
        var asked = new ConcurrentQueue<string>();
        var options = new McpClientOptions
        {
            ProtocolVersion = version,
            InitializationTimeout = Wait.Limit,
            DiscoverProbeTimeout = Wait.Limit,
            Handlers = new()
            {
                ElicitationHandler = async (question, stop) =>
                {
                    asked.Enqueue(question!.Message);
                    await Task.Delay(TimeSpan.FromSeconds(5), stop); // longer than both limits
                    return new() { Action = "decline" };
                },
            },
        };
        var endpoint = new HttpClientTransportOptions { Endpoint = new(hub.Server.Url, "mcp") };
        await using var client = await McpClient.CreateAsync(
            new HttpClientTransport(endpoint),
            options,
            cancellationToken: Stop
        );

        Assert.Equal("""[{"action":"decline"}]""", Text(await client.CallToolAsync("up_ask", cancellationToken: Stop)));
        Assert.Equal(["up asks: Which name?"], asked);
        var sampled = await client.CallToolAsync("up_sample", cancellationToken: Stop);
        Assert.Contains("does not support sampling", ((TextContentBlock)sampled.Content[^1]).Text);
    }

    [Fact]
    public async Task Who_cannot_be_asked_reads_why_and_the_server_gets_an_error()
    {
        await using var hub = await HubServer.StartAsync();
        var alone = (await hub.Server.McpAsync("tools/call", new { name = "up_ask" })).Result.GetRawText();
        Assert.Contains("up wanted to ask the user a question, which was not possible", alone);
        Assert.Contains("-32600", alone);

        // Nobody knows which of two calls it is for.
        await using var client = await SdkClient.ConnectAsync(hub.Server, Streamable, "2025-11-25");
        using var cancel = new CancellationTokenSource();
        var other = client.CallToolAsync("up_wait", cancellationToken: cancel.Token).AsTask();
        await Wait.Until(async () => (await hub.CallAsync("up_seen")).Contains("waits"));
        var unclear = await client.CallToolAsync("up_ask", cancellationToken: Stop);
        Assert.Contains("several calls are running", ((TextContentBlock)unclear.Content[^1]).Text);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Wait.Soon(other));
    }

    [Fact]
    public async Task An_answer_to_no_call_and_one_of_a_stranger_are_refused()
    {
        await using var hub = await HubServer.StartAsync();
        var answer = await hub.Server.McpAsync(
            "tools/call",
            new
            {
                name = "up_ask",
                requestState = "call:unknown",
                inputResponses = new { question = new { action = "accept" } },
            },
            "2026-07-28"
        );
        Assert.Contains("no call waits for this answer", answer.Error.GetProperty("message").GetString());
    }

    [Theory, InlineData(Streamable, "2025-11-25"), InlineData(Sse, "2024-11-05")]
    public async Task Log_messages_reach_who_set_a_level(string transport, string version)
    {
        await using var hub = await HubServer.StartAsync();
        await using var client = await SdkClient.ConnectAsync(hub.Server, transport, version);
        await using var quiet = await SdkClient.ConnectAsync(hub.Server, transport, version);
        Assert.NotNull(client.ServerCapabilities.Logging);
        var (lines, others) = (Logged(client), Logged(quiet));

        await client.SetLoggingLevelAsync(LoggingLevel.Info, cancellationToken: Stop);
        await Wait.Until(async () => (await hub.CallAsync("up_seen")).Contains("level info"));
        await client.CallToolAsync("up_log", cancellationToken: Stop);
        await quiet.CallToolAsync("up_log", cancellationToken: Stop);
        await Wait.Until(() => lines.Count == 4);

        Assert.Equal(["a error line", "a info line"], lines.Distinct().Order());
        Assert.Empty(others);
    }

    [Fact]
    public async Task Since_2026_07_28_a_request_says_which_log_messages_it_wants()
    {
        await using var hub = await HubServer.StartAsync();
        using var events = await CallAsync(hub, "up_log", "2026-07-28", ("io.modelcontextprotocol/logLevel", "error"));
        var message = (await events.MessageAsync()).GetProperty("params");
        Assert.Equal("error", message.GetProperty("level").GetString());
        Assert.Equal("up/demo", message.GetProperty("logger").GetString());
        Assert.Contains("logged", (await events.MessageAsync()).GetProperty("result").GetRawText());
    }

    [Theory, InlineData(Streamable, "2025-11-25"), InlineData(Sse, "2024-11-05")]
    public async Task A_watched_resource_is_watched_at_the_server(string transport, string version)
    {
        await using var hub = await HubServer.StartAsync();
        await using var client = await SdkClient.ConnectAsync(hub.Server, transport, version);
        var updated = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.RegisterNotificationHandler(NotificationMethods.ResourceUpdatedNotification, (message, _) =>
        {
            updated.TrySetResult(message.Params!["uri"]!.GetValue<string>());
            return default;
        });
        const string Uri = "hub://up/demo://notes/1";
        await client.SubscribeToResourceAsync(Uri, cancellationToken: Stop);
        Assert.Equal(Uri, await Wait.Soon(updated.Task));

        await client.UnsubscribeFromResourceAsync(Uri, cancellationToken: Stop);
        await Wait.Until(async () => (await hub.CallAsync("up_seen")).Contains("unsubscribe demo://notes/1"));
        var stranger = client.SubscribeToResourceAsync("hub://nobody/x", cancellationToken: Stop);
        await Assert.ThrowsAnyAsync<ModelContextProtocol.McpException>(() => stranger);
    }

    private static async Task CancelledAsync(HubServer hub)
    {
        string[] seen = [];
        await Wait.Until(async () =>
        {
            seen = JsonSerializer.Deserialize<string[]>(await hub.CallAsync("up_seen"))!;
            return seen.Any(line => line.StartsWith("cancelled", StringComparison.Ordinal));
        });
        var waits = seen.Single(line => line.StartsWith("waits", StringComparison.Ordinal));
        Assert.Contains(waits.Replace("waits", "cancelled"), seen); // the same request
    }

    private static ConcurrentQueue<string> Logged(McpClient client)
    {
        var lines = new ConcurrentQueue<string>();
        client.RegisterNotificationHandler(NotificationMethods.LoggingMessageNotification, (message, _) =>
        {
            lines.Enqueue(message.Params!["data"]!.GetValue<string>());
            return default;
        });
        return lines;
    }

    private static async Task<Events> CallAsync(
        HubServer hub,
        string tool,
        string version,
        (string Name, string Value) meta
    )
    {
        var call = Wire.Call(tool);
        var said = new Dictionary<string, object> { [meta.Name] = meta.Value };
        if (version == "2026-07-28")
        {
            said["io.modelcontextprotocol/protocolVersion"] = version;
            said["io.modelcontextprotocol/clientCapabilities"] = new { };
        }

        call["params"]!["_meta"] = JsonSerializer.SerializeToNode(said);
        var response = await hub.Server.ResponseAsync(
            "/mcp",
            JsonSerializer.SerializeToUtf8Bytes(call),
            ("MCP-Protocol-Version", version),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", tool)
        );
        return new(response);
    }

    private static string Text(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;
}
