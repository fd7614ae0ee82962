using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Monitoring;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Hub;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>What happened, as <c>/api/v1/activity</c> shows it.</summary>
[Slow]
public sealed class ActivityTests(PostgresServer postgres)
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
        Reader = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task What_operators_and_callers_do_with_a_server_is_there_with_its_id(Engine engine)
    {
        await using var hub = HubServer.Empty(await engine.SettingsAsync(postgres));
        await hub.AddAsync("up", "full");
        await hub.CallAsync("up_echo", new { text = "hi" });
        await hub.CallAsync("up_echo", new { wrong = "hi" });
        await hub.SendAsync("POST", "/1/stop");
        await hub.SendAsync("POST", "/1/start");
        await hub.SendAsync("PUT", "/1", new { env = new { TOKEN = "t0ps3cret" } });
        var all = await ReadAsync(hub.Server, "?server_id=1", events => events.Length >= 6);

        Assert.Equal(
            ["server_updated", "server_started", "server_stopped", "error_occurred", "tool_called", "server_created"],
            all.Select(TypeOf)
        );
        Assert.All(all, one => Assert.Equal("1", one.GetProperty("server_id").GetString()));
        Assert.All(all, one => Assert.Equal("local", one.GetProperty("user").GetString()));
        Assert.Equal("Server up created", all[5].GetProperty("title").GetString());
        Assert.Equal("up/echo called", all[4].GetProperty("title").GetString());
        Assert.Equal("up/echo refused", all[3].GetProperty("title").GetString());
        Assert.Contains("wrong", all[3].GetProperty("description").GetString());
        var metadata = all[4].GetProperty("metadata");
        Assert.Equal(
            ("up/echo", "ok", "http", "up"),
            (Text(metadata, "tool"), Text(metadata, "outcome"), Text(metadata, "surface"), Text(metadata, "server"))
        );
        Assert.True(double.Parse(Text(metadata, "duration_ms"), System.Globalization.CultureInfo.InvariantCulture) > 0);
        Assert.DoesNotContain("t0ps3cret", string.Concat(all));

        // By the name too; and what is of no server is not among them.
        Assert.Equal(6, (await ReadAsync(hub.Server, "?server_id=up", _ => true)).Length);
        Assert.Empty(await ReadAsync(hub.Server, "?server_id=2", _ => true));
        await hub.SendAsync("DELETE", "/1");
        var last = await ReadAsync(hub.Server, "?server_id=up", events => events.Length == 7);
        Assert.Equal("server_deleted", TypeOf(last[0]));
    }

    [Fact]
    public async Task Servers_of_a_file_are_there_as_created()
    {
        await using var hub = HubServer.Empty();
        var server = new { url = "http://127.0.0.1:9/mcp", disabled = true };
        var (status, _) = await hub.SendAsync("POST", "/import", new { mcpServers = new { a = server, b = server } });
        Assert.Equal(200, status);

        var all = await ReadAsync(hub.Server, "?type=server_created", events => events.Length == 1);

        Assert.Equal("Servers a, b created", all[0].GetProperty("title").GetString());
        Assert.Equal("a, b", Text(all[0].GetProperty("metadata"), "servers"));
        Assert.Empty(await ReadAsync(hub.Server, "?type=server_updated", _ => true));
    }

    [Fact]
    public async Task A_server_that_fails_is_there_without_a_user()
    {
        await using var hub = HubServer.Empty();
        var (status, _) = await hub.SendAsync(
            "POST",
            "",
            new
            {
                name = "dead",
                command = Path.GetFileName(Needs.Program("install Node.js", "node")),
                args = (string[])[HubServer.Script(), "dies"],
                max_restarts = 1,
            }
        );
        Assert.Equal(200, status);
        var all = await ReadAsync(hub.Server, "?type=server_error", events =>
            events.Any(one => one.GetProperty("title").GetString() == "Server dead is in error")
        );
        Assert.All(all, one => Assert.False(one.TryGetProperty("user", out _)));
        Assert.All(all, one => Assert.Equal("1", one.GetProperty("server_id").GetString()));
        Assert.Contains(all, one => one.GetProperty("title").GetString() == "Server dead failed and restarts");
    }

    [Theory, InlineData(Engine.Sqlite), InlineData(Engine.Postgres)]
    public async Task It_is_paged_and_filtered(Engine engine)
    {
        var settings = await engine.SettingsAsync(postgres);
        await using var server = GovernedTools.Start(new GovernedTools(), settings);
        foreach (var caller in (string[])["ann", "bob", "ann", "bob", "ann"])
        {
            await server.McpAsync("tools/call", new { name = "look", arguments = new { } }, caller: caller);
        }

        await server.McpAsync("tools/call", new { name = "look", arguments = new { x = 1 } }, caller: "ann");
        await ReadAsync(server, "", events => events.Length == 6);

        var pages = new List<JsonElement>();
        for (var next = ""; ; )
        {
            var page = await server.GetJsonAsync($"/api/v1/activity?limit=2{next}");
            var events = page.GetProperty("activity").EnumerateArray().ToArray();
            Assert.Equal(events.Length, page.GetProperty("count").GetInt32());
            pages.AddRange(events);
            if (!page.TryGetProperty("next", out var before))
            {
                break;
            }

            next = $"&before={before.GetInt64()}";
        }

        var ids = pages.Select(one => one.GetProperty("id").GetInt64()).ToArray();
        Assert.Equal(6, ids.Length);
        Assert.Equal(ids.OrderDescending().Distinct(), ids);
        Assert.Equal(4, (await ReadAsync(server, "?user=ann", _ => true)).Length);
        Assert.Equal("error_occurred", TypeOf((await ReadAsync(server, "?type=error_occurred", _ => true)).Single()));
        Assert.Equal(3, (await ReadAsync(server, "?type=tool_called&user=ann", _ => true)).Length);
        Assert.Empty(await ReadAsync(server, "?to=2020-01-01T00:00:00Z", _ => true));
        Assert.Equal(6, (await ReadAsync(server, "?from=2020-01-01T00:00:00Z", _ => true)).Length);
        foreach (var wrong in (string[])["?typ=x", "?type=x", "?limit=x", "?from=x"])
        {
            using var answer = await server.Http.GetAsync(new Uri("/api/v1/activity" + wrong, UriKind.Relative), Stop);
            Assert.Equal(400, (int)answer.StatusCode);
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);
            Assert.NotEmpty(Text(body, "detail"));
            Assert.True(body.TryGetProperty("timestamp", out _));
        }
    }

    [Fact]
    public async Task Only_operators_read_what_others_do()
    {
        await using var server = Keyed();
        foreach (var path in (string[])["/sessions", "/activity", "/activity/stream", "/metrics/summary"])
        {
            using var nobody = await GetAsync(server, path, null);
            Assert.Equal(401, (int)nobody.StatusCode);
            using var reader = await GetAsync(server, path, Reader);
            Assert.Equal(403, (int)reader.StatusCode);
            using var boss = await GetAsync(server, path, Key);
            Assert.Equal(200, (int)boss.StatusCode);
        }
    }

    [Fact]
    public async Task Sign_ins_are_there_and_a_flood_of_wrong_keys_is_a_few_entries()
    {
        var time = new ShiftedTime();
        await using var server = Keyed(services => services.AddSingleton<TimeProvider>(time));
        await SignInAsync(server, Key);
        for (var i = 0; i < 100; i++)
        {
            using var wrong = await GetAsync(server, "/activity", $"wrong-key-{i}-Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5");
            Assert.Contains((int)wrong.StatusCode, (int[])[401, 429]);
        }

        var first = await SignInsAsync(events => events.Length == 3);
        Assert.Equal(
            ["Sign-in refused: too many attempts", "Sign-in refused: unknown API key", "boss signed in"],
            first.Select(one => one.GetProperty("title").GetString())
        );
        Assert.Equal("boss", Text(first[2], "user"));
        Assert.All(first, one => Assert.NotEmpty(Text(one.GetProperty("metadata"), "address")));

        // The others of that minute are one entry each, with their number.
        time.Advance(TimeSpan.FromMinutes(20));
        using var later = await GetAsync(server, "/activity", "another-wrong-key-Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3");
        var counted = await SignInsAsync(events => events.Length == 6);
        var numbers = counted
            .Select(one => one.GetProperty("metadata"))
            .Where(metadata => metadata.TryGetProperty("count", out _))
            .Sum(metadata => int.Parse(Text(metadata, "count"), System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(98, numbers);

        var metrics = await GetTextAsync(server, "/metrics");
        Assert.Contains("mcp_auth_attempts_total{outcome=\"wrong_key\"} 10\n", metrics);
        Assert.Contains("mcp_auth_attempts_total{outcome=\"rate_limited\"} 91\n", metrics);
        Assert.Contains("mcp_auth_attempts_total{outcome=\"invalid_grant\"} 0\n", metrics);
        Assert.Matches(@"(?m)^process_resident_memory_bytes \d{7,}$", metrics);
        Assert.Matches(@"(?m)^process_cpu_seconds_total \d+(\.\d+)?$", metrics);

        async Task<JsonElement[]> SignInsAsync(Func<JsonElement[], bool> enough)
        {
            JsonElement[] events = [];
            await Wait.Until(async () =>
            {
                using var answer = await GetAsync(server, "/activity?type=sign_in", Key);
                var page = await answer.Content.ReadFromJsonAsync<JsonElement>(Stop);
                events = [.. page.GetProperty("activity").EnumerateArray()];
                return enough(events);
            });
            return events;
        }
    }

    [Fact]
    public async Task Hostile_texts_are_shown_and_not_obeyed()
    {
        await using var server = GovernedTools.Start(new GovernedTools());
        var hidden = "a\u202eb\u0007<script>" + new string('x', 5_000);
        await server.McpAsync(
            "tools/call",
            new { name = "look", arguments = new Dictionary<string, int> { [hidden] = 1 } }
        );
        await server.McpAsync(
            "initialize",
            new
            {
                protocolVersion = "2025-11-25",
                capabilities = new { },
                clientInfo = new { name = hidden, version = hidden },
            }
        );
        var all = await ReadAsync(server, "", events => events.Length == 2);
        Assert.All(all, one =>
        {
            Assert.True(one.GetRawText().Length < 4_000, one.GetRawText());
            Assert.DoesNotContain('\u202e', one.GetProperty("title").GetString()!);
            Assert.DoesNotContain('\u202e', $"{one.GetProperty("metadata")}");
        });
        var sessions = await server.GetJsonAsync("/api/v1/sessions");
        Assert.Equal(2, sessions.GetArrayLength());
        Assert.All(sessions.EnumerateArray(), one => Assert.True(one.GetRawText().Length < 2_000));
        Assert.DoesNotContain(sessions.EnumerateArray(), one =>
            one.TryGetProperty("client_info", out var client) && $"{client}".Contains('\u202e')
        );
    }

    internal static TestServer Keyed(Action<IServiceCollection>? services = null, params (string, string)[] more) =>
        TestServer.Start(
            services,
            [
                ("Auth:Mode", "api-key"),
                ("Auth:ApiKeys:boss:Key", Key),
                ("Auth:ApiKeys:boss:Scopes", "mcp:admin"),
                ("Auth:ApiKeys:reader:Key", Reader),
                ("Auth:ApiKeys:reader:Scopes", "mcp:read"),
                .. more,
            ]
        );

    internal static async Task<HttpResponseMessage> GetAsync(TestServer server, string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1" + path);
        request.Headers.Authorization = key is null ? null : new("Bearer", key);
        return await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
    }

    private static async Task<string> GetTextAsync(TestServer server, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new("Bearer", Key);
        using var answer = await server.Http.SendAsync(request, Stop);
        return await answer.Content.ReadAsStringAsync(Stop);
    }

    private static async Task SignInAsync(TestServer server, string key)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["password"] = key });
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false })
        {
            BaseAddress = server.Url,
        };
        using var done = await http.PostAsync(new Uri("/auth/sign-in", UriKind.Relative), form, Stop);
        Assert.Equal(303, (int)done.StatusCode);
    }

    private static string TypeOf(JsonElement one) => Text(one, "type");

    private static string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;

    // Entries are written soon after what they are about.
    private static async Task<JsonElement[]> ReadAsync(
        TestServer server,
        string query,
        Func<JsonElement[], bool> isEnough
    )
    {
        JsonElement[] events = [];
        await Wait.Until(async () =>
        {
            var page = await server.GetJsonAsync("/api/v1/activity" + query);
            events = [.. page.GetProperty("activity").EnumerateArray()];
            return isEnough(events);
        });
        return events;
    }
}
