using System.Text.Json;

namespace MinimalMcp.Tests.Protocol;

public sealed class RevisionTests
{
    [Theory]
    [InlineData("2024-11-05", "2024-11-05")]
    [InlineData("2025-03-26", "2025-03-26")]
    [InlineData("2025-06-18", "2025-06-18")]
    [InlineData("2025-11-25", "2025-11-25")]
    [InlineData("2024-10-07", "2025-11-25")]
    [InlineData("1.0", "2025-11-25")]
    public async Task Initialize_agrees_on_a_revision_that_both_know(string asked, string agreed)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var answer = await InitializeAsync(server, asked);

        Assert.Equal(200, answer.Status);
        Assert.Equal(agreed, answer.Result.GetProperty("protocolVersion").GetString());
        Assert.True(
            answer.Result.GetProperty("capabilities").GetProperty("tools").GetProperty("listChanged").GetBoolean()
        );
        Assert.NotEmpty(answer.Result.GetProperty("serverInfo").GetProperty("name").GetString()!);
    }

    public static TheoryData<string?, string> TooNew =>
        new()
        {
            { null, "2026-07-28" },
            { null, "2030-01-01" },
            { "2026-07-28", "2026-07-28" },
            { "2026-07-28", "2025-11-25" },
            { "2030-01-01", "2030-01-01" },
            { "2030-01-01", "2025-11-25" },
            { "nonsense", "2025-11-25" },
        };

    [Theory, MemberData(nameof(TooNew))]
    public async Task Initialize_is_negotiated_whatever_revision_it_names(string? header, string asked)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        (string, string)[] headers = header is null
            ? []
            : [("MCP-Protocol-Version", header), ("Mcp-Method", "initialize")];
        var answer = await server.SendAsync("/mcp", Wire.Bytes(Hello(asked)), headers);

        Assert.Equal(200, answer.Status);
        Assert.Equal("2025-11-25", answer.Result.GetProperty("protocolVersion").GetString());
        Assert.NotNull(answer.Session);
        Assert.Equal(200, (await server.McpAsync("prompts/list", session: answer.Session)).Status);
    }

    [Theory, InlineData("2026-07-28"), InlineData("2030-01-01")]
    public async Task Initialize_is_negotiated_over_sse_too(string asked)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        using var events = await server.OpenAsync("/sse");
        using var accepted = await server.ResponseAsync(await events.DataAsync(), Wire.Bytes(Hello(asked)));
        var overSse = await events.MessageAsync();

        Assert.Equal("2025-11-25", overSse.GetProperty("result").GetProperty("protocolVersion").GetString());
    }

    [Theory, InlineData("2030-01-01"), InlineData("2024-01-01"), InlineData("nonsense")]
    public async Task Any_other_request_of_an_unknown_revision_learns_of_all_that_there_are(string version)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var answer = await server.McpAsync("tools/list", version: version);

        Assert.Equal((400, -32022), (answer.Status, answer.ErrorCode));
        var supported = answer.Error.GetProperty("data").GetProperty("supported");
        Assert.Equal(Wire.Revisions, supported.EnumerateArray().Select(one => one.GetString()));
    }

    [Theory, InlineData("true"), InlineData("false")]
    public async Task Discovery_names_all_revisions(string directPath)
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Mcp:DirectPath", directPath));
        var result = (await server.McpAsync("server/discover", version: "2026-07-28")).Result;

        Assert.Equal(
            Wire.Revisions,
            result.GetProperty("supportedVersions").EnumerateArray().Select(one => one.GetString())
        );
    }

    [Fact]
    public async Task Initialize_without_a_version_says_what_is_missing()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var answer = await server.McpAsync("initialize");
        Assert.Equal(-32602, answer.ErrorCode);
        Assert.Contains("protocolVersion", answer.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory, InlineData("GET"), InlineData("DELETE")]
    public async Task Since_2026_07_28_only_post_is_allowed(string method)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        using var request = new HttpRequestMessage(new HttpMethod(method), "/mcp")
        {
            Headers = { { "MCP-Protocol-Version", "2026-07-28" } },
        };
        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(405, (int)response.StatusCode);
        Assert.Equal(["POST"], response.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("tools/call", true)]
    [InlineData("tools/call", false)]
    [InlineData("tools/list", true)]
    [InlineData("tools/list", false)]
    [InlineData("prompts/list", true)]
    public async Task Results_have_a_type_and_server_info_only_since_2026_07_28(string method, bool fastLane)
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Mcp:DirectPath", fastLane.ToString()));
        foreach (var version in (string[])["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
        {
            var result = (
                await server.McpAsync(method, method == "tools/call" ? new { name = "get_topics" } : null, version)
            ).Result;
            var modern = version == "2026-07-28";
            Assert.Equal(modern, result.TryGetProperty("resultType", out var type) && type.GetString() == "complete");
            Assert.Equal(modern, result.TryGetProperty("_meta", out _));
            Assert.Equal(modern && method != "tools/call", result.TryGetProperty("ttlMs", out _));
        }
    }

    [Fact]
    public async Task A_call_without_version_and_session_is_served()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var answer = await server.SendAsync("/mcp", JsonSerializer.SerializeToUtf8Bytes(Wire.Call("get_topics")));
        Assert.Equal(200, answer.Status);
        Assert.False(answer.IsError);
    }

    [Fact]
    public async Task The_first_calls_at_once_each_get_their_own_answer()
    {
        await using var server = new Gate().Serve();
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async i =>
                    (
                        Expected: $"caller {i}",
                        Answer: await server.McpAsync(
                            "tools/call",
                            new { name = "who", arguments = new { name = $"caller {i}" } },
                            "2026-07-28",
                            id: i
                        )
                    )
                )
        );

        Assert.All(answers, one => Assert.Equal(one.Expected, one.Answer.Text));
        Assert.Equal(Enumerable.Range(0, 64), answers.Select(one => one.Answer.Message.GetProperty("id").GetInt32()));
    }

    [Theory, InlineData("2025-11-25"), InlineData("2026-07-28")]
    public async Task A_tools_protocol_error_is_answered_alike_by_both_lanes(string version)
    {
        await using var fast = new Gate().Serve();
        await using var full = new Gate().Serve(("Mcp:DirectPath", "false"));
        var fromFast = await fast.McpAsync("tools/call", new { name = "protocol_error" }, version);
        var fromFull = await full.McpAsync("tools/call", new { name = "protocol_error" }, version);

        Assert.Equal((200, -32602), (fromFast.Status, fromFast.ErrorCode));
        Assert.True(
            JsonElement.DeepEquals(fromFull.Message, fromFast.Message),
            $"{fromFull.Message}\n{fromFast.Message}"
        );
    }

    private static string Hello(string asked) =>
        $$"""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"{{asked}}","capabilities":"""
        + $$"""{},"clientInfo":{"name":"test","version":"1"} } }""";

    private static Task<McpAnswer> InitializeAsync(TestServer server, string asked) =>
        server.McpAsync(
            "initialize",
            new
            {
                protocolVersion = asked,
                capabilities = new { },
                clientInfo = new { name = "test", version = "1" },
            }
        );
}
