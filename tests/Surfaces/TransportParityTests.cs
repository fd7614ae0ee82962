using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The transports that are not one HTTP request per call: stdio in a process of its own, and the bare messages of SSE.</summary>
public sealed class TransportParityTests
{
    [Fact]
    public async Task A_shopping_trip_over_stdio_gives_what_REST_gives()
    {
        await using var server = TestServer.Start();
        var rest = Way.Rest(server);
        using var stdio = Start();
        var way = new Way("stdio", _ => "isError", async (_, tool, arguments) => Answer.OfRpc(await AskAsync(stdio, "tools/call", new() { ["name"] = tool, ["arguments"] = arguments.DeepClone() })));

        await AskAsync(stdio, "initialize", JsonSerializer.SerializeToNode(Way.Hello("2025-11-25"))!.AsObject());
        foreach (var (tool, arguments) in Cases.BadShop.Select(call => (call.Tool, call.Arguments)).Concat(Cases.Good))
        {
            var parsed = JsonNode.Parse(arguments)!.AsObject();
            var (there, here) = (await way.CallAsync("local", tool, parsed), await rest.CallAsync("", tool, parsed));

            Assert.Equal(here.Comparable, there.Comparable);
            Assert.Equal(here.Failure is null ? null : "isError", there.Class);
        }

        var unknown = await way.CallAsync("local", "serch_products", []);
        Assert.Equal(("Unknown tool 'serch_products'. Did you mean search_products?", "-32602"), (unknown.Failure, unknown.Class));

        stdio.StandardInput.Close();
        await stdio.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, stdio.ExitCode);
    }

    [Fact]
    public async Task Tools_list_over_stdio_is_tools_list_over_HTTP()
    {
        await using var server = TestServer.Start();
        using var stdio = Start();

        var there = await AskAsync(stdio, "tools/list", []);
        var here = await server.McpAsync("tools/list");

        Assert.True(JsonNode.DeepEquals(there["result"], JsonNode.Parse(here.Result.GetRawText())), there.ToJsonString());
        stdio.StandardInput.Close();
        await stdio.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_unknown_tool_over_SSE_is_refused_as_over_HTTP()
    {
        await using var server = TestServer.Start();
        var call = new { jsonrpc = "2.0", id = 7, method = "tools/call", @params = new { name = "serch_products", arguments = new { } } };
        using var stream = await server.Http.GetStreamAsync(new Uri("/sse", UriKind.Relative), TestContext.Current.CancellationToken);
        using var events = new StreamReader(stream);

        (await server.PostAsync(await DataAsync(events), JsonSerializer.Serialize(call))).EnsureSuccessStatusCode();
        var answer = Answer.OfRpc(JsonNode.Parse(await DataAsync(events))!);

        Assert.Equal(("Unknown tool 'serch_products'. Did you mean search_products?", "-32602"), (answer.Failure, answer.Class));
    }

    // The server as a host would start it: the test's output folder has a copy of it.
    private static Process Start() => Process.Start(new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, "--stdio"])
    {
        WorkingDirectory = AppContext.BaseDirectory,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        Environment = { ["LOG_LEVEL"] = "None" }, // its log would end up among the test's own output
    })!;

    private static async Task<JsonNode> AskAsync(Process stdio, string method, JsonObject parameters)
    {
        await stdio.StandardInput.WriteLineAsync(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 1, ["method"] = method, ["params"] = parameters }.ToJsonString());
        await stdio.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        return JsonNode.Parse((await stdio.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!)!;
    }

    private static async Task<string> DataAsync(StreamReader events)
    {
        string? line;
        do
        {
            line = await events.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new EndOfStreamException("The event stream ended.");
        }
        while (!line.StartsWith("data: ", StringComparison.Ordinal));

        return line[6..];
    }
}
