using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Hub;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>The tools of another server, on every surface, governed as ours are.</summary>
public sealed class JoinedToolsTests
{
    private const string Echo = """
        {"type":"object","properties":{"message":{"type":"string"}},"required":["message"]}
        """;

    private static readonly string[] Lists =
    [
        "/tools",
        "/api/mcp/v1/tools",
        "/openapi.json",
        "/mcp",
        "/tools?profile=up",
        "/openapi.json?profile=up",
    ];

    [Fact]
    public async Task A_tool_is_listed_and_called_on_every_surface_and_leaves_with_its_server()
    {
        await using var upstream = await Upstream.StartAsync(call => Text($"Echo: {call.Arguments!["message"]}"));
        await using var server = TestServer.Start(NotesTools.Alone);
        var joined = server.Services.GetRequiredService<JoinedTools>();

        joined.Join(Upstream.Named("up"), [Upstream.Tool("echo", Echo)], upstream.CallAsync);

        Assert.All(await ToolNames.OfAsync(server, Lists), names => Assert.Contains("up_echo", names));
        Assert.Equal(["echo"], (await ToolNames.OfAsync(server, "/mcp/up"))[0]); // itself, with its own names
        var arguments = new { message = "hi" };
        Assert.Equal("Echo: hi", (await server.McpAsync("tools/call", new { name = "up_echo", arguments })).Text);
        var rest = await server.PostAsync("/tools/up_echo", """{"message":"hi"}""");
        Assert.Contains("Echo: hi", await rest.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var missing = await server.McpAsync("tools/call", new { name = "up_echo", arguments = new { } });
        Assert.Contains("'message' is missing", missing.Text);
        Assert.All(upstream.Calls, call => Assert.Equal("echo", call.Name));
        Assert.Equal(2, upstream.Calls.Count); // what its schema refuses is not sent

        joined.Leave(1);
        Assert.All(await ToolNames.OfAsync(server, Lists[..4]), names =>
            Assert.DoesNotContain(names, name => name.StartsWith("up_", StringComparison.Ordinal))
        );
        Assert.Equal(-32602, (await server.McpAsync("tools/call", new { name = "up_echo", arguments })).ErrorCode);
    }

    [Fact]
    public async Task Only_a_name_that_collides_or_is_too_long_is_left_out_and_reported()
    {
        await using var upstream = await Upstream.StartAsync(_ => Text("ok"));
        await using var server = TestServer.Start(NotesTools.Alone);
        var joined = server.Services.GetRequiredService<JoinedTools>();
        var registry = server.Services.GetRequiredService<ToolRegistry>();

        joined.Join(Upstream.Named("a_b"), [Upstream.Tool("c")], upstream.CallAsync);
        joined.Join(
            Upstream.Named("a", id: 2),
            [
                Upstream.Tool("b_c"),
                Upstream.Tool("fine"),
                Upstream.Tool("x y"),
                Upstream.Tool("x.y"),
                Upstream.Tool(new string('l', 63)),
            ],
            upstream.CallAsync
        );

        Assert.Equal(["a_b_c", "a_fine", "a_x_y"], Names());
        Assert.Equal("a_b", registry.Current.Find("a_b_c")!.Family);
        Assert.Collection(
            joined.Notices(2),
            notice => Assert.Contains("'b_c' is not listed: its name here would be a_b_c, which a_b has", notice),
            notice => Assert.Contains("'x.y' is not listed: its name here would be a_x_y, which 'x y' of", notice),
            notice => Assert.Contains("65 characters; clients take 1 to 64", notice)
        );

        joined.Leave(1); // the name is free
        Assert.Equal("a", registry.Current.Find("a_b_c")!.Family);
        joined.Join(Upstream.Named("find", id: 3), [Upstream.Tool("notes")], upstream.CallAsync);
        Assert.Equal("notes", registry.Current.Find("find_notes")!.Family); // never in place of ours

        string[] Names() =>
            [
                .. registry
                    .Current.All.Where(tool => tool.Name.StartsWith("a_", StringComparison.Ordinal))
                    .Select(tool => tool.Name),
            ];
    }

    [Fact]
    public async Task Clients_hear_of_real_differences_only()
    {
        await using var upstream = await Upstream.StartAsync(_ => Text("ok"));
        await using var server = TestServer.Start(NotesTools.Alone);
        var joined = server.Services.GetRequiredService<JoinedTools>();
        var changes = 0;
        server.Services.GetRequiredService<ToolRegistry>().Changed += () => changes++;

        joined.Join(Upstream.Named("up"), [Upstream.Tool("a"), Upstream.Tool("b")], upstream.CallAsync);
        Assert.Equal(1, changes);
        joined.Join(Upstream.Named("up"), [Upstream.Tool("b"), Upstream.Tool("a")], upstream.CallAsync);
        Assert.Equal(1, changes);
        joined.Join(Upstream.Named("up"), [Upstream.Tool("a"), Upstream.Tool("b", Echo)], upstream.CallAsync);
        Assert.Equal(2, changes);
        joined.Leave(1);
        joined.Leave(1);
        Assert.Equal(3, changes);
    }

    [Fact]
    public async Task Risk_is_high_unless_the_operator_sets_another_and_hints_lower_nothing()
    {
        await using var upstream = await Upstream.StartAsync(_ => Text("ok"));
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Governance:Deny", "up/delete, elsewhere/*"),
            ("Governance:Risk:up/*", "MEDIUM"),
            ("Governance:Risk:up/get", "LOW")
        );
        var joined = server.Services.GetRequiredService<JoinedTools>();
        const string ReadOnly = """
            ,"annotations":{"readOnlyHint":true,"destructiveHint":false}
            """;

        joined.Join(
            Upstream.Named("up"),
            [Upstream.Tool("delete"), Upstream.Tool("get"), Upstream.Tool("put")],
            upstream.CallAsync
        );
        joined.Join(Upstream.Named("other", id: 2), [Upstream.Tool("get", more: ReadOnly)], upstream.CallAsync);
        joined.Join(Upstream.Named("set", id: 3, risk: "LOW"), [Upstream.Tool("get")], upstream.CallAsync);

        var tools = server.Services.GetRequiredService<ToolRegistry>().Current;
        Assert.True(tools.Find("up_delete")!.IsDenied);
        Assert.Equal("LOW", tools.Find("up_get")!.Risk);
        Assert.Equal("MEDIUM", tools.Find("up_put")!.Risk);
        Assert.Equal("LOW", tools.Find("set_get")!.Risk);
        var hinted = tools.Find("other_get")!;
        Assert.Equal(("HIGH", "mcp:execute", false), (hinted.Risk, hinted.Scope, hinted.IsReadOnly));
        var denied = await server.McpAsync("tools/call", new { name = "up_delete" });
        Assert.Contains("Governance:Deny", denied.Text);
        Assert.Empty(upstream.Calls);
    }

    [Fact]
    public async Task Nothing_is_sent_before_a_call_is_confirmed_also_not_a_dry_run_of_the_server()
    {
        await using var upstream = await Upstream.StartAsync(_ => Text("done"));
        await using var server = TestServer.Start(NotesTools.Alone, ("Governance:Confirm", "up/*"));
        const string Schema = """{"type":"object","properties":{"dry_run":{"type":"boolean"}}}""";
        server
            .Services.GetRequiredService<JoinedTools>()
            .Join(Upstream.Named("up"), [Upstream.Tool("drop", Schema)], upstream.CallAsync);

        foreach (var dry in (bool[])[true, false])
        {
            var asked = await server.McpAsync(
                "tools/call",
                new { name = "up_drop", arguments = new { dry_run = dry } }
            );
            Assert.Contains("confirmation_token", asked.Message.GetRawText());
        }

        Assert.Empty(upstream.Calls);
    }

    [Fact]
    public async Task Results_pass_and_one_that_breaks_its_schema_is_delivered_as_text()
    {
        const string Output = """
            ,"outputSchema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}
            """;
        await using var upstream = await Upstream.StartAsync(call =>
            call.Name switch
            {
                "right" => Structured("""{"n":1}"""),
                "wrong" => Structured("""{"n":"many"}"""),
                "none" => Text("no structure"),
                "fails" => new() { Content = [new TextContentBlock { Text = "It broke." }], IsError = true },
                _ => throw new McpProtocolException("Unknown tool", McpErrorCode.InvalidParams),
            }
        );
        await using var server = TestServer.Start(NotesTools.Alone);
        server
            .Services.GetRequiredService<JoinedTools>()
            .Join(
                Upstream.Named("up"),
                [
                    Upstream.Tool("right", more: Output),
                    Upstream.Tool("wrong", more: Output),
                    Upstream.Tool("none", more: Output),
                    Upstream.Tool("fails", more: Output),
                    Upstream.Tool("refused"),
                ],
                upstream.CallAsync
            );

        var right = await CallAsync("right");
        Assert.Equal(1, right.Result.GetProperty("structuredContent").GetProperty("n").GetInt32());
        var wrong = await CallAsync("wrong");
        Assert.False(wrong.IsError);
        Assert.Equal("""{"n":"many"}""", wrong.Text);
        Assert.Equal(
            """{"n":"many"}""",
            wrong.Result.GetProperty("structuredContent").GetProperty("result").GetString()
        );
        var none = await CallAsync("none");
        Assert.Equal("no structure", none.Text);
        Assert.Equal("no structure", none.Result.GetProperty("structuredContent").GetProperty("result").GetString());
        var failed = await CallAsync("fails");
        Assert.True(failed.IsError);
        Assert.Contains("It broke.", failed.Text);
        var refused = await CallAsync("refused");
        Assert.True(refused.IsError);
        Assert.Contains("up refused the call of refused", refused.Text);

        Task<McpAnswer> CallAsync(string tool) => server.McpAsync("tools/call", new { name = "up_" + tool });
    }

    private static CallToolResult Text(string text) => new() { Content = [new TextContentBlock { Text = text }] };

    private static CallToolResult Structured(string json) =>
        new()
        {
            StructuredContent = JsonElement.Parse(json),
            Meta = new() { ["io.modelcontextprotocol/serverInfo"] = "not passed on" },
        };
}
