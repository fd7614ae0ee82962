using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Monitoring;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Governance;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>Sessions, and callers without one, as <c>/api/v1/sessions</c> shows them.</summary>
public sealed class SessionListTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_is_listed_with_its_client_and_calls_and_ends_for_good()
    {
        await using var server = GovernedTools.Start(new GovernedTools());
        var session = await InitializeAsync(server, "openai-mcp", "1.0.0");
        var name = session.Split('.')[0];
        for (var i = 0; i < 3; i++)
        {
            await server.McpAsync("tools/call", new { name = "look", arguments = new { } }, session: session);
        }

        await server.McpAsync("tools/list", session: session);
        var listed = Assert.Single(await ReadAsync(server));
        Assert.Equal(name, Text(listed, "id"));
        Assert.DoesNotContain(session, listed.GetRawText()); // the whole id opens the session
        Assert.Equal("""{"name":"openai-mcp","version":"1.0.0"}""", listed.GetProperty("client_info").GetRawText());
        Assert.Equal(
            ("chatgpt", "local", "2025-11-25", "http"),
            (Text(listed, "client_type"), Text(listed, "user"), Text(listed, "revision"), Text(listed, "surface"))
        );
        Assert.Equal(3, listed.GetProperty("calls").GetInt64());
        Assert.True(listed.GetProperty("is_active").GetBoolean());
        Assert.Empty(listed.GetProperty("connected_servers").EnumerateArray());
        Assert.True(
            listed.GetProperty("created_at").GetDateTimeOffset()
                <= listed.GetProperty("last_activity").GetDateTimeOffset()
        );

        Assert.Equal(404, await EndAsync(server, "nobody"));
        Assert.Equal(200, await EndAsync(server, name));
        Assert.Empty(await ReadAsync(server));
        Assert.Equal(404, (await server.McpAsync("tools/list", session: session)).Status);
        Assert.Equal(404, await EndAsync(server, name));

        JsonElement[] events = [];
        await Wait.Until(async () =>
        {
            var page = await server.GetJsonAsync("/api/v1/activity");
            events = [.. page.GetProperty("activity").EnumerateArray().Where(one => Text(one, "type")[0] == 's')];
            return events.Length == 2;
        });
        Assert.Equal(["session_ended", "session_created"], events.Select(one => Text(one, "type")));
        Assert.Equal("ended by an operator", Text(events[0], "description"));
        Assert.Equal("Session opened by openai-mcp 1.0.0", Text(events[1], "title"));
        Assert.All(events, one => Assert.Equal(name, Text(one.GetProperty("metadata"), "session")));
    }

    [Fact]
    public async Task A_page_of_another_origin_ends_nothing()
    {
        await using var server = GovernedTools.Start(new GovernedTools());
        var name = (await InitializeAsync(server, "client", "1")).Split('.')[0];
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/sessions/{name}");
        request.Headers.Add("Origin", "https://evil.example");
        using var answer = await server.Http.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Single(await ReadAsync(server));
    }

    [Fact]
    public async Task A_session_that_its_client_ends_or_that_is_idle_is_noted_and_gone()
    {
        await using var server = GovernedTools.Start(new GovernedTools(), ("Mcp:SessionIdle", "00:00:00.2"));
        var ended = await InitializeAsync(server, "ends", "1");
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/mcp");
        request.Headers.Add("Mcp-Session-Id", ended);
        (await server.Http.SendAsync(request, Stop)).Dispose();
        await InitializeAsync(server, "idles", "1");
        await Wait.Until(async () => (await ReadAsync(server)).Length == 0);
        var reasons = new Dictionary<string, string>();
        await Wait.Until(async () =>
        {
            var page = await server.GetJsonAsync("/api/v1/activity?type=session_ended");
            foreach (var one in page.GetProperty("activity").EnumerateArray())
            {
                reasons[Text(one, "title")] = Text(one, "description");
            }

            return reasons.Count == 2;
        });
        Assert.Equal("ended by its client", reasons["Session of ends 1 ended"]);
        Assert.Equal("idle", reasons["Session of idles 1 ended"]);
    }

    [Fact]
    public async Task Callers_without_a_session_are_listed_for_half_an_hour()
    {
        var time = new ShiftedTime();
        await using var server = GovernedTools.Start(new GovernedTools(), services =>
            services.AddSingleton<TimeProvider>(time)
        );
        var call = new { name = "look", arguments = new { } };
        await server.McpAsync("tools/call", call, version: "2026-07-28", caller: "ann");
        await server.McpAsync("tools/call", call, version: "2026-07-28", caller: "ann");
        (await server.PostAsync("/tools/look", "{}", headers: ("openai-conversation-id", "c1"))).Dispose();

        var listed = await ReadAsync(server);
        var ann = listed.Single(one => Text(one, "user") == "ann");
        Assert.Equal(
            ("http", "2026-07-28", "oauth", 2, true),
            (
                Text(ann, "surface"),
                Text(ann, "revision"),
                Text(ann, "client_type"),
                ann.GetProperty("calls").GetInt32(),
                ann.GetProperty("is_active").GetBoolean()
            )
        );
        var action = listed.Single(one => Text(one, "user") == "local");
        Assert.Equal(("rest", "chatgpt"), (Text(action, "surface"), Text(action, "client_type")));
        Assert.Equal(404, await EndAsync(server, Text(ann, "id")));

        time.Advance(TimeSpan.FromMinutes(10));
        Assert.All(await ReadAsync(server), one => Assert.False(one.GetProperty("is_active").GetBoolean()));
        time.Advance(TimeSpan.FromMinutes(21));
        Assert.Empty(await ReadAsync(server));
    }

    [Fact]
    public async Task A_caller_with_a_key_is_one()
    {
        await using var server = ActivityTests.Keyed();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/tools/search_products");
        request.Headers.Authorization = new("Bearer", "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga");
        request.Content = TestServer.Json(new { query = "milk" });
        (await server.Http.SendAsync(request, Stop)).Dispose();
        using var answer = await ActivityTests.GetAsync(server, "/sessions", "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa");
        var listed = JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop)).EnumerateArray().Single();
        Assert.Equal(("reader", "api_key"), (Text(listed, "user"), Text(listed, "client_type")));
    }

    [Fact]
    public void Of_too_many_callers_the_oldest_go()
    {
        var time = new ShiftedTime();
        var callers = new RecentCallers(time);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var policy = new ToolPolicy(Effect.Read, RiskLevel.Low, ToolPolicy.DefaultDeadline);
        for (var i = 0; i < RecentCallers.Most + 5_000; i++)
        {
            // Each revision is a caller of its own; the real ones are few.
            var call = new ToolCall("http", default) { ProtocolVersion = $"v{i}" };
            callers.Seen(new EndedCall("look", policy, call, "ok", now + i, 1));
            Assert.True(i % 1_000 != 0 || callers.Read().Count <= RecentCallers.Most);
        }

        var kept = callers.Read();
        Assert.InRange(kept.Count, RecentCallers.Most * 8 / 10, RecentCallers.Most);
        Assert.Contains(kept, caller => caller.Last == now + RecentCallers.Most + 4_999);
        Assert.DoesNotContain(kept, caller => caller.Last == now);
        Assert.Equal(Caller.Local, kept[0].Caller);
    }

    private static async Task<string> InitializeAsync(TestServer server, string name, string version) =>
        (
            await server.McpAsync(
                "initialize",
                new
                {
                    protocolVersion = "2025-11-25",
                    capabilities = new { },
                    clientInfo = new { name, version },
                }
            )
        ).Session!;

    private static async Task<JsonElement[]> ReadAsync(TestServer server) =>
        [.. (await server.GetJsonAsync("/api/v1/sessions")).EnumerateArray()];

    private static async Task<int> EndAsync(TestServer server, string id)
    {
        using var answer = await server.Http.DeleteAsync(new Uri($"/api/v1/sessions/{id}", UriKind.Relative), Stop);
        return (int)answer.StatusCode;
    }

    private static string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;
}
