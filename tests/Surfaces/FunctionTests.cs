using System.Text.Json;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// The endpoint that executes what a model chose, as scripts use it: HTTP 200, and "error" in the answer when it
/// failed.
/// </summary>
public sealed class FunctionTests
{
    [Fact]
    public async Task The_list_has_what_guides_read_without_looking()
    {
        await using var server = TestServer.Start(FixtureTools.WithNotes);

        var list = await server.GetJsonAsync("/api/mcp/v1/tools");

        var tools = list.GetProperty("tools").EnumerateArray().ToArray();
        Assert.Equal(list.GetProperty("count").GetInt32(), tools.Length);
        Assert.All(tools, tool =>
        {
            Assert.Equal(["name", "description", "inputSchema"], tool.EnumerateObject().Select(member => member.Name));
            Assert.Equal(JsonValueKind.Object, tool.GetProperty("inputSchema").GetProperty("properties").ValueKind);
            Assert.Equal(JsonValueKind.Array, tool.GetProperty("inputSchema").GetProperty("required").ValueKind);
        });
    }

    [Theory]
    [InlineData("?format=claude", 400, "openai-responses")]
    [InlineData("?profile=none", 404, "notes")]
    public async Task An_unknown_format_or_profile_is_refused_with_the_known_ones(string query, int status, string part)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var response = await server.Http.GetAsync(
            new Uri("/api/mcp/v1/tools" + query, UriKind.Relative),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(part, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("\"call_1\"")]
    [InlineData("\"ü \\\" \\u0041\"")]
    [InlineData("0")]
    [InlineData("-7")]
    [InlineData("9007199254740993")]
    public async Task The_id_comes_back_with_a_result_and_with_an_error(string id)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var (_, good) = await CallAsync(server, Request("{}"));
        var (_, bad) = await CallAsync(server, Request("""{"x":1}"""));

        Assert.True(good.TryGetProperty("result", out _) && bad.TryGetProperty("error", out _));
        Assert.True(
            JsonElement.DeepEquals(JsonElement.Parse(id), good.GetProperty("id"))
                && JsonElement.DeepEquals(JsonElement.Parse(id), bad.GetProperty("id")),
            bad.ToString()
        );

        string Request(string arguments) =>
            $$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"tools/call","params":{"name":"get_topics","arguments":"""
            + $$$"""{{{arguments}}} } }""";
    }

    [Fact]
    public async Task The_text_of_a_result_is_JSON()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var (_, answer) = await CallAsync(
            server,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_notes","arguments":"""
                + """{"query":"bagels"}}}"""
        );

        var text = answer.GetProperty("result").GetProperty("content")[0].GetProperty("text").GetString()!;
        Assert.Equal("bagels", JsonElement.Parse(text).GetProperty("notes")[0].GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("", 400, -32700)]
    [InlineData("{", 400, -32700)]
    [InlineData("name=find_notes", 400, -32700)]
    [InlineData("\"\\uD800", 400, -32700)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}""", 400, -32700)]
    [InlineData("[]", 200, -32600)]
    [InlineData("7", 200, -32600)]
    [InlineData("{}", 200, -32600)]
    [InlineData("""{"jsonrpc":"2.0","method":"ping"}""", 200, -32600)]
    [InlineData("""{"jsonrpc":"2.0","method":"tools/call","params":{"name":"get_topics"}}""", 200, -32600)]
    [InlineData("""{"jsonrpc":"1.0","id":1,"method":"ping"}""", 200, -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":null,"method":"ping"}""", 200, -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""", 200, -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/run"}""", 200, -32601)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}""", 200, -32602)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}""", 200, -32602)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call"}""", 200, -32602)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"notes://none"}}""", 200, -32002)]
    [InlineData(
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topics","arguments":[]}}""",
        200,
        -32602
    )]
    public async Task What_cannot_be_served_is_an_error_with_a_code_and_a_reason(string body, int status, int code)
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        var (got, answer) = await CallAsync(server, body);

        var error = answer.GetProperty("error");
        Assert.Equal((status, code), (got, error.GetProperty("code").GetInt32()));
        Assert.True(error.GetProperty("message").GetString()!.Length > 10, answer.ToString());
    }

    [Fact]
    public async Task Another_content_type_is_415()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        using var response = await server.PostAsync(
            "/api/mcp/v1/call",
            """{"jsonrpc":"2.0","id":1,"method":"ping"}""",
            "text/plain"
        );

        Assert.Equal(415, (int)response.StatusCode);
    }

    [Fact]
    public async Task Ping_lists_and_resources_are_served_as_over_MCP()
    {
        await using var server = TestServer.Start(NotesTools.Alone);

        foreach (
            var (method, parameters) in new (string, object)[]
            {
                ("ping", new { }),
                ("tools/list", new { }),
                ("resources/list", new { }),
                ("resources/templates/list", new { }),
                ("prompts/list", new { }),
                ("resources/read", new { uri = "notes://all" }),
            }
        )
        {
            var (_, answer) = await CallAsync(
                server,
                JsonSerializer.Serialize(
                    new
                    {
                        jsonrpc = "2.0",
                        id = 1,
                        method,
                        @params = parameters,
                    }
                )
            );

            Assert.True(
                JsonElement.DeepEquals(
                    (await server.McpAsync(method, parameters)).Result,
                    answer.GetProperty("result")
                ),
                answer.ToString()
            );
        }
    }

    [Fact]
    public async Task A_call_ends_before_clients_of_this_surface_give_up_and_other_surfaces_wait_on()
    {
        await using var server = TestServer.Start(
            FixtureTools.AddTo,
            ("Tools:FunctionCallingDeadline", "00:00:00.05"),
            ("Tools:Deadlines:slow", "00:00:00.2")
        );

        var (_, answer) = await CallAsync(
            server,
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","arguments":{}}}"""
        );
        using var rest = await server.PostAsync("/tools/slow", "{}");

        Assert.Contains("within 0.1 seconds", answer.GetProperty("error").GetProperty("message").GetString());
        Assert.Contains(
            "within 0.2 seconds",
            await rest.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    private static async Task<(int Status, JsonElement Answer)> CallAsync(TestServer server, string body)
    {
        using var response = await server.PostAsync("/api/mcp/v1/call", body);
        return (
            (int)response.StatusCode,
            JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
        );
    }
}
