namespace MinimalMcp.Tests.Tools;

/// <summary>A profile shows a part of the tools, the same part on every surface.</summary>
public sealed class ProfileTests
{
    [Fact]
    public async Task A_named_profile_narrows_every_surface()
    {
        await using var server = TestServer.Start(
            FixtureTools.WithNotes,
            ("Profiles:ops:Families:0", "notes"),
            ("Profiles:ops:ReadOnly", "true")
        );

        foreach (
            var names in await ToolNames.OfAsync(
                server,
                "/tools?profile=ops",
                "/api/mcp/v1/tools?profile=ops",
                "/openapi.json?profile=ops",
                "/mcp/ops",
                "/mcp?profile=ops"
            )
        )
        {
            Assert.Equal(["find_notes", "get_topics", "list_picked"], names.Order());
        }
    }

    [Fact]
    public async Task A_tool_outside_the_profile_is_unknown_there()
    {
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Profiles:ops:Families:0", "notes"),
            ("Profiles:ops:ReadOnly", "true")
        );

        var answer = await server.McpAsync("tools/call", new { name = "send_picked" }, path: "/mcp/ops");
        using var rest = await server.PostAsync("/tools/send_picked?profile=ops", "{}");
        using var function = await server.PostAsync(
            "/api/mcp/v1/call?profile=ops",
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_picked"}}"""
        );

        Assert.Equal(-32602, answer.ErrorCode);
        Assert.StartsWith("Unknown tool 'send_picked'.", answer.Error.GetProperty("message").GetString());
        Assert.DoesNotContain("pick_note", answer.Error.GetProperty("message").GetString());
        Assert.Equal(404, (int)rest.StatusCode);
        Assert.Contains("-32602", await function.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/tools?profile=none")]
    [InlineData("/api/mcp/v1/tools?profile=none")]
    [InlineData("/openapi.json?profile=none")]
    [InlineData("/sse?profile=none")]
    [InlineData("/mcp/none")]
    public async Task An_unknown_profile_is_404(string path)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var status = path.StartsWith("/mcp", StringComparison.Ordinal)
            ? (await server.McpAsync("tools/list", path: path)).Status
            : (int)
                (
                    await server.Http.GetAsync(
                        new Uri(path, UriKind.Relative),
                        HttpCompletionOption.ResponseHeadersRead,
                        TestContext.Current.CancellationToken
                    )
                ).StatusCode;

        Assert.Equal(404, status);
    }
}
