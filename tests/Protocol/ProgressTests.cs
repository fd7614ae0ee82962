using System.Text.Json;

namespace MinimalMcp.Tests.Protocol;

public sealed class ProgressTests
{
    [Theory, InlineData("2025-03-26"), InlineData("2025-11-25"), InlineData("2026-07-28")]
    public async Task Progress_comes_in_order_and_before_the_result(string version)
    {
        await using var server = FixtureServer.Start();
        var call = Wire.Call("test_tool_with_progress");
        call["params"]!["_meta"] = JsonSerializer.SerializeToNode(
            new Dictionary<string, object>
            {
                ["progressToken"] = "t",
                ["io.modelcontextprotocol/protocolVersion"] = version,
                ["io.modelcontextprotocol/clientCapabilities"] = new { },
            }
        );
        using var response = await server.ResponseAsync(
            "/mcp",
            JsonSerializer.SerializeToUtf8Bytes(call),
            ("MCP-Protocol-Version", version),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "test_tool_with_progress")
        );
        using var events = new Events(response);

        foreach (var expected in (int[])[0, 50, 100])
        {
            var progress = (await events.MessageAsync()).GetProperty("params");
            Assert.Equal(
                (expected, "t"),
                (progress.GetProperty("progress").GetInt32(), progress.GetProperty("progressToken").GetString())
            );
        }

        Assert.Equal(
            "Progress finished.",
            (await events.MessageAsync())
                .GetProperty("result")
                .GetProperty("content")[0]
                .GetProperty("text")
                .GetString()
        );
    }
}
