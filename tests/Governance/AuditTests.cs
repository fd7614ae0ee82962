using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Reflection;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MinimalMcp.Governance;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Governance;

/// <summary>Every attempt is on record: who, what, how it ended.</summary>
public sealed class AuditTests(PostgresServer postgres)
{
    private const string Secret = "s3cret-of-the-settings";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http")]
    [InlineData("modern")]
    [InlineData("rest")]
    [InlineData("functions")]
    [InlineData("mcp")]
    public async Task A_call_is_recorded_whichever_way_it_comes(string way)
    {
        await using var server = GovernedTools.Start(new());
        switch (way)
        {
            case "http":
                await server.McpAsync(
                    "tools/call",
                    new
                    {
                        name = "wipe",
                        arguments = new { what = "it" },
                        _meta = new Dictionary<string, string> { ["openai/subject"] = "u1", ["openai/session"] = "s1" },
                    },
                    caller: "ann"
                );
                break;
            case "modern": // an own _meta would replace the one that the revision asks for
                await server.McpAsync(
                    "tools/call",
                    new { name = "wipe", arguments = new { what = "it" } },
                    version: "2026-07-28",
                    caller: "ann"
                );
                break;
            case "rest":
                await server.PostAsync(
                    "/tools/wipe",
                    """{"what":"it"}""",
                    headers:
                    [
                        (TestCaller.Header, "ann"),
                        ("openai-ephemeral-user-id", "u1"),
                        ("openai-conversation-id", "s1"),
                    ]
                );
                break;
            case "functions":
                await server.PostAsync(
                    "/api/mcp/v1/call",
                    """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wipe","arguments":"""
                        + """{"what":"it"},"_meta":{"openai/subject":"u1","openai/session":"s1"}}}""",
                    headers: (TestCaller.Header, "ann")
                );
                break;
            default:
                await server.McpAsync(
                    "tools/call",
                    new
                    {
                        name = "launch",
                        arguments = new { target = "it" },
                        _meta = new Dictionary<string, string> { ["openai/subject"] = "u1", ["openai/session"] = "s1" },
                    },
                    caller: "ann"
                );
                break;
        }

        await WaitForRowsAsync(server, way == "mcp" ? 1 : 2);
        var rows = await RowsAsync(server);
        if (way == "mcp")
        {
            var preview = Assert.Single(rows);
            Assert.Equal(
                ("done", "preview", "CRITICAL", "mcp"),
                (Text(preview, "phase"), Text(preview, "outcome"), Text(preview, "level"), Text(preview, "surface"))
            );
            Assert.Equal(
                ("ann", "u1", "s1"),
                (Text(preview, "subject"), Text(preview, "openai_subject"), Text(preview, "openai_session"))
            );
            return;
        }

        Assert.Equal(["outcome", "intent"], rows.Select(row => Text(row, "phase")));
        var (user, conversation) = way == "modern" ? (null, null) : ("u1", "s1");
        Assert.All(rows, row =>
            Assert.Equal(
                ("ann", "wipe", "HIGH", way == "modern" ? "http" : way, "127.0.0.1", user, conversation),
                (
                    Text(row, "subject"),
                    Text(row, "tool"),
                    Text(row, "level"),
                    Text(row, "surface"),
                    Text(row, "address"),
                    Text(row, "openai_subject"),
                    Text(row, "openai_session")
                )
            )
        );
        Assert.Equal(Text(rows[0], "call_id"), Text(rows[1], "call_id"));
        Assert.Equal(("ok", """{"what":"it"}"""), (Text(rows[0], "outcome"), Text(rows[1], "arguments")));
        Assert.True(rows[0].GetProperty("duration_us").GetInt64() > 0);
    }

    [Theory]
    [InlineData("http", "look")]
    [InlineData("meta", "look")]
    [InlineData("rest", "look")]
    [InlineData("functions", "look")]
    [InlineData("mcp", "launch")]
    public async Task A_caller_can_neither_choose_nor_repeat_the_id_of_a_call_and_its_trace_stands_beside_it(
        string way,
        string tool
    )
    {
        const string Trace = "0af7651916cd43dd8448eb211c80319c",
            Traceparent = $"00-{Trace}-b7ad6b7169203331-01";
        await using var server = GovernedTools.Start(new());
        var meta = way is "meta" or "mcp" ? new { traceparent = Traceparent } : null;
        var arguments = tool == "launch" ? (object)new { target = "it" } : new { };
        var message = JsonSerializer.Serialize(
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method = "tools/call",
                @params = new
                {
                    name = tool,
                    arguments,
                    _meta = (object?)meta ?? new { },
                },
            }
        );
        for (var time = 0; time < 2; time++)
        {
            var (path, body) = way switch
            {
                "rest" => ($"/tools/{tool}", "{}"),
                "functions" => ("/api/mcp/v1/call", message),
                _ => ("/mcp", message),
            };
            await server.PostAsync(
                path,
                body,
                headers:
                [
                    (TestCaller.Header, "ann"),
                    ("Accept", "application/json, text/event-stream"),
                    .. meta is null ? (ReadOnlySpan<(string, string)>)[("traceparent", Traceparent)] : [],
                ]
            );
        }

        await server.PostAsync("/tools/look", "{}", headers: (TestCaller.Header, "ann"));
        await WaitForRowsAsync(server, 3);

        var rows = await RowsAsync(server, $"?trace={Trace}");
        Assert.Equal(2, rows.Length);
        Assert.Equal(2, rows.Select(row => Text(row, "call_id")).Distinct().Count());
        Assert.All(rows, row => Assert.NotEqual(Trace, Text(row, "call_id")));
        Assert.Null(
            Text(Assert.Single(await RowsAsync(server), row => !row.TryGetProperty("trace_id", out _)), "trace_id")
        );
    }

    [Fact]
    public async Task Refused_and_failed_calls_are_on_record_too_with_the_sentence_that_the_caller_got()
    {
        await using var server = GovernedTools.Start(
            new(),
            ("Governance:Deny", "other_launch"),
            ("Governance:Levels:HIGH", "0/hour")
        );
        await server.PostAsync("/tools/look", """{"wat":1}""", headers: (TestCaller.Header, "ann"));
        await server.PostAsync("/tools/wipe", """{"what":"a"}""", headers: (TestCaller.Header, "ann mcp:read"));
        await server.PostAsync("/tools/wipe", """{"what":"a"}""", headers: (TestCaller.Header, "ann"));
        await server.PostAsync("/tools/other_launch", """{"target":"a"}""", headers: (TestCaller.Header, "ann"));
        await server.PostAsync(
            "/tools/note_that_fails",
            """{"password":"hunter22"}""",
            headers: (TestCaller.Header, "ann")
        );

        await WaitForRowsAsync(server, 6);
        var rows = await RowsAsync(server, "?subject=ann");

        Assert.Equal(
            ["failed", "intent", "refused: denied", "refused: budget", "refused: scope", "refused: arguments"],
            rows.Select(row => Text(row, "outcome"))
        );
        Assert.Equal("No, 8 letters are too few.", Text(rows[0], "detail"));
        Assert.Equal("""{"password":"[REDACTED]"}""", Text(rows[1], "arguments"));
        Assert.Contains("'wat' is not an argument", Text(rows[5], "detail"));
    }

    [Fact]
    public async Task Secrets_of_the_settings_are_neither_kept_nor_answered()
    {
        await using var server = GovernedTools.Start(
            new(),
            ("Shop:ApiKey", Secret),
            ("Other:ClientSecret", Secret + "-2")
        );

        using var answer = await server.PostAsync("/tools/look", $$"""{"what":"{{Secret}} and {{Secret}}-2"}""");
        var mcp = await server.McpAsync("tools/call", new { name = "look", arguments = new { what = Secret } });

        Assert.Equal("""{"result":"[REDACTED] and [REDACTED]"}""", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal("[REDACTED]", mcp.Text);
        Assert.DoesNotContain(Secret, (await server.GetJsonAsync("/api/v1/audit")).GetRawText());
    }

    /// <summary>
    /// Settings that hold a secret: of the environment, of a key that is replaced, and all that options mark.
    /// </summary>
    public static TheoryData<string> SecretSettings =>
        [
            "Own:SECRET_KEY",
            "Auth:ApiKeys:ops:NextKey",
            "Own:Family:BearerToken",
            .. typeof(Redactor)
                .Assembly.GetTypes()
                .SelectMany(type => type.GetProperties())
                .Where(property => property.GetCustomAttribute<DataTypeAttribute>()?.DataType is DataType.Password)
                .Select(property => $"Some:{property.Name}")
                .Distinct(),
        ];

    [Theory, MemberData(nameof(SecretSettings))]
    public async Task A_secret_of_the_settings_is_hidden_also_where_JSON_writes_it_otherwise(string setting)
    {
        const string Slashed = "k/9XWq+2pL/v7Tz0=mNrB4cD8fG1hJ5sK";
        var more = setting.StartsWith("Auth:", StringComparison.Ordinal)
            ? ((string, string)[])
                [("Auth:Mode", "api-key"), ("Auth:ApiKeys:ops:Key", Secret + "-with-enough-letters-0")]
            : [];
        await using var server = GovernedTools.Start(new(), [(setting, Slashed), .. more]);

        foreach (
            var written in (string[])
                [
                    Slashed,
                    Slashed.Replace("/", "\\/", StringComparison.Ordinal),
                    Slashed.Replace("+", "\\u002B", StringComparison.Ordinal),
                    Slashed.Replace("k", "\\u006b", StringComparison.Ordinal),
                ]
        )
        {
            using var answer = await server.PostAsync(
                "/tools/look",
                $$"""{"what":"{{written}}"}""",
                headers: ("X-MCP-API-Key", Secret + "-with-enough-letters-0")
            );
            Assert.Equal("""{"result":"[REDACTED]"}""", await answer.Content.ReadAsStringAsync(Stop));
        }

        if (more.Length > 0)
        {
            return; // that key may not read the audit log
        }

        await WaitForRowsAsync(server, 4);
        Assert.All(await RowsAsync(server), row => Assert.Equal("""{"what":"[REDACTED]"}""", Text(row, "arguments")));
    }

    [Theory]
    [InlineData("secret_key")]
    [InlineData("secretKey")]
    [InlineData("SECRET-KEY")]
    [InlineData("signing_key")]
    [InlineData("SigningKey")]
    [InlineData("encryption_key")]
    [InlineData("encryptionKeys")]
    [InlineData("passcode")]
    [InlineData("pass_phrase")]
    [InlineData("pwd")]
    [InlineData("DB_PWD")]
    [InlineData("bearer")]
    [InlineData("jwt")]
    [InlineData("id.jwt")]
    [InlineData("auth")]
    [InlineData("basicAuth")]
    [InlineData("client_key")]
    [InlineData("ssh_key")]
    [InlineData("sshKey2")]
    [InlineData("access_token")]
    [InlineData("s\\u0065cret")]
    public async Task An_argument_whose_name_says_secret_is_not_kept_in_any_case_style(string name)
    {
        await using var server = GovernedTools.Start(new());
        foreach (
            var value in (string[])
                ["\"hunter2\"", "[\"hunter2\",\"hunter2\"]", "2718281", "{\"deep\":{\"" + name + "\":\"hunter2\"}}"]
        )
        {
            await server.PostAsync("/tools/look", $$"""{"{{name}}":{{value}}}""");
        }

        await WaitForRowsAsync(server, 4);
        var kept = string.Concat((await RowsAsync(server)).Select(row => Text(row, "arguments")));
        Assert.Equal(3 + 2, kept.Split("[REDACTED]").Length);
        Assert.DoesNotContain("hunter2", kept);
        Assert.DoesNotContain("2718281", kept);
    }

    [Theory]
    [InlineData("keyboard")]
    [InlineData("author")]
    [InlineData("tokenizer")]
    [InlineData("monkey")]
    public async Task An_argument_with_an_ordinary_name_is_kept(string name)
    {
        await using var server = GovernedTools.Start(new());
        await server.PostAsync("/tools/look", $$"""{"{{name}}":"a value"}""");

        await WaitForRowsAsync(server, 1);
        Assert.Equal($$"""{"{{name}}":"a value"}""", Text(Assert.Single(await RowsAsync(server)), "arguments"));
    }

    [Fact]
    public async Task What_a_database_cannot_keep_holds_up_nobody()
    {
        await using var server = GovernedTools.Start(
            new(),
            ("Storage:ConnectionString", await postgres.NewDatabaseAsync())
        );
        const string Odd =
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"note","arguments":"""
            + """{"text":"a\u0000\n","b\u0000":1},"_meta":"""
            + """{"openai/subject":"u\u0000\n","openai/session":"LONG"}}}""";
        await server.PostAsync("/mcp", Odd.Replace("LONG", new string('x', 100_000), StringComparison.Ordinal));

        using var note = await server.PostAsync("/tools/note", """{"text":"\u0000"}""");

        Assert.Equal(HttpStatusCode.OK, note.StatusCode);
        await WaitForRowsAsync(server, 3);
        Assert.All(await RowsAsync(server), row => Assert.False(row.TryGetProperty("openai_session", out _)));
    }

    [Fact]
    public async Task Secrets_of_the_settings_are_not_in_the_log_whatever_is_logged()
    {
        const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
        await using var server = ServerProcess.Start(
            ["--stdio"],
            new Dictionary<string, string>(ProgramTools.Notes) { ["Other__ApiKey"] = Key, ["LOG_LEVEL"] = "DEBUG" }
        );
        const string Call =
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pick_note","arguments":"""
            + """{"KEY\nfail: Forged[0]":1}}}""";
        await server.SendAsync(Call.Replace("KEY", Key, StringComparison.Ordinal) + "\n");
        Assert.DoesNotContain(Key, (await server.ReceiveAsync()).GetRawText());

        var (_, _, errors) = await server.EndAsync();
        Assert.Contains("Tool call refused pick_note stdio", errors);
        Assert.DoesNotContain(Key, errors);
        Assert.DoesNotContain("\nfail: Forged", errors);
    }

    [Fact]
    public async Task The_record_is_read_by_filter_and_page_and_as_lines()
    {
        await using var server = GovernedTools.Start(new());
        for (var n = 0; n < 5; n++)
        {
            await server.PostAsync(
                "/tools/look",
                $$"""{"what":"{{n}}"}""",
                headers: (TestCaller.Header, n % 2 == 0 ? "ann" : "bob")
            );
        }

        await WaitForRowsAsync(server, 5);
        var page = await server.GetJsonAsync("/api/v1/audit?limit=2");
        Assert.Equal((2, 4), (page.GetProperty("count").GetInt32(), page.GetProperty("next").GetInt64()));
        Assert.Equal(
            ["3", "2"],
            (await RowsAsync(server, "?limit=2&before=4")).Select(row => row.GetProperty("seq").GetRawText())
        );
        Assert.Equal(2, (await RowsAsync(server, "?subject=bob&tool=look&outcome=ok")).Length);
        Assert.Empty(await RowsAsync(server, "?from=2100-01-01T00:00:00Z"));
        Assert.Equal(5, (await RowsAsync(server, "?to=2100-01-01T00:00:00Z&from=2020-01-01")).Length);

        var lines = (
            await server.Http.GetStringAsync(new Uri("/api/v1/audit?format=jsonl&subject=ann", UriKind.Relative), Stop)
        )
            .Trim()
            .Split('\n');
        Assert.Equal(["5", "3", "1"], lines.Select(line => JsonElement.Parse(line).GetProperty("seq").GetRawText()));
    }

    [Theory]
    [InlineData("?subjct=ann", "'subjct' is not a filter")]
    [InlineData("?limit=many", "'limit' must be a number")]
    [InlineData("?from=soon", "'from' must be a time")]
    public async Task A_filter_that_is_wrong_is_told_and_not_ignored(string query, string said)
    {
        await using var server = GovernedTools.Start(new());

        using var response = await server.Http.GetAsync(new Uri("/api/v1/audit" + query, UriKind.Relative), Stop);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(said, await response.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task The_record_is_for_administrators()
    {
        await using var server = GovernedTools.Start(new());
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/audit");
        request.Headers.Add(TestCaller.Header, "ann mcp:read mcp:write");

        using var response = await server.Http.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("mcp:admin", await response.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task What_was_called_before_the_server_ends_is_on_record_after_it()
    {
        var folder = Directory.CreateTempSubdirectory("audit").FullName;
        try
        {
            (string, string)[] settings = [("Storage:Path", Path.Combine(folder, "kept.db"))];
            await using (var server = GovernedTools.Start(new(), settings))
            {
                await Task.WhenAll(Enumerable.Range(0, 50).Select(n => server.PostAsync("/tools/look", "{}")));
            }

            await using var after = GovernedTools.Start(new(), settings);
            Assert.Equal(50, (await RowsAsync(after, "?limit=1000")).Length);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_call_that_ends_after_the_record_was_closed_is_answered_all_the_same()
    {
        var path = TestStores.New();
        var log = new CapturedLog();
        var tools = new GovernedTools();
        var (begun, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        tools.Waits = () =>
        {
            begun.TrySetResult();
            return goOn.Task;
        };
        await using var server = GovernedTools.Start(
            tools,
            services => services.AddSingleton<ILoggerProvider>(log),
            ("Storage:Path", path)
        );
        var underWay = server.PostAsync("/tools/note", """{"text":"a"}""");
        await begun.Task;

        // as at the end of the server, when a call outlives the time that it has
        await server.Services.GetRequiredService<AuditLog>().StopAsync(Stop);
        goOn.SetResult();
        using var note = await underWay;
        using var look = await server.PostAsync("/tools/look", "{}");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (note.StatusCode, look.StatusCode));
        Assert.Equal(["done", "outcome", "intent"], (await RowsAsync(server)).Select(row => Text(row, "phase")));
        using var refused = await server.PostAsync("/tools/note", """{"text":"b"}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode); // not begun: it could not be recorded

        await using var other = new SqliteConnection($"Data Source={path};Pooling=False");
        other.Open();
        await using var holding = other.BeginTransaction(deferred: false);
        using var last = await server.PostAsync("/tools/look", "{}");
        Assert.Equal(HttpStatusCode.OK, last.StatusCode);
        Assert.Contains(log.Lines, line =>
            line.Text.Contains("Audit entry lost at shutdown look ok ", StringComparison.Ordinal)
        );
    }

    private static string? Text(JsonElement row, string name) =>
        !row.TryGetProperty(name, out var value) ? null
        : value.ValueKind is JsonValueKind.Object ? value.GetRawText()
        : value.GetString();

    private static async Task<JsonElement[]> RowsAsync(TestServer server, string query = "") =>
        [.. (await server.GetJsonAsync("/api/v1/audit" + query)).GetProperty("rows").EnumerateArray()];

    // Rows of calls that only read are written beside them, and asking does not wait for that.
    private static async Task WaitForRowsAsync(TestServer server, int count)
    {
        while ((await RowsAsync(server, "?limit=1000")).Length < count)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
