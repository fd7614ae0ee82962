using System.Text.Json;

namespace MinimalMcp.Tests.Protocol;

public sealed class LifetimeTests
{
    [Theory, InlineData("/mcp"), InlineData("/api/mcp/v1/call")]
    public async Task A_tool_that_outlives_its_request_keeps_its_arguments(string path)
    {
        var gate = new Gate();
        await using var server = gate.Serve(("Tools:Deadlines:deaf", "00:00:00.05"));
        var late = await server.SendAsync(
            path,
            JsonSerializer.SerializeToUtf8Bytes(Wire.Call("deaf", new { data = new { text = "mine" } }))
        );
        Assert.Contains("did not finish within", late.Message.ToString(), StringComparison.Ordinal);
        await server.SendAsync(
            path,
            JsonSerializer.SerializeToUtf8Bytes(Wire.Call("get_topics", new { start = "home" }))
        ); // into the same buffer

        gate.Release.SetResult();

        Assert.Equal("mine", await Wait.Soon(gate.Seen.Task));
    }
}
