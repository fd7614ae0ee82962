using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Hub.Remote;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Tools.Notes;

namespace MinimalMcp.Tests.Hub;

/// <summary>Servers over HTTP: registered by an operator, called by a client, and in trouble.</summary>
[Slow]
public sealed class RemoteServerTests
{
    private const string UpstreamKey = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("streamable_http", "streamableHttp", "/mcp")]
    [InlineData("http", "streamableHttp", "/mcp")]
    [InlineData("sse", "sse", "/sse")]
    public async Task A_published_server_is_listed_called_lost_and_found_again(
        string transport,
        string argument,
        string path
    )
    {
        var url = new Uri($"http://127.0.0.1:{FreePort.Find()}{path}");
        await using var hub = RegisteredServers.Start();
        long id;
        using (await EverythingAsync(url, argument))
        {
            id = await hub.AddAsync("everything", url, transport);
            await hub.BecomesAsync(id, "active");
            Assert.Contains("everything_echo", await hub.ToolsAsync());
            Assert.Equal("Echo: one", (await hub.CallAsync("everything_echo", new { message = "one" })).Text);
            var health = await hub.SendAsync("GET", $"/{id}/health");
            Assert.Equal(JsonValueKind.Null, health.GetProperty("error").ValueKind);
            Assert.True(health.GetProperty("resources_count").GetInt32() > 0);
        }

        await Wait.Until(async () =>
            (await hub.SendAsync("GET", $"/{id}")).GetProperty("reason").GetString() == "nothing listens at its address"
        );
        var lost = await hub.CallAsync("everything_echo", new { message = "two" });
        Assert.True(lost.IsError);
        Assert.Contains("'everything' is", lost.Text);
        Assert.Contains("everything_echo", await hub.ToolsAsync());

        using (await EverythingAsync(url, argument))
        {
            await hub.BecomesAsync(id, "active");
            Assert.Equal("Echo: three", (await hub.CallAsync("everything_echo", new { message = "three" })).Text);
            await hub.SendAsync("POST", $"/{id}/stop");
            Assert.DoesNotContain("everything_echo", await hub.ToolsAsync());
        }
    }

    [Theory]
    [InlineData("bearer", "token", null, "/mcp", "streamable_http")]
    [InlineData("bearer", "token", null, "/sse", "sse")]
    [InlineData("api_key", "api_key", null, "/mcp", "streamable_http")]
    [InlineData("api_key", "api_key", "X-Custom", "/mcp", "streamable_http")]
    public async Task A_credential_of_the_operator_is_sent_and_that_of_the_caller_is_not(
        string auth,
        string member,
        string? header,
        string path,
        string transport
    )
    {
        await using var upstream = StartUpstream();
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        await using var hub = RegisteredServers.Start();
        front.Fault = (http, _) =>
        {
            // Ours takes keys as bearer tokens only.
            if (http.Request.Headers.Remove(header ?? "X-API-Key", out var key))
            {
                http.Request.Headers.Authorization = "Bearer " + key;
            }

            return Task.FromResult(false);
        };
        var config = new Dictionary<string, string> { [member] = UpstreamKey };
        if (header is not null)
        {
            config["header"] = header;
        }

        var id = await hub.AddAsync("notes", new(front.Url, path), transport, auth, config);
        await hub.BecomesAsync(id, "active");
        var found = await hub.CallAsync("notes_find_notes", new { query = "oat" });
        Assert.False(found.IsError, found.Message.ToString());
        Assert.DoesNotContain(front.Requests, request => request.Line.Contains(RegisteredServers.Key));
    }

    [Theory]
    [InlineData("bearer", "token")]
    [InlineData("api_key", "api_key")]
    public async Task A_refused_credential_is_named_and_not_tried_again(string auth, string member)
    {
        await using var upstream = StartUpstream();
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        await using var hub = RegisteredServers.Start();
        var wrong = new Dictionary<string, string> { [member] = "wrong" };
        var id = await hub.AddAsync("notes", new(front.Url, "/mcp"), auth: auth, config: wrong);
        var reason = await hub.BecomesAsync(id, "error");
        Assert.Equal($"it refuses our credential (401). Check auth_config.{member} of this server.", reason);
        Assert.Single(front.Requests);

        await hub.SendAsync("PUT", $"/{id}", new { auth_type = "bearer", auth_config = new { token = UpstreamKey } });
        await hub.SendAsync("POST", $"/{id}/start");
        await hub.BecomesAsync(id, "active");
    }

    [Fact]
    public async Task A_server_that_wants_a_credential_says_so()
    {
        await using var upstream = StartUpstream();
        await using var hub = RegisteredServers.Start();
        var id = await hub.AddAsync("notes", new(upstream.Url, "/mcp"));
        Assert.Contains("set auth_type to bearer, api_key or oauth", await hub.BecomesAsync(id, "error"));
    }

    [Fact]
    public async Task A_server_without_initialize_is_asked_what_it_supports()
    {
        await using var upstream = TestServer.Start(NotesTools.Alone);
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        front.Fault = (http, body) =>
            AnswerAsync(
                http,
                body.Contains("\"initialize\""),
                400,
                """{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"""
            );
        await using var hub = RegisteredServers.Start();
        var id = await hub.AddAsync("notes", new(front.Url, "/mcp"));
        await hub.BecomesAsync(id, "active");
        Assert.Single(front.Requests, request => request.Body.Contains("\"initialize\""));
        Assert.Single(front.Requests, request => request.Body.Contains("server/discover"));
        var found = await hub.CallAsync("notes_find_notes", new { query = "oat" });
        Assert.False(found.IsError, found.Message.ToString());
    }

    [Fact]
    public async Task A_server_with_initialize_is_not_probed()
    {
        await using var upstream = TestServer.Start(NotesTools.Alone);
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        await using var hub = RegisteredServers.Start();
        var id = await hub.AddAsync("notes", new(front.Url, "/mcp"));
        await hub.BecomesAsync(id, "active");
        Assert.DoesNotContain(front.Requests, request => request.Body.Contains("server/discover"));
        Assert.Contains("2025-11-25", front.Requests.First().Body);
    }

    [Theory]
    [InlineData(404, "not found")]
    [InlineData(400, """{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"No valid session ID"}}""")]
    public async Task A_lost_session_is_opened_anew_and_the_lists_are_read_again(int status, string answer)
    {
        await using var upstream = TestServer.Start(NotesTools.Alone);
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        await using var hub = RegisteredServers.Start();
        var id = await hub.AddAsync("notes", new(front.Url, "/mcp"));
        await hub.BecomesAsync(id, "active");
        var opened = () => front.Requests.Count(request => request.Body.Contains("\"initialize\""));
        var listed = () => front.Requests.Count(request => request.Body.Contains("\"tools/list\""));
        Assert.Equal((1, 1), (opened(), listed()));

        front.Fault = (http, body) => AnswerAsync(http, body.Contains("tools/call"), status, answer);
        var lost = await hub.CallAsync("notes_find_notes", new { query = "oat" });
        Assert.Contains("its session has ended", lost.Text);
        front.Fault = (_, _) => Task.FromResult(false);
        await Wait.Until(() => opened() == 2 && listed() == 2);
        await hub.BecomesAsync(id, "active");
        Assert.False((await hub.CallAsync("notes_find_notes", new { query = "oat" })).IsError);
    }

    [Fact]
    public async Task Redirects_are_followed_within_the_origin_only()
    {
        await using var upstream = StartUpstream();
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        await using var elsewhere = await FaultyFront.StartAsync(upstream.Url);
        front.Fault = (http, _) => RedirectAsync(http, http.Request.Path == "/mcp/", "/mcp");
        await using var hub = RegisteredServers.Start();
        var config = new { token = UpstreamKey };
        var id = await hub.AddAsync("near", new(front.Url, "/mcp/"), auth: "bearer", config: config);
        await hub.BecomesAsync(id, "active");

        front.Fault = (http, _) => RedirectAsync(http, true, new Uri(elsewhere.Url, "/mcp").ToString());
        id = await hub.AddAsync("far", new(front.Url, "/mcp"), auth: "bearer", config: config);
        Assert.Contains("it answered 307, a redirect that is not followed", await hub.BecomesAsync(id, "error"));
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task Over_SSE_the_address_for_messages_is_at_the_same_origin()
    {
        await using var elsewhere = await FaultyFront.StartAsync();
        await using var front = await FaultyFront.StartAsync();
        front.Fault = async (http, _) =>
        {
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync($"event: endpoint\ndata: {elsewhere.Url}message\n\n", http.RequestAborted);
            await Task.Delay(Timeout.Infinite, http.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        };
        await using var hub = RegisteredServers.Start();
        var config = new { token = UpstreamKey };
        var id = await hub.AddAsync("far", new(front.Url, "/sse"), "sse", "bearer", config);
        Assert.Contains("messages at another origin", await hub.BecomesAsync(id, "error"));
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [InlineData("application/json", 200)]
    [InlineData("text/event-stream", 200)]
    [InlineData("application/json", 422)]
    [InlineData("text/plain", 500)]
    public async Task An_answer_that_is_too_large_is_not_read_and_the_server_lives(string type, int status)
    {
        await using var upstream = TestServer.Start(NotesTools.Alone);
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        front.Fault = async (http, body) =>
        {
            if (!body.Contains("tools/call"))
            {
                return false;
            }

            http.Response.ContentType = type;
            http.Response.StatusCode = status;
            var line = new string('x', 1000);
            while (!http.RequestAborted.IsCancellationRequested)
            {
                await http.Response.WriteAsync(
                    type != "text/event-stream" ? line : $"data: {line}\r\n",
                    http.RequestAborted
                );
            }

            return true;
        };
        await using var hub = RegisteredServers.Start(("Hub:MaxMessageBytes", "65536"));
        var id = await hub.AddAsync("notes", new(front.Url, "/mcp"));
        await hub.BecomesAsync(id, "active");
        var refused = await hub.CallAsync("notes_find_notes", new { query = "oat" });
        Assert.Contains("larger than Hub:MaxMessageBytes", refused.Text);
        await hub.BecomesAsync(id, "active");
    }

    [Fact]
    public async Task A_call_that_hangs_ends_and_the_server_lives()
    {
        await using var upstream = TestServer.Start(NotesTools.Alone);
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        front.Fault = async (http, body) =>
        {
            var hangs = body.Contains("tools/call");
            await Task.Delay(hangs ? Timeout.Infinite : 0, http.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return hangs;
        };
        await using var hub = RegisteredServers.Start(("Hub:ServerTimeout", "00:00:01"));
        var id = await hub.AddAsync("notes", new(front.Url, "/mcp"));
        await hub.BecomesAsync(id, "active");
        var late = await hub.CallAsync("notes_find_notes", new { query = "oat" });
        Assert.Contains("did not answer within 1 s (Hub:ServerTimeout, SERVER_TIMEOUT)", late.Text);
        await hub.BecomesAsync(id, "active");
    }

    [Fact]
    public async Task One_bad_entry_never_loses_a_list()
    {
        await using var upstream = TestServer.Start(NotesTools.Alone);
        await using var front = await FaultyFront.StartAsync(upstream.Url);
        const string Tools = """
            [{"name":"no_type","inputSchema":{"properties":{"a":{"type":"string"}}}},
             {"name":"no_schema"}, {"inputSchema":{}}, 7, null, {"name":5,"inputSchema":{"type":"object"}},
             {"name":"twice","name":"twice","inputSchema":{"type":"object"}},
             {"name":"bad_output","inputSchema":{"type":"object"},"outputSchema":{"type":"string"}},
             {"name":"bad_hints","inputSchema":{"type":"object"},"annotations":[1],"icons":{"a":1}}]
            """;
        front.Fault = (http, body) =>
        {
            var id = body.Length == 0 ? default : JsonElement.Parse(body);
            var list =
                body.Contains("\"tools/list\"") ? $$"""{"tools":{{Tools}}}"""
                : body.Contains("\"resources/list\"") ? """{"resources":[{"uri":1},{"uri":"a:b","name":"r"}]}"""
                : body.Contains("\"prompts/list\"") ? """{"prompts":["x",{"name":"p"}]}"""
                : null;
            return AnswerAsync(
                http,
                list is not null,
                200,
                list is null ? "" : $$"""{"jsonrpc":"2.0","id":{{id.GetProperty("id")}},"result":{{list}}}"""
            );
        };
        await using var hub = RegisteredServers.Start();
        var server = await hub.AddAsync("odd", new(front.Url, "/mcp"), restarts: 1);
        await hub.BecomesAsync(server, "active");
        var log = (await hub.SendAsync("GET", $"/{server}/logs")).GetProperty("lines").ToString();
        Assert.Contains("An entry of its tools cannot be read and is left out: 7.", log);
        Assert.Contains("An entry of its prompts cannot be read and is left out", log);
        string[] listed = ["odd_no_type", "odd_no_schema", "odd_bad_output", "odd_bad_hints"];
        Assert.Equal(listed.Order(), (await hub.ToolsAsync()).Where(tool => tool.StartsWith("odd_")).Order());
        var health = await hub.SendAsync("GET", $"/{server}/health");
        Assert.Equal(1, health.GetProperty("resources_count").GetInt32());
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("fd12::1", true)]
    [InlineData("169.254.169.254", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("64:ff9b::a9fe:a9fe", false)]
    [InlineData("fe80::1%3", false)]
    [InlineData("fd00:ec2::254", false)]
    public void Link_local_addresses_are_refused(string address, bool allowed) =>
        Assert.Equal(allowed, RemoteAddress.IsAllowed(IPAddress.Parse(address)));

    [Fact]
    public async Task A_name_is_refused_by_the_address_that_it_leads_to() =>
        await Assert.ThrowsAsync<NotPublicException>(async () =>
            await PublicAddress.ConnectAsync(new("localhost", 1), address => !IPAddress.IsLoopback(address), Stop)
        );

    [Theory]
    [InlineData("bearer", "{}", "auth_config.token is missing")]
    [InlineData("bearer", """{"token":"a\u00e9"}""", "no HTTP header may have")]
    [InlineData("api_key", "{}", "auth_config.api_key is missing")]
    [InlineData("api_key", """{"api_key":"k","in":"query"}""", "auth_config.in must be header")]
    [InlineData("api_key", """{"api_key":"k","header":"Content-Length"}""", "auth_config.header must be")]
    [InlineData("api_key", """{"api_key":"k","header":"Mcp-Session-Id"}""", "auth_config.header must be")]
    [InlineData("api_key", """{"api_key":"k","header":"a b"}""", "auth_config.header must be")]
    public async Task A_credential_that_cannot_be_sent_is_refused(string auth, string config, string why)
    {
        await using var hub = RegisteredServers.Start();
        using var refused = await hub.Server.PostAsync(
            "/api/v1/servers",
            $$"""
            {"name":"x","transport_type":"http","url":"http://a.example",
            "auth_type":"{{auth}}","auth_config":{{config}}}
            """
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains(why, await refused.Content.ReadAsStringAsync(Stop));
    }

    private static TestServer StartUpstream() =>
        TestServer.Start(NotesTools.Alone, ("Auth:Mode", "api-key"), ("Auth:ApiKey", UpstreamKey));

    private static async Task<bool> AnswerAsync(HttpContext http, bool answers, int status, string body)
    {
        if (answers)
        {
            http.Response.StatusCode = status;
            http.Response.ContentType = body.StartsWith('{') ? "application/json" : "text/plain";
            await http.Response.WriteAsync(body, http.RequestAborted);
        }

        return answers;
    }

    private static Task<bool> RedirectAsync(HttpContext http, bool redirects, string location)
    {
        if (redirects)
        {
            http.Response.StatusCode = 307;
            http.Response.Headers.Location = location;
        }

        return Task.FromResult(redirects);
    }

    private static async Task<IDisposable> EverythingAsync(Uri url, string transport)
    {
        var start = new ProcessStartInfo(
            ClientProcess.Node,
            [Needs.NodePackage("@modelcontextprotocol/server-everything/dist/index.js"), transport]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PORT"] = $"{url.Port}";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var http = new HttpClient();
        await Wait.Until(async () =>
        {
            Assert.False(process.HasExited);
            try
            {
                using var answer = await http.GetAsync(new Uri(url, "/nothing"), Stop);
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        return new Killed(process);
    }

    private sealed class Killed(Process process) : IDisposable
    {
        public void Dispose()
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
    }
}
