using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Surfaces.Mcp;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Sessions of the revisions with a handshake: offered, never required, and nobody else's.</summary>
public sealed class SessionTests
{
    [Fact]
    public async Task An_id_is_offered_and_not_required()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var session = await server.InitializeAsync();

        Assert.Matches("^[0-9A-Za-z_-]{16}[.][0-9A-Za-z_-]{40,}$", session);
        Assert.Equal(200, (await server.McpAsync("tools/list", session: session)).Status);
        Assert.Equal(200, (await server.McpAsync("tools/list")).Status);
    }

    [Fact]
    public async Task A_deleted_or_unknown_id_is_404()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var session = await server.InitializeAsync();
        // in the SDK path, so there is a conversation to end
        Assert.Equal(200, (await server.McpAsync("prompts/list", session: session)).Status);

        Assert.Equal(200, await server.DeleteAsync(session));

        Assert.Equal(404, await server.DeleteAsync(session));
        foreach (
            var id in (string[])
                [session!, session![..^1], session.Split('.')[0], "0123456789abcdef0123456789abcdef", "x", "a.b"]
        )
        {
            Assert.Equal((404, -32001), await StatusAsync(server, id));
        }

        Assert.Equal(400, await server.DeleteAsync(null));
    }

    [Fact]
    public async Task Above_the_cap_the_oldest_idle_session_ends_and_without_one_initialize_works_without_an_id()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Mcp:MaxSessions", "2"));
        var first = await server.InitializeAsync();
        var second = await server.InitializeAsync();
        Assert.Equal(200, (await server.McpAsync("prompts/list", session: first)).Status); // used later than the second

        var third = await server.InitializeAsync();

        var sessions = server.Services.GetRequiredService<Sessions>();
        Assert.Equal((true, false, true), (sessions.IsHere(first!), sessions.IsHere(second!), sessions.IsHere(third!)));
        using var busy = await server.OpenAsync("/mcp", ("Mcp-Session-Id", first!));
        using var busyToo = await server.OpenAsync("/mcp", ("Mcp-Session-Id", third!));
        await busy.LineAsync();
        await busyToo.LineAsync();
        Assert.Null(await server.InitializeAsync());
        Assert.Equal((404, -32001), await StatusAsync(server, second!)); // there is no room for it to come back
        Assert.Equal(200, (await server.McpAsync("tools/list")).Status);
        await server.DeleteAsync(first);
        Assert.Equal((200, 0), await StatusAsync(server, second!));
        Assert.NotNull(await server.InitializeAsync());
    }

    [Fact]
    public async Task One_caller_cannot_take_the_sessions_of_others()
    {
        await using var server = TestServer.Start(
            services => services.AddSingleton<IStartupFilter, CallerFromHeader>(),
            ("Mcp:MaxSessionsPerCaller", "3")
        );
        var sessions = server.Services.GetRequiredService<Sessions>();
        var bobs = await As(server, "bob app", () => server.InitializeAsync());
        var nobodys = await As(server, "", () => server.InitializeAsync());

        var alices = new List<string>();
        await As(server, "alice app", async () =>
        {
            for (var i = 0; i < 6; i++)
            {
                alices.Add((await server.InitializeAsync())!);
            }

            Assert.Equal([false, false, false, true, true, true], alices.Select(sessions.IsHere));
            Assert.Equal([200, 200], await StatusesAsync(server, alices.Take(2))); // in the place of two others of hers
            Assert.Equal(3, alices.Count(sessions.IsHere));
            return 0;
        });
        Assert.True(sessions.IsHere(bobs!) && sessions.IsHere(nobodys!));
    }

    [Fact]
    public async Task Open_streams_of_one_caller_are_bounded_too()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Mcp:MaxSessionsPerCaller", "2"));
        using var quiet = await server.OpenAsync("/mcp", ("MCP-Protocol-Version", "2025-11-25"));
        using var sse = await server.OpenAsync("/sse");
        await quiet.LineAsync();
        await sse.LineAsync();

        using var another = await server.OpenAsync("/mcp", ("MCP-Protocol-Version", "2025-11-25"));
        using var anotherSse = await server.OpenAsync("/sse");

        Assert.Equal((429, 503), (another.Status, anotherSse.Status));
        Assert.Null(await server.InitializeAsync());
    }

    [Fact]
    public async Task Bounds_are_exact_when_many_open_at_once_and_nothing_is_kept_of_who_has_gone()
    {
        await using var server = TestServer.Start(
            services => services.AddSingleton<IStartupFilter, CallerFromHeader>(),
            ("Mcp:MaxSessionsPerCaller", "3"),
            ("Mcp:MaxSessions", "20")
        );
        var sessions = server.Services.GetRequiredService<Sessions>();
        var opened = new ConcurrentBag<(string Caller, string Session)>();

        await Parallel.ForAsync(0, 200, async (n, _) =>
        {
            var caller = $"caller{n % 10} app";
            using var answer = await server.ResponseAsync(
                "/mcp",
                Wire.Bytes(Hello("{}", "{}")),
                ("X-Test-Caller", caller)
            );
            opened.Add((caller, answer.Headers.GetValues("Mcp-Session-Id").Single()));
            Assert.InRange(sessions.Count, 1, 20);
        });

        Assert.Equal(20, sessions.Count);
        Assert.InRange(sessions.Callers, 7, 10);
        var deleted = 0;
        await Parallel.ForEachAsync(opened, async (one, _) =>
        {
            using var end = new HttpRequestMessage(HttpMethod.Delete, "/mcp");
            end.Headers.Add("X-Test-Caller", one.Caller);
            end.Headers.Add("Mcp-Session-Id", one.Session);
            using var answer = await server.Http.SendAsync(end, TestContext.Current.CancellationToken);
            Interlocked.Add(ref deleted, answer.IsSuccessStatusCode ? 1 : 0);
        });
        Assert.Equal((200, 0, 0), (deleted, sessions.Count, sessions.Callers));
    }

    [Fact]
    public async Task A_session_that_was_busy_when_room_was_made_is_the_next_to_go_when_it_is_idle()
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Mcp:MaxSessions", "2"));
        var sessions = server.Services.GetRequiredService<Sessions>();
        var first = await server.InitializeAsync();
        using (var busy = await server.OpenAsync("/mcp", ("Mcp-Session-Id", first!)))
        {
            await busy.LineAsync();
            _ = await server.InitializeAsync();
            _ = await server.InitializeAsync(); // in the place of the second
            Assert.True(sessions.IsHere(first!));
        }

        // The server learns in its own time that the stream has ended. Then two handshakes end both older sessions.
        await Wait.Until(async () =>
        {
            Assert.NotNull(await server.InitializeAsync());
            Assert.NotNull(await server.InitializeAsync());
            return !sessions.IsHere(first!);
        });
    }

    public static TheoryData<string, string> Large =>
        new()
        {
            {
                """{"name":"big","version":"1"}""",
                $$"""{"experimental":{"x":{"text":"{{new string('x', 5_000)}}"} } }"""
            },
            { """{"name":"deep","version":"1"}""", $$"""{"experimental":{"x":{{Nested(20)}} } }""" },
            { """{"name":"list","version":"1"}""", "[]" },
            { $$"""{"name":"{{new string('n', 70_000)}}","version":"1"}""", "{}" },
        };

    [Theory, MemberData(nameof(Large))]
    public async Task A_handshake_is_bounded(string client, string capabilities)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var answer = await server.SendAsync("/mcp", Wire.Bytes(Hello(client, capabilities)));

        Assert.Equal((200, -32602), (answer.Status, answer.ErrorCode));
        Assert.Contains(
            client.Length > 1000 ? "at most 65536 bytes" : "\"capabilities\"",
            answer.Error.GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
        Assert.Null(answer.Session);
        Assert.Equal(0, server.Services.GetRequiredService<Sessions>().Count);
    }

    [Theory]
    [InlineData(
        """{"name":"plain","version":"1","icons":[{"src":"data:image/png;base64,AAAA"}]}""",
        """{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html"]}},"unknown":{"a":1}}"""
    )]
    [InlineData("{}", "{}")]
    [InlineData("null", "null")]
    public async Task A_handshake_with_unknown_members_or_without_a_client_opens_a_session(
        string client,
        string capabilities
    )
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var answer = await server.SendAsync("/mcp", Wire.Bytes(Hello(client, capabilities)));

        // the SDK knows the client
        Assert.Equal(200, (await server.McpAsync("prompts/list", session: answer.Session)).Status);
    }

    [Fact]
    public async Task An_idle_session_is_forgotten_and_comes_back_when_it_is_used()
    {
        var time = new ManualTime();
        await using var server = TestServer.Start(
            services => services.AddSingleton<TimeProvider>(time),
            ("Mcp:SessionIdle", "00:10:00")
        );
        var idle = await server.InitializeAsync();
        var used = await server.InitializeAsync();
        var streaming = await server.InitializeAsync();
        using var events = await server.OpenAsync("/mcp", ("Mcp-Session-Id", streaming!));
        await events.LineAsync();

        time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(200, (await server.McpAsync("tools/list", session: used)).Status);
        time.Advance(TimeSpan.FromMinutes(6));
        time.Fire();

        // Looking does not count as using, asking over HTTP would.
        await Wait.Until(() => server.Services.GetRequiredService<Sessions>().Count == 2);
        var sessions = server.Services.GetRequiredService<Sessions>();
        Assert.Equal(
            (false, true, true),
            (sessions.IsHere(idle!), sessions.IsHere(used!), sessions.IsHere(streaming!))
        );
        Assert.Equal((200, 0), await StatusAsync(server, idle!));
        Assert.True(sessions.IsHere(idle!));
    }

    [Fact]
    public async Task A_forgotten_session_comes_back_for_its_caller_only()
    {
        var time = new ManualTime();
        await using var server = TestServer.Start(services =>
            services.AddSingleton<IStartupFilter, CallerFromHeader>().AddSingleton<TimeProvider>(time)
        );
        var session = await As(server, "alice app", () => server.InitializeAsync());
        time.Advance(TimeSpan.FromHours(1));
        time.Fire();
        var sessions = server.Services.GetRequiredService<Sessions>();
        await Wait.Until(() => sessions.Count == 0);

        foreach (var other in (string[])["bob app", "alice other", "alice", ""])
        {
            Assert.Equal([404], await As(server, other, () => StatusesAsync(server, [session!])));
        }

        Assert.Equal([200], await As(server, "alice app", () => StatusesAsync(server, [session!])));
    }

    [Fact]
    public async Task An_id_is_good_for_seven_days()
    {
        var time = new ManualTime();
        await using var server = TestServer.Start(services => services.AddSingleton<TimeProvider>(time));
        var session = await server.InitializeAsync();
        var sessions = server.Services.GetRequiredService<Sessions>();

        time.Advance(TimeSpan.FromDays(6.9));
        time.Fire();
        await Wait.Until(() => sessions.Count == 0);
        Assert.Equal((200, 0), await StatusAsync(server, session!));

        time.Advance(TimeSpan.FromDays(0.2));
        time.Fire();
        await Wait.Until(() => sessions.Count == 0);
        Assert.Equal((404, -32001), await StatusAsync(server, session!));
    }

    [Fact]
    public async Task A_handshake_too_capabilitiesfor_an_id_opens_a_session_of_this_process()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var capabilities = $$"""{"experimental":{"x":{"text":"{{new string('x', 1_000)}}"} } }""";
        var answer = await server.SendAsync("/mcp", Wire.Bytes(Hello("{}", capabilities)));

        Assert.Matches("^[0-9A-Za-z_-]{16}$", answer.Session);
        Assert.Equal((200, 0), await StatusAsync(server, answer.Session!));
        Assert.Equal(200, await server.DeleteAsync(answer.Session));
        Assert.Equal((404, -32001), await StatusAsync(server, answer.Session!));
    }

    [Fact]
    public async Task A_session_belongs_to_the_caller_who_opened_it()
    {
        await using var server = TestServer.Start(services =>
            services.AddSingleton<IStartupFilter, CallerFromHeader>()
        );
        server.Http.DefaultRequestHeaders.Add("X-Test-Caller", "alice app");
        var session = await server.InitializeAsync();
        using var sse = await server.OpenAsync("/sse");
        var endpoint = await sse.DataAsync();

        foreach (var other in (string[])["bob app", "alice other", "alice", ""])
        {
            server.Http.DefaultRequestHeaders.Remove("X-Test-Caller");
            server.Http.DefaultRequestHeaders.Add("X-Test-Caller", other);
            Assert.Equal((404, -32001), await StatusAsync(server, session!));
            Assert.Equal(404, await server.DeleteAsync(session));
            using var stream = await server.OpenAsync("/mcp", ("Mcp-Session-Id", session!));
            Assert.Equal(404, stream.Status);
            using var posted = await server.ResponseAsync(endpoint, Wire.Bytes(Wire.Ping));
            Assert.Equal(404, (int)posted.StatusCode);
        }

        server.Http.DefaultRequestHeaders.Remove("X-Test-Caller");
        server.Http.DefaultRequestHeaders.Add("X-Test-Caller", "alice app");
        Assert.Equal(200, (await server.McpAsync("tools/list", session: session)).Status);
    }

    [Fact]
    public async Task A_batch_is_answered_in_a_2025_03_26_session_and_in_no_later_one()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        var batch = Wire.Bytes(
            $$$"""[{{{Wire.Ping}}},{"jsonrpc":"2.0","method":"notifications/initialized"},"""
                + $$$"""{"jsonrpc":"2.0","id":"b","method":"prompts/get","params":"""
                + $$$"""{"name":"plan_notes","arguments":{"occasion":"data: tea"} } }]"""
        );

        var answer = await server.SendAsync(
            "/mcp",
            batch,
            ("Mcp-Session-Id", (await server.InitializeAsync("2025-03-26"))!)
        );
        Assert.Equal(200, answer.Status);
        Assert.Equal(["1", "\"b\""], answer.Message.EnumerateArray().Select(one => one.GetProperty("id").GetRawText()));
        Assert.Contains(
            "data: tea",
            answer
                .Message[1]
                .GetProperty("result")
                .GetProperty("messages")[0]
                .GetProperty("content")
                .GetProperty("text")
                .GetString(),
            StringComparison.Ordinal
        );

        var refused = await server.SendAsync(
            "/mcp",
            batch,
            ("Mcp-Session-Id", (await server.InitializeAsync("2025-06-18"))!)
        );
        Assert.Equal((400, -32600), (refused.Status, refused.ErrorCode));

        var notifications = await server.SendAsync(
            "/mcp",
            Wire.Bytes("""[{"jsonrpc":"2.0","method":"notifications/initialized"}]"""),
            ("MCP-Protocol-Version", "2025-03-26")
        );
        Assert.Equal((202, JsonValueKind.Undefined), (notifications.Status, notifications.Message.ValueKind));
    }

    private static string Hello(string client, string capabilities) =>
        $$"""{"jsonrpc":"2.0","id":1,"method":"initialize","params":"""
        + $$"""{"protocolVersion":"2025-11-25","capabilities":{{capabilities}},"clientInfo":{{client}} } }""";

    private static string Nested(int levels) =>
        string.Concat(Enumerable.Repeat("{\"x\":", levels)) + "{}" + new string('}', levels);

    private static async Task<T> As<T>(TestServer server, string caller, Func<Task<T>> act)
    {
        server.Http.DefaultRequestHeaders.Remove("X-Test-Caller");
        server.Http.DefaultRequestHeaders.Add("X-Test-Caller", caller);
        return await act();
    }

    private static async Task<List<int>> StatusesAsync(TestServer server, IEnumerable<string> sessions)
    {
        var statuses = new List<int>();
        foreach (var session in sessions)
        {
            statuses.Add((await StatusAsync(server, session)).Item1);
        }

        return statuses;
    }

    private static async Task<(int, int)> StatusAsync(TestServer server, string session)
    {
        var answer = await server.McpAsync("tools/list", session: session);
        return (answer.Status, answer.Status == 200 ? 0 : answer.ErrorCode);
    }
}
