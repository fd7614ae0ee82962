using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Whatever is sent gets a clear JSON-RPC error, and the server goes on.</summary>
public sealed class BadInputTests(BadInputTests.Server fixture) : IClassFixture<BadInputTests.Server>
{
    public sealed class Server : IAsyncDisposable
    {
        public TestServer Value { get; } = new Gate().Serve();

        public ValueTask DisposeAsync() => Value.DisposeAsync();
    }

    private readonly TestServer _server = fixture.Value;

    [Theory, MemberData(nameof(BadMessages.Names), MemberType = typeof(BadMessages))]
    public async Task Is_refused_over_http(string name)
    {
        var (code, body) = BadMessages.All[name];
        var answer = await _server.SendAsync("/mcp", Wire.Bytes(body));

        Assert.Equal(code, answer.ErrorCode);
        Assert.NotEmpty(answer.Error.GetProperty("message").GetString()!);
        Assert.Contains(answer.Status, (int[])[200, 400]);
        await AssertAliveAsync();
    }

    [Theory, MemberData(nameof(BadMessages.Names), MemberType = typeof(BadMessages))]
    public async Task Is_refused_by_function_calling(string name)
    {
        var (code, body) = BadMessages.All[name];
        var answer = await _server.SendAsync("/api/mcp/v1/call", Wire.Bytes(body));

        Assert.Equal(code, answer.ErrorCode);
        Assert.Equal(code == -32700 ? 400 : 200, answer.Status);
        await AssertAliveAsync();
    }

    [Fact]
    public async Task Is_refused_over_sse()
    {
        using var events = await _server.OpenAsync("/sse");
        var endpoint = await events.DataAsync();
        foreach (var (name, (code, body)) in BadMessages.All)
        {
            using var accepted = await _server.ResponseAsync(endpoint, Wire.Bytes(body));
            Assert.Equal(202, (int)accepted.StatusCode);
            var answer = await events.MessageAsync();
            Assert.True(code == answer.GetProperty("error").GetProperty("code").GetInt32(), $"{name}: {answer}");
        }

        using var good = await _server.ResponseAsync(endpoint, Wire.Bytes(Wire.Ping));
        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{}}""", await events.DataAsync());
    }

    [Fact]
    public async Task An_empty_body_is_a_parse_error()
    {
        foreach (var path in (string[])["/mcp", "/api/mcp/v1/call"])
        {
            var answer = await _server.SendAsync(path, []);
            Assert.Equal((400, -32700), (answer.Status, answer.ErrorCode));
        }
    }

    [Theory, InlineData("/mcp"), InlineData("/api/mcp/v1/call"), InlineData("/tools/find_notes")]
    public async Task Five_megabytes_are_413(string path)
    {
        var body = Encoding.ASCII.GetBytes(
            $$$"""{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"{{{new string('x', 5 << 20)}}}"}}"""
        );
        using var response = await _server.ResponseAsync(path, body);

        Assert.Equal(413, (int)response.StatusCode);
        Assert.Contains(
            "too large",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
        await AssertAliveAsync();
    }

    [Theory]
    [InlineData("Content-Type", "text/plain", 415)]
    [InlineData("Content-Type", "application/x-www-form-urlencoded", 415)]
    [InlineData("Content-Type", "application/json; charset=utf-8", 200)]
    [InlineData("Content-Encoding", "gzip", 415)]
    [InlineData("Accept", "text/html", 406)]
    [InlineData("Accept", "text/event-stream", 406)]
    [InlineData("Accept", "application/json", 200)]
    [InlineData("Accept", "application/*", 200)]
    [InlineData("Accept", "application/json;q=0.9, text/html", 200)]
    [InlineData("Accept", "text/event-stream, application/json", 200)]
    [InlineData("Accept", "*/*", 200)]
    [InlineData("X-Nothing", "no Accept at all", 200)]
    public async Task Media_types_are_checked(string header, string value, int status)
    {
        var answer = await _server.SendAsync("/mcp", Wire.Bytes(Wire.Ping), (header, value));
        Assert.Equal(status, answer.Status);
        Assert.True(status == 200 ? answer.Result.ValueKind is JsonValueKind.Object : answer.ErrorCode == -32600);
    }

    [Theory]
    [InlineData("2025-11-25", false)]
    [InlineData("2025-11-25", true)]
    [InlineData("2026-07-28", false)]
    public async Task A_client_that_accepts_JSON_only_gets_JSON_from_both_paths(string version, bool inSession)
    {
        var session = inSession ? await _server.InitializeAsync() : null;
        foreach (
            var (method, parameters, code) in ((string, string, int)[])
                [
                    ("tools/list", "{}", 0),
                    ("prompts/list", "{}", 0),
                    ("resources/read", """{"uri":"notes://all"}""", 0),
                    ("tools/call", """{"name":"wait_in_conversation","arguments":{"no_such":1}}""", 0),
                    ("prompts/get", """{"name":"nothing"}""", -32602),
                    ("no/such", "{}", -32601),
                ]
        )
        {
            var both = await _server.McpAsync(method, JsonNode.Parse(parameters), version, session: session);
            var json = await _server.McpAsync(
                method,
                JsonNode.Parse(parameters),
                version,
                session: session,
                accept: "application/json"
            );

            Assert.Equal("application/json", json.ContentType);
            Assert.Equal(both.Status, json.Status);
            Assert.Equal(code, json.Message.TryGetProperty("error", out _) ? json.ErrorCode : 0);
            Assert.True(JsonElement.DeepEquals(both.Message, json.Message), $"{both.Message}\n{json.Message}");
        }
    }

    [Fact]
    public async Task Only_what_cannot_do_without_a_stream_is_not_acceptable_to_a_client_of_JSON()
    {
        var wanted = new { notifications = new { toolsListChanged = true } };
        var answer = await _server.McpAsync(
            "subscriptions/listen",
            wanted,
            "2026-07-28",
            accept: "application/json",
            id: "s"
        );

        Assert.Equal((406, -32600), (answer.Status, answer.ErrorCode));
        Assert.Equal("s", answer.Message.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("/mcp/no-such", "2025-11-25", null, 404)]
    [InlineData("/mcp?profile=no-such", "2026-07-28", null, 404)]
    [InlineData("/mcp", "2025-11-25", "0123456789abcdef0123456789abcdef", 404)]
    [InlineData("/mcp", "2030-01-01", null, 400)]
    public async Task An_error_has_the_id_of_its_request(string path, string version, string? session, int status)
    {
        var answer = await _server.McpAsync("tools/list", version: version, path: path, session: session, id: "mine");
        Assert.Equal((status, "mine"), (answer.Status, answer.Message.GetProperty("id").GetString()));
    }

    [Theory, InlineData("Content-Type", "text/plain"), InlineData("Content-Encoding", "gzip")]
    public async Task Media_types_are_checked_where_sse_clients_post(string header, string value)
    {
        using var events = await _server.OpenAsync("/sse");
        using var response = await _server.ResponseAsync(
            await events.DataAsync(),
            Wire.Bytes(Wire.Ping),
            (header, value)
        );
        Assert.Equal(415, (int)response.StatusCode);
    }

    [Fact]
    public async Task Each_bad_message_of_a_batch_gets_its_error()
    {
        var answer = await _server.SendAsync(
            "/mcp",
            Wire.Bytes($$"""[1,{"jsonrpc":"2.0","id":2,"method":"initialize"},{{Wire.Ping}}]"""),
            ("MCP-Protocol-Version", "2025-03-26")
        );

        Assert.Equal(
            [-32600, -32600, 0],
            answer
                .Message.EnumerateArray()
                .Select(one => one.TryGetProperty("error", out var error) ? error.GetProperty("code").GetInt32() : 0)
        );
    }

    [Theory, InlineData("[]"), InlineData("101 pings")]
    public async Task A_batch_has_1_to_100_messages(string body)
    {
        var answer = await _server.SendAsync(
            "/mcp",
            Wire.Bytes(body == "[]" ? body : $"[{string.Join(',', Enumerable.Repeat(Wire.Ping, 101))}]"),
            ("MCP-Protocol-Version", "2025-03-26")
        );
        Assert.Equal((400, -32600), (answer.Status, answer.ErrorCode));
    }

    private async Task AssertAliveAsync() =>
        Assert.Equal(
            3,
            (await _server.McpAsync("tools/call", new { name = "get_topics", arguments = new { } }))
                .Result.GetProperty("structuredContent")
                .GetProperty("topics")
                .GetArrayLength()
        );
}
