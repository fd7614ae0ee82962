using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol.Client;

namespace MinimalMcp.Tests.Protocol;

/// <summary>GET /mcp of the revisions with a handshake.</summary>
public sealed class EventStreamTests
{
    private const string Changed = """{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}""";

    [Theory, InlineData(false), InlineData(true)]
    public async Task Tells_that_the_tools_changed_before_and_during_a_conversation(bool conversing)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var session = await server.InitializeAsync();
        if (conversing)
        {
            await ConverseAsync(server, session!);
        }

        using var events = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));
        Assert.Equal(": keep-alive", await events.LineAsync());
        Change(server);
        Assert.Equal(Changed, await events.DataAsync());

        await ConverseAsync(server, session!); // starts one, if there was none
        Change(server);
        Assert.Equal(Changed, await events.DataAsync());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Can_be_opened_again_after_it_was_cut(bool conversing)
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Mcp:KeepAlive", "00:00:00.05"));
        var session = await server.InitializeAsync();
        if (conversing)
        {
            await ConverseAsync(server, session!);
        }

        for (var i = 0; i < 3; i++)
        {
            using var events = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));
            Assert.Equal(": keep-alive", await events.LineAsync());
            Assert.Equal(": keep-alive", await events.LineAsync());
            Change(server);
            Assert.Equal(Changed, await events.DataAsync());
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_second_one_takes_the_place_of_the_first(bool conversing)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var session = await server.InitializeAsync();
        if (conversing)
        {
            await ConverseAsync(server, session!);
        }

        using var first = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));
        await first.LineAsync();

        using var second = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));

        Assert.Equal(200, second.Status);
        Assert.Null(await first.LineAsync());
        Assert.Equal(": keep-alive", await second.LineAsync());
        Change(server);
        Assert.Equal(Changed, await second.DataAsync());
    }

    [Theory, InlineData("/mcp"), InlineData("/mcp/notes")]
    public async Task Without_session_and_revision_it_is_the_transport_of_2024_11_05(string path)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        using var events = await server.OpenAsync(path, ("Accept", "text/event-stream"));

        Assert.Equal("event: endpoint", await events.LineAsync());
        var endpoint = await events.DataAsync();
        Assert.StartsWith("/message?sessionId=", endpoint, StringComparison.Ordinal);
        using var accepted = await server.ResponseAsync(endpoint, Wire.Bytes(Wire.Ping));
        Assert.Equal(202, (int)accepted.StatusCode);
        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{}}""", await events.DataAsync());
        Assert.Equal(404, (await server.McpAsync("tools/list", session: endpoint.Split('=')[1])).Status);
    }

    [Fact]
    public async Task A_client_that_begins_with_SSE_connects_to_the_same_address()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var client = await McpClient.CreateAsync(
            new HttpClientTransport(new() { Endpoint = new(server.Url, "mcp"), TransportMode = HttpTransportMode.Sse }),
            new() { ProtocolVersion = "2024-11-05" },
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.NotEmpty(await client.ListToolsAsync(cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Ends_with_its_session()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var session = await server.InitializeAsync();
        using var events = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));
        await events.LineAsync();

        await server.DeleteAsync(session);

        Assert.Null(await events.LineAsync());
    }

    [Fact]
    public async Task Without_a_session_it_is_quiet_and_ends_at_the_idle_limit()
    {
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Mcp:KeepAlive", "00:00:00.05"),
            ("Mcp:SessionIdle", "00:00:00.2")
        );
        using var events = await server.OpenAsync("/mcp", ("MCP-Protocol-Version", "2025-06-18"));
        Assert.Equal(200, events.Status);

        var lines = new List<string>();
        while (await events.LineAsync() is { } line)
        {
            lines.Add(line);
        }

        Assert.Equal(Enumerable.Repeat(": keep-alive", 4), lines);
    }

    [Fact]
    public async Task Ends_when_the_server_stops()
    {
        var server = TestServer.Start(NotesTools.Alone);
        using var quiet = await server.OpenAsync("/mcp", ("MCP-Protocol-Version", "2025-11-25"));
        using var sse = await server.OpenAsync("/sse");
        await quiet.LineAsync();
        await sse.LineAsync();

        await server.DisposeAsync();

        Assert.Null(await quiet.LineAsync());
        while (await sse.LineAsync() is not null) { }
    }

    private static void Change(TestServer server)
    {
        var registry = server.Services.GetRequiredService<ToolRegistry>();
        if (!registry.Remove("deaf"))
        {
            registry.Add(
                server
                    .Services.GetRequiredService<ToolMethods>()
                    .Of(typeof(GateTools))
                    .Single(tool => tool.Name == "deaf")
            );
        }
    }

    private static async Task ConverseAsync(TestServer server, string session) =>
        Assert.NotEmpty(
            (await server.McpAsync("prompts/list", session: session)).Result.GetProperty("prompts").EnumerateArray()
        );
}
