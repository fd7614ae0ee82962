using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// The transports that are not one HTTP request per call: stdio in a process of its own, and the bare messages of SSE.
/// </summary>
[Slow]
public sealed class TransportParityTests
{
    [Fact]
    public async Task Calls_over_stdio_give_what_REST_gives()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        using var stdio = StdioClient.Start(ProgramTools.Notes);
        var (rest, way) = (Way.Rest(server), Way.Stdio(stdio));

        await stdio.AskAsync("initialize", JsonSerializer.SerializeToNode(Way.Hello("2025-11-25"))!.AsObject());
        foreach (var (tool, arguments) in Cases.BadNotes.Select(call => (call.Tool, call.Arguments)).Concat(Cases.Good))
        {
            var parsed = JsonNode.Parse(arguments)!.AsObject();
            var (there, here) = (await way.CallAsync("local", tool, parsed), await rest.CallAsync("", tool, parsed));

            Assert.Equal(here.Comparable, there.Comparable);
            Assert.Equal(here.Failure is null ? null : "isError", there.Class);
        }

        var unknown = await way.CallAsync("local", "fnd_notes", []);
        Assert.Equal(
            ("Unknown tool 'fnd_notes'. Did you mean find_notes?", "-32602"),
            (unknown.Failure, unknown.Class)
        );
        Assert.Equal(0, await stdio.EndAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Tools_list_over_stdio_is_tools_list_over_HTTP(bool notes)
    {
        await using var server = notes ? TestServer.Start(NotesTools.Alone) : TestServer.Start();
        using var stdio = StdioClient.Start(notes ? ProgramTools.Notes : null);

        var there = await stdio.AskAsync("tools/list", []);
        var here = await server.McpAsync("tools/list");

        Assert.True(
            JsonNode.DeepEquals(there["result"], JsonNode.Parse(here.Result.GetRawText())),
            there.ToJsonString()
        );
        await stdio.EndAsync();
    }

    [Fact]
    public async Task An_unknown_tool_over_SSE_is_refused_as_over_HTTP()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var call = new
        {
            jsonrpc = "2.0",
            id = 7,
            method = "tools/call",
            @params = new { name = "fnd_notes", arguments = new { } },
        };
        using var stream = await server.Http.GetStreamAsync(
            new Uri("/sse", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        using var events = new StreamReader(stream);

        (await server.PostAsync(await DataAsync(events), JsonSerializer.Serialize(call))).EnsureSuccessStatusCode();
        var answer = Answer.OfRpc(JsonNode.Parse(await DataAsync(events))!);

        Assert.Equal(("Unknown tool 'fnd_notes'. Did you mean find_notes?", "-32602"), (answer.Failure, answer.Class));
    }

    private static async Task<string> DataAsync(StreamReader events)
    {
        string? line;
        do
        {
            line = await events.ReadLineAsync(TestContext.Current.CancellationToken)
                ?? throw new EndOfStreamException("The event stream ended.");
        } while (!line.StartsWith("data: ", StringComparison.Ordinal));

        return line[6..];
    }
}
