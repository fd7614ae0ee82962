using System.Text.Json;

namespace MinimalMcp.Tests.Protocol;

/// <summary>subscriptions/listen of 2026-07-28.</summary>
public sealed class SubscriptionTests
{
    private const string Meta =
        "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        + "\"io.modelcontextprotocol/clientCapabilities\":{}}";

    [Fact]
    public async Task Is_acknowledged_and_told_of_what_it_asked_for()
    {
        await using var server = FixtureServer.Start();
        using var events = await ListenAsync(server, "{\"toolsListChanged\":true}");
        var acknowledged = await events.MessageAsync();
        Assert.Equal("notifications/subscriptions/acknowledged", acknowledged.GetProperty("method").GetString());
        Assert.Equal(
            """{"toolsListChanged":true}""",
            acknowledged.GetProperty("params").GetProperty("notifications").GetRawText()
        );
        Assert.Equal("sub-1", Subscription(acknowledged));

        for (var i = 0; i < 3; i++)
        {
            FixtureServer.ToggleTool(server);
            var changed = await events.MessageAsync();
            Assert.Equal("notifications/tools/list_changed", changed.GetProperty("method").GetString());
            Assert.Equal("sub-1", Subscription(changed));
        }
    }

    [Fact]
    public async Task Is_not_told_of_what_it_did_not_ask_for_and_ends_with_a_result_when_the_server_stops()
    {
        var server = FixtureServer.Start();
        using var events = await ListenAsync(server, "{\"promptsListChanged\":true}");
        Assert.Equal("sub-1", Subscription(await events.MessageAsync()));
        FixtureServer.ToggleTool(server);

        await server.DisposeAsync();

        var result = await events.MessageAsync();
        Assert.Equal("sub-1", result.GetProperty("id").GetString());
        Assert.Equal(
            "sub-1",
            result
                .GetProperty("result")
                .GetProperty("_meta")
                .GetProperty("io.modelcontextprotocol/subscriptionId")
                .GetString()
        );
        Assert.Null(await events.LineAsync());
    }

    private static string? Subscription(JsonElement message) =>
        message
            .GetProperty("params")
            .GetProperty("_meta")
            .GetProperty("io.modelcontextprotocol/subscriptionId")
            .GetString();

    private static async Task<Events> ListenAsync(TestServer server, string wanted)
    {
        var response = await server.ResponseAsync(
            "/mcp",
            Wire.Bytes(
                $"{{\"jsonrpc\":\"2.0\",\"id\":\"sub-1\",\"method\":\"subscriptions/listen\","
                    + $"\"params\":{{\"notifications\":{wanted},{Meta}}}}}"
            ),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "subscriptions/listen")
        );
        Assert.Equal(200, (int)response.StatusCode);
        return new(response);
    }
}
