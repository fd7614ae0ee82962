using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;
using ModelContextProtocol.Client;

namespace MinimalMcp.Tests.Auth;

/// <summary>How a caller is told to sign in, or to ask for more; and what it gets to see before and after.</summary>
public sealed class ChallengeTests
{
    private const string Resource =
        "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";
    private const string Scopes = "scope=\"mcp:read mcp:write mcp:execute\"";

    private static readonly (string, string) Public = ("Server:PublicUrl", "https://mcp.example.com/");

    [Theory]
    [InlineData("", "Bearer " + Resource + ", " + Scopes)]
    [InlineData(
        "Bearer expired.read.x",
        "Bearer " + Resource + ", " + Scopes + ", error=\"invalid_token\", error_description=\"The token has expired.\""
    )]
    [InlineData(
        "Bearer foreign.read.x",
        "Bearer "
            + Resource
            + ", "
            + Scopes
            + ", error=\"invalid_token\", error_description=\"The token is for another audience.\""
    )]
    [InlineData(
        "Bearer wrong",
        "Bearer "
            + Resource
            + ", "
            + Scopes
            + ", error=\"invalid_token\", error_description=\"The API key is unknown or has expired.\""
    )]
    [InlineData(
        "Bearer a.b.c",
        "Bearer "
            + Resource
            + ", "
            + Scopes
            + ", error=\"invalid_token\", error_description=\"This is no access token.'''\""
    )]
    [InlineData(
        "DPoP a.b.c",
        "Bearer "
            + Resource
            + ", "
            + Scopes
            + ", error=\"invalid_token\", error_description=\"The Authorization header has the scheme 'DPoP'. Send "
            + "'Authorization: Bearer TOKEN' or 'Bearer KEY'.\""
    )]
    public async Task Without_a_good_token_the_answer_says_where_to_sign_in(string authorization, string expected)
    {
        await using var server = Modes.Start("embedded", Public);

        using var response = await server.PostAsync(
            "/mcp",
            "{}",
            headers: authorization.Length == 0 ? [] : [("Authorization", authorization)]
        );

        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal(expected, response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_key_where_keys_are_not_taken_is_told_so_and_sse_has_a_resource_of_its_own()
    {
        await using var server = Modes.Start("mixed", Public);

        using var key = await server.PostAsync("/mcp", "{}", headers: ("X-MCP-API-Key", Modes.Key));
        await using var embedded = Modes.Start("embedded", Public);
        using var sse = await embedded.Http.GetAsync(
            new Uri("/sse", UriKind.Relative),
            TestContext.Current.CancellationToken
        );

        Assert.Contains("does not accept API keys", key.Headers.WwwAuthenticate.ToString());
        Assert.Contains("oauth-protected-resource/sse\"", sse.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_server_that_only_reads_asks_for_nothing_more()
    {
        await using var server = Modes.Start("embedded", Public, ("Governance:ReadOnly", "true"));

        using var response = await server.PostAsync("/mcp", "{}");

        Assert.Contains("scope=\"mcp:read\"", response.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("/mcp/readonly", "mcp:read")]
    [InlineData("/mcp?readonly=true", "mcp:read")]
    [InlineData("/tools/get_topics?readonly=true", "mcp:read")]
    [InlineData("/mcp?profile=readonly", "mcp:read")]
    [InlineData("/mcp", "mcp:read mcp:write mcp:execute")]
    public async Task An_address_that_is_narrowed_asks_for_what_its_tools_need(string path, string scopes)
    {
        await using var server = Modes.Start("embedded", Public);

        using var response = await server.PostAsync(path, "{}");
        Assert.Contains($"scope=\"{scopes}\"", response.Headers.WwwAuthenticate.ToString());
        if (path.StartsWith("/mcp", StringComparison.Ordinal) && !path.Contains('?'))
        {
            var document = await server.GetJsonAsync("/.well-known/oauth-protected-resource" + path);
            Assert.Equal(
                scopes,
                string.Join(
                    ' ',
                    document.GetProperty("scopes_supported").EnumerateArray().Select(scope => scope.GetString())
                )
            );
        }
    }

    [Theory]
    [InlineData("embedded")]
    [InlineData("mixed")]
    [InlineData("hybrid")]
    [InlineData("oauth2")]
    public async Task A_token_in_the_address_is_a_malformed_request_and_says_so(string mode)
    {
        await using var server = Modes.Start(mode, Public);

        using var response = await server.PostAsync("/mcp?access_token=ann.read.x", "{}");

        Assert.Equal(400, (int)response.StatusCode); // RFC 6750 section 3.1
        Assert.StartsWith("Bearer resource_metadata=", response.Headers.WwwAuthenticate.ToString());
        Assert.Contains("error=\"invalid_request\"", response.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("2025-11-25", "pick_note", "mcp:read mcp:write", true)]
    [InlineData("2026-07-28", "pick_note", "mcp:read mcp:write", true)]
    [InlineData("2025-11-25", "send_picked", "mcp:read mcp:write mcp:execute", false)]
    [InlineData("2026-07-28", "share_notes", "mcp:read mcp:write mcp:execute", false)]
    public async Task A_call_without_the_scope_is_403_and_names_all_that_are_needed(
        string version,
        string tool,
        string scopes,
        bool fast
    )
    {
        await using var server = Modes.Start("embedded", Public, ("Mcp:DirectPath", fast ? "true" : "false"));
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "ann.read.x");
        using var request = CallOf(version, tool);

        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(403, (int)response.StatusCode);
        Assert.StartsWith(
            $"Bearer {Resource}, scope=\"{scopes}\", error=\"insufficient_scope\", error_description=\"{tool} needs "
                + "the scope",
            response.Headers.WwwAuthenticate.ToString()
        );
        var answer = JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(7, answer.GetProperty("id").GetInt32());
        Assert.Contains("was not granted", answer.GetProperty("error").GetProperty("message").GetString());
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "ops.admin.x");
        JsonElement[] rows;
        do
        {
            // written soon, not at once
            rows = [.. (await server.GetJsonAsync("/api/v1/audit?tool=" + tool)).GetProperty("rows").EnumerateArray()];
        } while (rows.Length == 0);

        Assert.Equal(
            ("ann", "refused: scope"),
            (rows[0].GetProperty("subject").GetString(), rows[0].GetProperty("outcome").GetString())
        );
    }

    [Fact]
    public async Task Plain_http_says_it_too_and_where_the_answer_is_not_of_http_the_result_does()
    {
        await using var server = Modes.Start("hybrid", Public);
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "ann.read.x");
        const string call =
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pick_note","arguments":"""
            + """{"code":"milk"}}}""";

        using var rest = await server.PostAsync("/tools/pick_note", """{"code":"milk"}""");
        using var function = await server.PostAsync("/api/mcp/v1/call", call);
        using var batch = await server.PostAsync("/mcp", $"[{call}]", headers: ("MCP-Protocol-Version", "2025-03-26"));
        await using var sse = await McpClient.CreateAsync(
            new HttpClientTransport(
                new()
                {
                    Endpoint = new Uri(server.Url, "/sse"),
                    TransportMode = HttpTransportMode.Sse,
                    AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer ann.read.x" },
                }
            ),
            cancellationToken: TestContext.Current.CancellationToken
        );
        var streamed = await sse.CallToolAsync(
            "pick_note",
            new Dictionary<string, object?> { ["code"] = "milk" },
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal((403, 200, 200), ((int)rest.StatusCode, (int)function.StatusCode, (int)batch.StatusCode));
        Assert.Contains("insufficient_scope", rest.Headers.WwwAuthenticate.ToString());
        Assert.Contains(
            "needs the scope mcp:write",
            await function.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        var result = JsonElement
            .Parse(await batch.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))[0]
            .GetProperty("result");
        Assert.Contains(Resource, result.GetProperty("_meta").GetProperty("mcp/www_authenticate")[0].GetString());
        Assert.True(streamed.IsError);
        Assert.Contains(
            "oauth-protected-resource/sse\"",
            streamed.Meta!["mcp/www_authenticate"]![0]!.GetValue<string>()
        );
    }

    [Theory]
    [InlineData("2025-11-25", "resources/list", 403)]
    [InlineData("2026-07-28", "resources/list", 403)]
    [InlineData("2025-11-25", "prompts/list", 403)]
    [InlineData("2025-11-25", "tools/list", 200)]
    public async Task Resources_and_prompts_are_for_those_who_may_read(string version, string method, int status)
    {
        await using var server = Modes.Start("embedded", Public);

        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "ann.other.x");
        Assert.Equal(status, (await server.McpAsync(method, version: version)).Status);
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "ann.read.x");
        Assert.Equal(200, (await server.McpAsync(method, version: version)).Status);
    }

    [Theory]
    [InlineData("api-key", Modes.Reader, "read")]
    [InlineData("api-key", Modes.Key, "execute")]
    [InlineData("embedded", "ann.read.x", "read")]
    [InlineData("embedded", "ann.write.x", "write")]
    [InlineData("embedded", "ann.execute.x", "execute")]
    [InlineData("embedded", "ann.admin.x", "execute")]
    [InlineData("embedded", "ann.other.x", "nothing")]
    [InlineData("mixed", "ann.read.x", "read")]
    [InlineData("mixed", "", "execute")] // what signing in would give
    [InlineData("none", "", "execute")]
    public async Task Lists_show_what_the_caller_may_call(string mode, string credential, string scope)
    {
        string[] reads = ["find_notes", "get_topics", "list_picked"],
            writes = [.. reads, "pick_note"];
        string[] expected = scope switch
        {
            "nothing" => [],
            "read" => reads,
            "write" => writes,
            _ => [.. writes, "send_picked", "share_notes"],
        };
        foreach (var fast in (string[])["true", "false"])
        {
            await using var server = Modes.Start(mode, ("Mcp:DirectPath", fast));
            server.Http.DefaultRequestHeaders.Authorization = credential.Length > 0 ? new("Bearer", credential) : null;

            Assert.All(
                await ToolNames.OfAsync(
                    server,
                    "/mcp",
                    "/mcp",
                    "/tools",
                    "/api/mcp/v1/tools",
                    "/mcp/notes",
                    "/tools?family=notes"
                ),
                names => Assert.Equal(expected, names)
            );
            Assert.Equal(6, (await ToolNames.OfAsync(server, "/openapi.json"))[0].Length);
            var modern = (await server.McpAsync("tools/list", version: "2026-07-28")).Result;
            Assert.Equal("private", modern.GetProperty("cacheScope").GetString());
            Assert.Equal(
                expected,
                modern.GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString())
            );
        }
    }

    [Theory]
    [InlineData(
        "embedded",
        """[{"type":"oauth2","scopes":["mcp:read"]}]""",
        """[{"type":"oauth2","scopes":["mcp:write"]}]"""
    )]
    [InlineData(
        "mixed",
        """[{"type":"noauth"},{"type":"oauth2","scopes":["mcp:read"]}]""",
        """[{"type":"oauth2","scopes":["mcp:write"]}]"""
    )]
    [InlineData("api-key", null, null)]
    [InlineData("none", null, null)]
    public async Task Each_tool_says_who_may_call_it(string mode, string? read, string? write)
    {
        foreach (
            var (fast, version) in ((string, string)[])
                [("true", "2025-11-25"), ("false", "2025-11-25"), ("true", "2026-07-28"), ("false", "2026-07-28")]
        )
        {
            await using var server = Modes.Start(mode, ("Mcp:DirectPath", fast));
            server.Http.DefaultRequestHeaders.Authorization =
                mode == "api-key" ? new("Bearer", Modes.Key) : new("Bearer", "ann.admin.x");

            var tools = (await server.McpAsync("tools/list", version: version))
                .Result.GetProperty("tools")
                .EnumerateArray()
                .ToDictionary(tool => tool.GetProperty("name").GetString()!);

            foreach (
                var (name, expected) in (ReadOnlySpan<(string, string?)>)[("find_notes", read), ("pick_note", write)]
            )
            {
                JsonElement? top = tools[name].TryGetProperty("securitySchemes", out var schemes) ? schemes : null;
                JsonElement? meta = tools[name].GetProperty("_meta").TryGetProperty("securitySchemes", out schemes)
                    ? schemes
                    : null;
                Assert.Equal((expected, expected), (top?.GetRawText(), meta?.GetRawText()));
            }
        }
    }

    [Theory]
    [InlineData("2025-11-25", "pick_note")]
    [InlineData("2026-07-28", "pick_note")]
    [InlineData("2025-11-25", "send_picked")]
    public async Task A_guest_is_told_within_the_result_to_sign_in_by_both_lanes(string version, string tool)
    {
        await using var fast = Modes.Start("mixed", Public);
        await using var full = Modes.Start("mixed", Public, ("Mcp:DirectPath", "false"));
        var parameters = new { name = tool, arguments = tool == "pick_note" ? (object)new { code = "milk" } : new { } };

        var (a, b) = (
            await fast.McpAsync("tools/call", parameters, version),
            await full.McpAsync("tools/call", parameters, version)
        );

        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse(a.Message.GetRawText()), JsonNode.Parse(b.Message.GetRawText())),
            $"{a.Message}\n{b.Message}"
        );
        Assert.Equal((200, true), (a.Status, a.IsError));
        Assert.Contains("nobody is signed in", a.Text);
        var challenge = a
            .Result.GetProperty("_meta")
            .GetProperty("mcp/www_authenticate")
            .EnumerateArray()
            .Single()
            .GetString();
        Assert.StartsWith($"Bearer {Resource}, scope=\"mcp:read mcp:write", challenge);
        Assert.Contains("error=\"insufficient_scope\", error_description=\"", challenge);
    }

    private static HttpRequestMessage CallOf(string version, string tool)
    {
        var parameters = new JsonObject
        {
            ["name"] = tool,
            ["arguments"] = tool == "pick_note" ? new JsonObject { ["code"] = "milk" } : new JsonObject(),
        };
        var request = new HttpRequestMessage(HttpMethod.Post, "/mcp");
        request.Headers.Add("MCP-Protocol-Version", version);
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        if (version == "2026-07-28")
        {
            request.Headers.Add("Mcp-Method", "tools/call");
            request.Headers.Add("Mcp-Name", tool);
            parameters["_meta"] = new JsonObject
            {
                ["io.modelcontextprotocol/protocolVersion"] = version,
                ["io.modelcontextprotocol/clientCapabilities"] = new JsonObject(),
            };
        }

        request.Content = TestServer.Json(
            new
            {
                jsonrpc = "2.0",
                id = 7,
                method = "tools/call",
                @params = parameters,
            }
        );
        return request;
    }
}
