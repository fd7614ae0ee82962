using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Parameters that are wrong, or about what is not there, are refused by name, on every way in.</summary>
public sealed class ParameterTests(ParameterTests.Server fixture) : IClassFixture<ParameterTests.Server>
{
    public sealed class Server : IAsyncDisposable
    {
        public TestServer Value { get; } = FixtureServer.Start();

        public ValueTask DisposeAsync() => Value.DisposeAsync();
    }

    private const string Prompt = "test_prompt_with_arguments";

    private readonly TestServer _server = fixture.Value;

    private static readonly Dictionary<string, (string Method, string Parameters, string Named)> Cases = new()
    {
        ["prompt without a required argument"] = (
            "prompts/get",
            $$$"""{"name":"{{{Prompt}}}","arguments":{"arg1":"a"}}""",
            "arg2"
        ),
        ["prompt without arguments"] = ("prompts/get", $$"""{"name":"{{Prompt}}"}""", "arg1"),
        ["required argument null"] = (
            "prompts/get",
            $$$"""{"name":"{{{Prompt}}}","arguments":{"arg1":null,"arg2":"b"}}""",
            "arg1"
        ),
        ["unknown argument"] = (
            "prompts/get",
            $$$"""{"name":"{{{Prompt}}}","arguments":{"arg1":"a","arg2":"b","arg3":"c"}}""",
            "arg3"
        ),
        ["argument as a number"] = (
            "prompts/get",
            $$$"""{"name":"{{{Prompt}}}","arguments":{"arg1":1,"arg2":"b"}}""",
            "arg1"
        ),
        ["argument of a prompt that has none"] = (
            "prompts/get",
            """{"name":"test_simple_prompt","arguments":{"x":"y"}}""",
            "\"x\""
        ),
        ["unknown prompt"] = ("prompts/get", """{"name":"no_such_prompt"}""", "no_such_prompt"),
        ["unknown level"] = ("logging/setLevel", """{"level":"loud"}""", "level"),
        ["level in capitals"] = ("logging/setLevel", """{"level":"INFO"}""", "level"),
        ["no level"] = ("logging/setLevel", "{}", "level"),
        ["completion of an unknown prompt"] = (
            "completion/complete",
            """{"ref":{"type":"ref/prompt","name":"none"},"argument":{"name":"a","value":""}}""",
            "ref.name"
        ),
        ["completion of an unknown argument"] = (
            "completion/complete",
            $$$"""{"ref":{"type":"ref/prompt","name":"{{{Prompt}}}"},"argument":{"name":"arg9","value":""}}""",
            "arg9"
        ),
        ["completion of an unknown resource"] = (
            "completion/complete",
            """{"ref":{"type":"ref/resource","uri":"test://no/{x}"},"argument":{"name":"x","value":""}}""",
            "ref.uri"
        ),
        ["completion of an unknown type"] = (
            "completion/complete",
            """{"ref":{"type":"ref/tool","name":"x"},"argument":{"name":"x","value":""}}""",
            "ref.type"
        ),
        ["completion without a value"] = (
            "completion/complete",
            $$$"""{"ref":{"type":"ref/prompt","name":"{{{Prompt}}}"},"argument":{"name":"arg1"}}""",
            "value"
        ),
        ["subscription to what is not there"] = (
            "resources/subscribe",
            """{"uri":"test://no-such"}""",
            "test://no-such"
        ),
        ["unsubscription from what is not there"] = (
            "resources/unsubscribe",
            """{"uri":"test://no-such"}""",
            "test://no-such"
        ),
        ["no uri"] = ("resources/subscribe", "{}", "uri"),
        ["cursor of resources"] = ("resources/list", """{"cursor":"x"}""", "cursor"),
        ["cursor of templates"] = ("resources/templates/list", """{"cursor":"x"}""", "cursor"),
        ["cursor of prompts"] = ("prompts/list", """{"cursor":"x"}""", "cursor"),
        ["cursor of tools"] = ("tools/list", """{"cursor":"x"}""", "cursor"),
        ["cursor as a number"] = ("prompts/list", """{"cursor":1}""", "cursor"),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Is_refused_by_name_on_every_way_in(string name)
    {
        var (method, parameters, named) = Cases[name];
        var message = $$"""{"jsonrpc":"2.0","id":7,"method":"{{method}}","params":{{parameters}}}""";
        var session = await _server.InitializeAsync();
        foreach (
            var answer in (McpAnswer[])
                [
                    await _server.McpAsync(method, JsonNode.Parse(parameters), id: 7),
                    await _server.McpAsync(method, JsonNode.Parse(parameters), id: 7, session: session),
                    await _server.McpAsync(method, JsonNode.Parse(parameters), id: 7, accept: "application/json"),
                    await _server.SendAsync("/api/mcp/v1/call", Wire.Bytes(message)),
                ]
        )
        {
            AssertNamed(
                answer.Message.ToString(),
                7,
                answer.ErrorCode,
                answer.Error.GetProperty("message").GetString()!
            );
        }

        // which 2026-07-28 has not
        if (method is not ("logging/setLevel" or "resources/subscribe" or "resources/unsubscribe"))
        {
            var modern = await _server.McpAsync(method, JsonNode.Parse(parameters), "2026-07-28", id: 7);
            AssertNamed(
                modern.Message.ToString(),
                7,
                modern.ErrorCode,
                modern.Error.GetProperty("message").GetString()!
            );
        }

        using var events = await _server.OpenAsync("/sse");
        using var accepted = await _server.ResponseAsync(await events.DataAsync(), Wire.Bytes(message));
        var error = (await events.MessageAsync()).GetProperty("error");
        AssertNamed("over SSE", 7, error.GetProperty("code").GetInt32(), error.GetProperty("message").GetString()!);

        void AssertNamed(string whole, int id, int code, string text)
        {
            Assert.True(code == -32602, whole);
            Assert.Contains(named, text, StringComparison.Ordinal);
            Assert.Equal(7, id);
        }
    }

    [Fact]
    public async Task Logging_is_not_offered_and_setLevel_is_no_method()
    {
        await using var server = TestServer.Start();
        foreach (var version in (string[])["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
        {
            var client = new { name = "t", version = "1" };
            var hello = new
            {
                protocolVersion = version,
                capabilities = new { },
                clientInfo = client,
            };
            AssertNotOffered(await server.McpAsync("initialize", hello, version));
            AssertNoMethod(200, await server.McpAsync("logging/setLevel", new { level = "info" }, version));
        }

        AssertNotOffered(await server.McpAsync("server/discover", version: "2026-07-28"));
        AssertNoMethod(404, await server.McpAsync("logging/setLevel", new { level = "info" }, "2026-07-28"));
        var session = await server.InitializeAsync();
        AssertNoMethod(200, await server.McpAsync("logging/setLevel", new { level = "loud" }, session: session));

        static void AssertNotOffered(McpAnswer answer)
        {
            var offered = answer.Result.GetProperty("capabilities");
            Assert.True(offered.TryGetProperty("tools", out _), $"{offered}");
            Assert.False(offered.TryGetProperty("logging", out _), $"{offered}");
        }

        static void AssertNoMethod(int status, McpAnswer answer) =>
            Assert.Equal((status, -32601), (answer.Status, answer.ErrorCode));
    }

    [Fact]
    public async Task What_is_there_is_served()
    {
        var session = await _server.InitializeAsync();
        foreach (
            var (method, parameters) in ((string, string)[])
                [
                    ("prompts/get", $$$"""{"name":"{{{Prompt}}}","arguments":{"arg1":"a","arg2":"b"}}"""),
                    ("prompts/list", """{"cursor":null}"""),
                    ("logging/setLevel", """{"level":"warning"}"""),
                    (
                        "completion/complete",
                        $$$"""{"ref":{"type":"ref/prompt","name":"{{{Prompt}}}"},"argument":"""
                            + $$$"""{"name":"arg1","value":"p"}}"""
                    ),
                    (
                        "completion/complete",
                        """{"ref":{"type":"ref/resource","uri":"test://template/{id}/data"},"argument":"""
                            + """{"name":"id","value":""}}"""
                    ),
                    ("resources/subscribe", """{"uri":"test://watched-resource"}"""),
                    ("resources/subscribe", """{"uri":"test://template/7/data"}"""),
                    ("resources/unsubscribe", """{"uri":"test://watched-resource"}"""),
                ]
        )
        {
            var answer = await _server.McpAsync(method, JsonNode.Parse(parameters), session: session);
            Assert.True(answer.Message.TryGetProperty("result", out _), $"{method}: {answer.Message}");
        }
    }
}
