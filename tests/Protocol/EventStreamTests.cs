using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;

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
            using var events = await OpenWhenFreeAsync(server, session!);
            Assert.Equal(": keep-alive", await events.LineAsync());
            Assert.Equal(": keep-alive", await events.LineAsync());
            Change(server);
            Assert.Equal(Changed, await events.DataAsync());
        }
    }

    [Fact]
    public async Task A_second_one_at_the_same_time_is_409()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var session = await server.InitializeAsync();
        using var first = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));
        await first.LineAsync();

        using var second = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));

        Assert.Equal(409, second.Status);
        Assert.Contains("open event stream already", await second.LineAsync(), StringComparison.Ordinal);
        Change(server);
        Assert.Equal(Changed, await first.DataAsync());
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
        await using var server = TestServer.Start(NotesTools.Alone, ("Mcp:KeepAlive", "00:00:00.05"), ("Mcp:SessionIdle", "00:00:00.2"));
        using var events = await server.OpenAsync("/mcp");
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
        using var quiet = await server.OpenAsync("/mcp");
        using var sse = await server.OpenAsync("/sse");
        await quiet.LineAsync();
        await sse.LineAsync();

        await server.DisposeAsync();

        Assert.Null(await quiet.LineAsync());
        while (await sse.LineAsync() is not null)
        {
        }
    }

    private static void Change(TestServer server)
    {
        var registry = server.Services.GetRequiredService<ToolRegistry>();
        if (!registry.Remove("deaf"))
        {
            registry.Add(server.Services.GetRequiredService<ToolMethods>().Of(typeof(GateTools)).Single(tool => tool.Name == "deaf"));
        }
    }

    private static async Task ConverseAsync(TestServer server, string session) =>
        Assert.NotEmpty((await server.McpAsync("prompts/list", session: session)).Result.GetProperty("prompts").EnumerateArray());

    // The server learns a moment later that the client has gone.
    private static async Task<Events> OpenWhenFreeAsync(TestServer server, string session)
    {
        while (true)
        {
            var events = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session));
            if (events.Status == 200)
            {
                return events;
            }

            Assert.Equal(409, events.Status);
            events.Dispose();
        }
    }
}
