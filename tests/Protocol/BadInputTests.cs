using System.Text;

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
        var body = Encoding.ASCII.GetBytes($$$"""{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"{{{new string('x', 5 << 20)}}}"}}""");
        using var response = await _server.ResponseAsync(path, body);

        Assert.Equal(413, (int)response.StatusCode);
        Assert.Contains("too large", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await AssertAliveAsync();
    }

    [Theory]
    [InlineData("Content-Type", "text/plain", 415)]
    [InlineData("Content-Type", "application/x-www-form-urlencoded", 415)]
    [InlineData("Content-Type", "application/json; charset=utf-8", 200)]
    [InlineData("Content-Encoding", "gzip", 415)]
    [InlineData("Accept", "text/html", 406)]
    [InlineData("Accept", "application/json", 406)]
    [InlineData("Accept", "text/event-stream, application/json", 200)]
    [InlineData("Accept", "*/*", 200)]
    [InlineData("X-Nothing", "no Accept at all", 200)]
    public async Task Media_types_are_checked(string header, string value, int status)
    {
        var answer = await _server.SendAsync("/mcp", Wire.Bytes(Wire.Ping), (header, value));
        Assert.Equal(status, answer.Status);
        Assert.True(status == 200 ? answer.Result.ValueKind is System.Text.Json.JsonValueKind.Object : answer.ErrorCode == -32600);
    }

    [Theory, InlineData("Content-Type", "text/plain"), InlineData("Content-Encoding", "gzip")]
    public async Task Media_types_are_checked_where_sse_clients_post(string header, string value)
    {
        using var events = await _server.OpenAsync("/sse");
        using var response = await _server.ResponseAsync(await events.DataAsync(), Wire.Bytes(Wire.Ping), (header, value));
        Assert.Equal(415, (int)response.StatusCode);
    }

    [Fact]
    public async Task Each_bad_message_of_a_batch_gets_its_error()
    {
        var answer = await _server.SendAsync("/mcp", Wire.Bytes($$"""[1,{"jsonrpc":"2.0","id":2,"method":"initialize"},{{Wire.Ping}}]"""), ("MCP-Protocol-Version", "2025-03-26"));

        Assert.Equal([-32600, -32600, 0], answer.Message.EnumerateArray().Select(one => one.TryGetProperty("error", out var error) ? error.GetProperty("code").GetInt32() : 0));
    }

    [Theory, InlineData("[]"), InlineData("101 pings")]
    public async Task A_batch_has_1_to_100_messages(string body)
    {
        var answer = await _server.SendAsync("/mcp", Wire.Bytes(body == "[]" ? body : $"[{string.Join(',', Enumerable.Repeat(Wire.Ping, 101))}]"), ("MCP-Protocol-Version", "2025-03-26"));
        Assert.Equal((400, -32600), (answer.Status, answer.ErrorCode));
    }

    private async Task AssertAliveAsync() => Assert.Equal(3, (await _server.McpAsync("tools/call", new { name = "get_topics", arguments = new { } })).Result.GetProperty("structuredContent").GetProperty("topics").GetArrayLength());
}
