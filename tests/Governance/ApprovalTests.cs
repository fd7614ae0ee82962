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

/// <summary>What the operator wants a person to approve is done only after a person did.</summary>
public sealed class ApprovalTests(PostgresServer postgres)
{
    private const string Moon = """{"target":"moon","count":2}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_waits_for_a_person_and_is_done_once_after_the_approval()
    {
        var tools = new GovernedTools();
        await using var server = Start(tools, ("Server:PublicUrl", "https://mcp.example.com"));

        var asked = await AskAsync(server);
        Assert.Equal(
            ("approval_required", "https://mcp.example.com/dashboard"),
            (asked["status"]!.GetValue<string>(), asked["approval_url"]!.GetValue<string>())
        );
        Assert.Contains(
            "waits for approval by a person at https://mcp.example.com/dashboard",
            asked["message"]!.GetValue<string>()
        );
        var again = JsonNode.Parse(await TextAsync(await CallAsync(server, "launch", "ann", Moon, Token(asked))))!;
        Assert.Contains("still waits", again["message"]!.GetValue<string>());
        Assert.Equal(
            (Token(asked), asked["expires"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds()),
            (Token(again), again["expires"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds())
        );
        Assert.Empty(tools.Done);

        Assert.Equal(HttpStatusCode.OK, (await DecideAsync(server, await OnlyAsync(server), "approve")).StatusCode);
        Assert.Empty(await WaitingAsync(server));
        var statuses = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(async _ => (await CallAsync(server, "launch", "ann", Moon, Token(asked))).StatusCode)
        );

        Assert.Equal(
            (1, 9),
            (
                statuses.Count(status => status == HttpStatusCode.OK),
                statuses.Count(status => status == HttpStatusCode.Forbidden)
            )
        );
        Assert.Equal(1, tools.Done["launch"]);
    }

    [Fact]
    public async Task A_denied_call_says_by_whom_and_stays_denied()
    {
        var tools = new GovernedTools();
        await using var server = Start(tools);
        var asked = await AskAsync(server);
        var id = await OnlyAsync(server);

        await DecideAsync(server, id, "deny");
        for (var n = 0; n < 2; n++)
        {
            using var refused = await CallAsync(server, "launch", "ann", Moon, Token(asked));
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Contains("launch was not called: boss denied it.", await TextAsync(refused));
        }

        using var late = await DecideAsync(server, id, "approve");
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Contains("already decided this call", await TextAsync(late));
        Assert.Empty(tools.Done);
    }

    [Theory]
    [InlineData("other_launch", "ann", Moon, 0)]
    [InlineData("launch", "bob", Moon, 0)]
    [InlineData("launch", "ann", """{"target":"mars","count":2}""", 0)]
    [InlineData("launch", "ann", """{"target":"moon"}""", 0)]
    [InlineData("launch", "ann", Moon, 30)]
    public async Task An_approval_is_for_one_caller_tool_and_arguments_and_not_for_long(
        string tool,
        string caller,
        string arguments,
        int minutes
    )
    {
        var tools = new GovernedTools();
        var time = new ManualTime();
        await using var server = GovernedTools.Start(
            tools,
            services => services.AddSingleton<TimeProvider>(time),
            ("Governance:Approve", "CRITICAL")
        );
        var asked = await AskAsync(server);
        await DecideAsync(server, await OnlyAsync(server), "approve");

        time.Advance(TimeSpan.FromMinutes(minutes));
        using var refused = await CallAsync(server, tool, caller, arguments, Token(asked));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains(
            "was already used, is older than 30 minutes, or belongs to another call",
            await TextAsync(refused)
        );
        Assert.Empty(tools.Done);
    }

    [Fact]
    public async Task What_waited_too_long_can_neither_be_listed_nor_approved()
    {
        var time = new ManualTime();
        await using var server = GovernedTools.Start(
            new(),
            services => services.AddSingleton<TimeProvider>(time),
            ("Governance:Approve", "launch"),
            ("Governance:ApproveWithin", "00:05:00")
        );
        await AskAsync(server);
        var id = await OnlyAsync(server);

        time.Advance(TimeSpan.FromMinutes(5));

        Assert.Empty(await WaitingAsync(server));
        Assert.Equal(HttpStatusCode.Conflict, (await DecideAsync(server, id, "approve")).StatusCode);
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2026-07-28")]
    public async Task A_client_that_can_ask_its_user_does_not_answer_for_the_person(string version)
    {
        var tools = new GovernedTools();
        await using var server = Start(tools);
        var questions = 0;
        await using var client = await McpClient.CreateAsync(
            new HttpClientTransport(
                new() { Endpoint = new(server.Url, "mcp"), TransportMode = HttpTransportMode.StreamableHttp }
            ),
            new McpClientOptions
            {
                ProtocolVersion = version,
                Handlers = new()
                {
                    ElicitationHandler = (_, _) =>
                    {
                        questions++;
                        return new(
                            new ElicitResult
                            {
                                Action = "accept",
                                Content = new Dictionary<string, JsonElement>
                                {
                                    ["agreed"] = JsonSerializer.SerializeToElement(true),
                                },
                            }
                        );
                    },
                },
            },
            cancellationToken: Stop
        );

        var result = await client.CallToolAsync(
            "launch",
            new Dictionary<string, object?> { ["target"] = "moon" },
            cancellationToken: Stop
        );

        Assert.NotEqual(true, result.IsError);
        Assert.Equal("approval_required", result.StructuredContent!.Value.GetProperty("status").GetString());
        var said = ((TextContentBlock)result.Content[0]).Text;
        Assert.Contains($"waits for approval by a person at {server.BaseUrl}/dashboard", said);
        Assert.Equal(0, questions);

        // Nor by an answer to a question that was never asked, with the token for its state.
        var forged = await server.McpAsync(
            "tools/call",
            new
            {
                name = "launch",
                arguments = new { target = "moon" },
                requestState = said.Split("confirmation_token \"")[1].Split('"')[0],
                inputResponses = new
                {
                    confirm = new
                    {
                        method = "elicitation/create",
                        action = "accept",
                        content = new { agreed = true },
                    },
                },
            },
            version: "2026-07-28"
        );
        Assert.Contains("still waits", forged.Text);
        Assert.Empty(tools.Done);
    }

    [Fact]
    public async Task Tools_and_levels_are_named_and_a_dry_run_asks_nobody()
    {
        var tools = new GovernedTools();
        await using var server = Start(tools, ("Governance:Approve", "no*, HIGH"));

        Assert.Contains(
            "approval_required",
            await TextAsync(await CallAsync(server, "note", "ann", """{"text":"a"}"""))
        );
        Assert.Contains(
            "approval_required",
            await TextAsync(await CallAsync(server, "wipe", "ann", """{"what":"a"}"""))
        );
        Assert.Contains("confirmation_required", await TextAsync(await CallAsync(server, "launch", "ann", Moon)));
        Assert.Contains(
            "dry_run",
            await TextAsync(await CallAsync(server, "wipe", "ann", """{"what":"a","dry_run":true}"""))
        );
        Assert.Equal(2, (await WaitingAsync(server)).Length);
    }

    [Fact]
    public async Task A_budget_that_is_used_up_spends_no_approval()
    {
        var tools = new GovernedTools();
        var time = new ManualTime();
        await using var server = GovernedTools.Start(
            tools,
            services => services.AddSingleton<TimeProvider>(time),
            ("Governance:Approve", "launch"),
            ("Governance:Levels:CRITICAL", "1/minute")
        );
        var (one, two) = (await AskAsync(server), await AskAsync(server));
        foreach (var waiting in await WaitingAsync(server))
        {
            await DecideAsync(server, waiting.GetProperty("id").GetString()!, "approve");
        }

        Assert.Equal(HttpStatusCode.OK, (await CallAsync(server, "launch", "ann", Moon, Token(one))).StatusCode);
        Assert.Equal(
            HttpStatusCode.TooManyRequests,
            (await CallAsync(server, "launch", "ann", Moon, Token(two))).StatusCode
        );
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(server, "launch", "ann", Moon, Token(two))).StatusCode);
    }

    [Fact]
    public async Task The_list_shows_no_secrets_and_the_record_says_who_approved_what()
    {
        await using var server = Start(
            new(),
            ("Governance:Approve", "note_that_fails"),
            ("Other:ApiKey", "s3cret-of-the-settings")
        );
        await CallAsync(server, "note_that_fails", "ann", """{"password":"hunter22"}""");
        await CallAsync(server, "note_that_fails", "ann", """{"password":"x","text":"s3cret-of-the-settings"}""");
        var waiting = await WaitingAsync(server);
        // the second has an argument too many
        Assert.Equal("""{"password":"[REDACTED]"}""", Assert.Single(waiting).GetProperty("arguments").GetString());
        await DecideAsync(server, await OnlyAsync(server), "approve");

        var rows = (await server.GetJsonAsync("/api/v1/audit?subject=boss"))
            .GetProperty("rows")
            .EnumerateArray()
            .ToArray();
        while (rows.Length < 2)
        {
            Stop.ThrowIfCancellationRequested();
            rows = [.. (await server.GetJsonAsync("/api/v1/audit?subject=boss")).GetProperty("rows").EnumerateArray()];
        }

        Assert.Equal(["approved", "intent"], rows.Select(row => row.GetProperty("outcome").GetString()));
        Assert.All(rows, row =>
            Assert.Equal(
                ("note_that_fails", "to approve the call of ann", waiting[0].GetProperty("call_id").GetString()),
                (
                    row.GetProperty("tool").GetString(),
                    row.GetProperty("detail").GetString(),
                    row.GetProperty("call_id").GetString()
                )
            )
        );
    }

    [Theory]
    [InlineData("api-key", "with another API key that has the scope mcp:admin")]
    [InlineData("hybrid", "with another API key or another sign-in")]
    public async Task Whoever_asked_is_told_who_else_may_approve_in_the_mode_in_force(string mode, string expected)
    {
        await using var server = Auth.Modes.Start(mode, ("Governance:Approve", "pick_note"));
        var key = ("Authorization", "Bearer " + Auth.Modes.Key);
        using var asked = await server.PostAsync("/tools/pick_note", """{"code":"milk"}""", headers: key);
        Assert.Equal(202, (int)asked.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/approvals");
        request.Headers.Add(key.Item1, key.Item2);
        using var listed = await server.Http.SendAsync(request, Stop);
        var waiting = JsonElement.Parse(await TextAsync(listed)).GetProperty("approvals")[0];

        using var refused = await server.PostAsync(
            $"/api/v1/approvals/{waiting.GetProperty("id").GetString()}/approve",
            "{}",
            headers: key
        );

        Assert.Equal(409, (int)refused.StatusCode);
        Assert.Contains(expected, await TextAsync(refused));
    }

    [Theory]
    [InlineData("eve mcp:read mcp:write", "application/json", null, null, 403, "mcp:admin")]
    [InlineData("ann mcp:admin", "application/json", null, null, 409, "You requested this call yourself")]
    [InlineData("boss mcp:admin", "text/plain", null, null, 403, "own page")]
    [InlineData("boss mcp:admin", "application/json", "cross-site", null, 403, "own page")]
    [InlineData("boss mcp:admin", "application/json", "same-site", null, 403, "own page")]
    [InlineData("boss mcp:admin", "application/json", null, "http://localhost:1", 403, "own page")]
    [InlineData("boss mcp:admin", "application/json", null, "null", 403, "")]
    public async Task Who_may_not_decide_is_told_why(
        string caller,
        string type,
        string? site,
        string? origin,
        int status,
        string said
    )
    {
        var tools = new GovernedTools();
        await using var server = Start(tools);
        var asked = await AskAsync(server);
        var headers = new List<(string, string)> { (TestCaller.Header, caller) };
        headers.AddRange(site is null ? [] : [("Sec-Fetch-Site", site)]);
        headers.AddRange(origin is null ? [] : [("Origin", origin)]);

        using var refused = await server.PostAsync(
            $"/api/v1/approvals/{await OnlyAsync(server)}/approve",
            "{}",
            type,
            [.. headers]
        );

        Assert.Equal(status, (int)refused.StatusCode);
        Assert.Contains(said, await TextAsync(refused));
        Assert.Contains("still waits", await TextAsync(await CallAsync(server, "launch", "ann", Moon, Token(asked))));
    }

    [Fact]
    public async Task Calls_that_wait_are_a_metric()
    {
        await using var off = GovernedTools.Start(new());
        Assert.DoesNotContain("mcp_approvals_pending", await MetricsAsync(off));
        await using var server = Start(new());
        await Wait.Until(async () => (await MetricsAsync(server)).Contains("\nmcp_approvals_pending 0\n"));
        await AskAsync(server);
        await Wait.Until(async () => (await MetricsAsync(server)).Contains("\nmcp_approvals_pending 1\n"));
        Assert.Contains("# TYPE mcp_approvals_pending gauge\n", await MetricsAsync(server));
        (await DecideAsync(server, await OnlyAsync(server), "deny")).Dispose();
        await Wait.Until(async () => (await MetricsAsync(server)).Contains("\nmcp_approvals_pending 0\n"));

        static Task<string> MetricsAsync(TestServer server) =>
            server.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Stop);
    }

    [Fact]
    public async Task One_caller_does_not_fill_the_list()
    {
        await using var server = Start(new());
        for (var n = 0; n < 50; n++)
        {
            await AskAsync(server);
        }

        using var refused = await CallAsync(server, "launch", "ann", Moon);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Contains("50 calls of this caller already await approval", await TextAsync(refused));
        Assert.Equal(HttpStatusCode.Accepted, (await CallAsync(server, "launch", "bob", Moon)).StatusCode);
    }

    [Fact]
    public async Task What_is_asked_on_one_replica_and_approved_on_another_is_done_on_a_third()
    {
        var tools = new GovernedTools();
        var database = await postgres.NewDatabaseAsync();
        await using var one = Start(tools, ("Storage:ConnectionString", database));
        await using var two = Start(tools, ("Storage:ConnectionString", database));
        await using var three = Start(tools, ("Storage:ConnectionString", database));
        var asked = await AskAsync(one);

        await DecideAsync(two, await OnlyAsync(two), "approve");
        var statuses = await Task.WhenAll(
            Enumerable
                .Range(0, 12)
                .Select(async n =>
                    (await CallAsync(n % 2 == 0 ? one : three, "launch", "ann", Moon, Token(asked))).StatusCode
                )
        );

        Assert.Single(statuses, HttpStatusCode.OK);
        Assert.Equal(1, tools.Done["launch"]);
    }

    private static TestServer Start(GovernedTools tools, params (string, string)[] settings) =>
        GovernedTools.Start(tools, [("Governance:Approve", "CRITICAL"), .. settings]);

    private static async Task<JsonNode> AskAsync(TestServer server)
    {
        using var response = await CallAsync(server, "launch", "ann", Moon);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return JsonNode.Parse(await TextAsync(response))!;
    }

    private static async Task<JsonElement[]> WaitingAsync(TestServer server) =>
        [.. (await server.GetJsonAsync("/api/v1/approvals")).GetProperty("approvals").EnumerateArray()];

    private static async Task<string> OnlyAsync(TestServer server) =>
        Assert.Single(await WaitingAsync(server)).GetProperty("id").GetString()!;

    private static Task<HttpResponseMessage> DecideAsync(TestServer server, string id, string decision) =>
        server.PostAsync($"/api/v1/approvals/{id}/{decision}", "{}", headers: (TestCaller.Header, "boss mcp:admin"));

    private static Task<HttpResponseMessage> CallAsync(
        TestServer server,
        string tool,
        string caller,
        string arguments,
        string? token = null
    )
    {
        var body = JsonNode.Parse(arguments)!.AsObject();
        if (token is not null)
        {
            body["confirmation_token"] = token;
        }

        return server.PostAsync($"/tools/{tool}", body.ToJsonString(), headers: (TestCaller.Header, caller));
    }

    private static string Token(JsonNode preview) => preview["confirmation_token"]!.GetValue<string>();

    private static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync(Stop);
}
