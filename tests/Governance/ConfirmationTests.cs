using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Governance;

/// <summary>What is critical is done only after somebody has seen what it would do.</summary>
public sealed class ConfirmationTests(PostgresServer postgres)
{
    /// <summary>
    /// Ways to use a token that was given to ann for launch of "moon" twice: tool, caller, arguments without the token,
    /// and minutes later.
    /// </summary>
    public static TheoryData<string, string, string, string, int> BadAttempts =>
        new()
        {
            { "another caller", "launch", "bob", """{"target":"moon","count":2}""", 0 },
            { "another tool", "other_launch", "ann", """{"target":"moon","count":2}""", 0 },
            { "another argument", "launch", "ann", """{"target":"mars","count":2}""", 0 },
            { "another number", "launch", "ann", """{"target":"moon","count":3}""", 0 },
            { "an argument more", "launch", "ann", """{"target":"moon","count":2,"options":{"a":1}}""", 0 },
            { "an argument less", "launch", "ann", """{"target":"moon"}""", 0 },
            { "too late", "launch", "ann", """{"target":"moon","count":2}""", 5 },
        };

    [Fact]
    public async Task The_first_call_shows_what_would_happen_and_the_second_with_the_token_does_it()
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools);

        var preview = await PreviewAsync(server);

        Assert.Equal("confirmation_required", preview["status"]!.GetValue<string>());
        Assert.Equal(
            ("launch", "CRITICAL", """{"count":2,"target":"moon"}"""),
            (
                preview["tool"]!.GetValue<string>(),
                preview["risk"]!.GetValue<string>(),
                preview["arguments"]!.ToJsonString()
            )
        );
        Assert.Contains("call launch again before", preview["message"]!.GetValue<string>());
        Assert.Empty(tools.Done);

        // In another order and with other spaces they are the same arguments.
        using var done = await CallAsync(
            server,
            "launch",
            "ann",
            """{ "count": 2, "target": "moon" }""",
            Token(preview)
        );
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        Assert.Equal(1, tools.Done["launch"]);
    }

    [Theory, MemberData(nameof(BadAttempts))]
    public async Task A_token_is_for_one_caller_tool_and_arguments_and_not_for_long(
        string why,
        string tool,
        string caller,
        string arguments,
        int minutes
    )
    {
        var tools = new GovernedTools();
        var time = new ManualTime();
        await using var server = GovernedTools.Start(tools, services => services.AddSingleton<TimeProvider>(time));
        var token = Token(await PreviewAsync(server));

        time.Advance(TimeSpan.FromMinutes(minutes));
        using var refused = await CallAsync(server, tool, caller, arguments, token);

        Assert.True(refused.StatusCode == HttpStatusCode.Forbidden, why);
        Assert.Contains(
            "was already used, is older than 5 minutes, or belongs to another call",
            await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        Assert.Empty(tools.Done);
    }

    [Fact]
    public async Task A_token_of_one_replica_is_taken_by_another_and_once_by_all()
    {
        var tools = new GovernedTools();
        var database = await postgres.NewDatabaseAsync();
        await using var one = GovernedTools.Start(tools, ("Storage:ConnectionString", database));
        await using var two = GovernedTools.Start(tools, ("Storage:ConnectionString", database));
        var token = Token(await PreviewAsync(one));

        using var done = await CallAsync(two, "launch", "ann", """{"target":"moon","count":2}""", token);
        using var again = await CallAsync(one, "launch", "ann", """{"target":"moon","count":2}""", token);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (done.StatusCode, again.StatusCode));
        Assert.Equal(1, tools.Done["launch"]);
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("' or 1=1 --")]
    public async Task A_token_that_nobody_gave_is_none(string token)
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools);

        using var refused = await CallAsync(server, "launch", "ann", """{"target":"moon","count":2}""", token);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Empty(tools.Done);
    }

    [Fact]
    public async Task Of_many_who_use_a_token_at_once_one_does()
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools);
        var token = Token(await PreviewAsync(server));

        var statuses = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(async _ =>
                {
                    using var response = await CallAsync(
                        server,
                        "launch",
                        "ann",
                        """{"target":"moon","count":2}""",
                        token
                    );
                    return response.StatusCode;
                })
        );

        Assert.Equal(
            (1, 19),
            (
                statuses.Count(status => status == HttpStatusCode.OK),
                statuses.Count(status => status == HttpStatusCode.Forbidden)
            )
        );
        Assert.Equal(1, tools.Done["launch"]);
    }

    [Fact]
    public async Task Over_MCP_and_function_calling_it_is_a_sentence_with_the_token()
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools);

        var mcp = await server.McpAsync(
            "tools/call",
            new { name = "launch", arguments = new { target = "moon" } },
            caller: "ann"
        );
        Assert.False(mcp.IsError); // a strict client holds it against the output schema, which admits both
        var shown = mcp.Result.GetProperty("structuredContent");
        Assert.Equal(
            ("confirmation_required", mcp.Text),
            (shown.GetProperty("status").GetString(), shown.GetProperty("message").GetString())
        );
        var token = mcp.Text.Split("confirmation_token \"")[1].Split('"')[0];
        Assert.Equal(token, shown.GetProperty("confirmation_token").GetString());
        Assert.False(
            (
                await server.McpAsync(
                    "tools/call",
                    new { name = "launch", arguments = new { target = "moon", confirmation_token = token } },
                    caller: "ann"
                )
            ).IsError
        );

        using var function = await server.PostAsync(
            "/api/mcp/v1/call",
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"launch","arguments":"""
                + """{"target":"moon","confirmation_token":""}}}""",
            headers: (TestCaller.Header, "ann")
        );
        var result = JsonElement
            .Parse(await function.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
            .GetProperty("result");
        Assert.Contains("needs a confirmation", result.GetProperty("content")[0].GetProperty("text").GetString());
        Assert.Equal("launch", result.GetProperty("structuredContent").GetProperty("tool").GetString());
        Assert.Equal(64, result.GetProperty("structuredContent").GetProperty("confirmation_token").GetString()!.Length);
        Assert.False(result.TryGetProperty("isError", out _));
        var metrics = await server.Http.GetStringAsync(
            new Uri("/metrics", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        Assert.Contains("mcp_tool_calls_total{tool=\"launch\",outcome=\"preview\"} 2", metrics);
        Assert.DoesNotContain("mcp_tool_errors_total{tool=\"launch\"", metrics);
        Assert.Equal(1, tools.Done["launch"]);
    }

    [Theory]
    [InlineData("2025-11-25", true)]
    [InlineData("2025-11-25", false)]
    [InlineData("2026-07-28", true)]
    [InlineData("2026-07-28", false)]
    public async Task A_client_that_can_ask_its_user_does_it_in_one_call(string version, bool agrees)
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools);
        var questions = new List<string>();
        await using var client = await McpClient.CreateAsync(
            new HttpClientTransport(
                new() { Endpoint = new(server.Url, "mcp"), TransportMode = HttpTransportMode.StreamableHttp }
            ),
            new McpClientOptions
            {
                ProtocolVersion = version,
                Handlers = new()
                {
                    ElicitationHandler = (request, _) =>
                    {
                        questions.Add(request!.Message);
                        return new(
                            new ElicitResult
                            {
                                Action = "accept",
                                Content = new Dictionary<string, JsonElement>
                                {
                                    ["agreed"] = JsonSerializer.SerializeToElement(agrees),
                                },
                            }
                        );
                    },
                },
            },
            cancellationToken: TestContext.Current.CancellationToken
        );

        var result = await client.CallToolAsync(
            "launch",
            new Dictionary<string, object?> { ["target"] = "moon" },
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal(
            "Call launch (risk CRITICAL, cannot be undone) with {\"target\":\"moon\"}?",
            Assert.Single(questions)
        );
        Assert.Equal(!agrees, result.IsError is true);
        Assert.Equal(agrees ? 1 : 0, tools.Done.GetValueOrDefault("launch"));
        Assert.Contains(
            agrees ? "moon 1" : "The user did not agree, so launch was not called.",
            ((TextContentBlock)result.Content[0]).Text
        );
    }

    [Theory]
    [InlineData("note", """{"text":"a"}""")]
    [InlineData("wipe", """{"what":"a"}""")]
    [InlineData("launch", """{"target":"a"}""")]
    public async Task Every_tool_that_changes_something_can_be_tried_without_doing_it(string tool, string arguments)
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools);

        using var dry = await server.PostAsync(
            $"/tools/{tool}",
            arguments[..^1] + ",\"dry_run\":true}",
            headers: (TestCaller.Header, "ann")
        );

        Assert.Equal(HttpStatusCode.Accepted, dry.StatusCode);
        var preview = JsonNode.Parse(await dry.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(
            ("dry_run", arguments, null),
            (
                preview["status"]!.GetValue<string>(),
                preview["arguments"]!.ToJsonString(),
                preview["confirmation_token"]?.GetValue<string>()
            )
        );
        Assert.Empty(tools.Done);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await server.PostAsync("/tools/look", """{"dry_run":true}""")).StatusCode
        );
    }

    [Fact]
    public async Task An_operator_names_more_tools_that_are_confirmed_changes_levels_denies_and_only_reads()
    {
        var tools = new GovernedTools();
        await using var named = GovernedTools.Start(
            tools,
            ("Governance:Confirm", "no*, wi?e"),
            ("Governance:Risk:launch", "HIGH")
        );
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await CallAsync(named, "note", "ann", """{"text":"a"}""", null)).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await CallAsync(named, "wipe", "ann", """{"what":"a"}""", null)).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (await CallAsync(named, "launch", "ann", """{"target":"a"}""", null)).StatusCode
        );

        await using var denied = GovernedTools.Start(tools, ("Governance:Deny", "wipe"));
        await using var reading = GovernedTools.Start(tools, ("Governance:ReadOnly", "true"));
        foreach (var (server, setting) in new[] { (denied, "Governance:Deny"), (reading, "Governance:ReadOnly") })
        {
            using var refused = await CallAsync(server, "wipe", "ann", """{"what":"a"}""", null);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Contains(setting, await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            foreach (var list in (string[])["/tools", "/openapi.json", "/api/mcp/v1/tools", "/health"])
            {
                Assert.DoesNotContain("\"wipe\"", (await server.GetJsonAsync(list)).GetRawText());
            }

            Assert.DoesNotContain("\"wipe\"", (await server.McpAsync("tools/list")).Result.GetRawText());
            Assert.Equal(HttpStatusCode.OK, (await CallAsync(server, "look", "ann", "{}", null)).StatusCode);
        }
    }

    private static async Task<JsonNode> PreviewAsync(TestServer server)
    {
        using var response = await CallAsync(server, "launch", "ann", """{"target":"moon","count":2}""", null);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
    }

    private static string Token(JsonNode preview) => preview["confirmation_token"]!.GetValue<string>();

    private static Task<HttpResponseMessage> CallAsync(
        TestServer server,
        string tool,
        string caller,
        string arguments,
        string? token
    )
    {
        var body = JsonNode.Parse(arguments)!.AsObject();
        if (token is not null)
        {
            body["confirmation_token"] = token;
        }

        return server.PostAsync($"/tools/{tool}", body.ToJsonString(), headers: (TestCaller.Header, caller));
    }
}
