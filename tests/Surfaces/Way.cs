using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Tools;
using MinimalMcp.Tools;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// What a call gave, in the words that all surfaces share: the value, or the sentence of the failure and the surface's
/// class for it.
/// </summary>
internal sealed partial record Answer(JsonNode? Value, string? Failure, string? Class)
{
    public static Answer Of(JsonNode value) => new(value, null, null);

    public static Answer Failed(string sentence, object kind) => new(null, sentence, kind.ToString());

    /// <summary>What must be equal on all surfaces. Ids and times differ from call to call.</summary>
    public string Comparable => Changing().Replace(Failure ?? Value!.ToJsonString(), "#");

    /// <summary>The answer of an MCP surface or of function calling, from the JSON-RPC message.</summary>
    public static Answer OfRpc(JsonNode message)
    {
        if (message["error"] is { } error)
        {
            return Failed(error["message"]!.GetValue<string>(), error["code"]!.GetValue<int>());
        }

        var result = message["result"]!.AsObject();
        result.Remove("resultType"); // since 2026-07-28
        result.Remove("_meta");
        var texts = result["content"]!
            .AsArray()
            .Where(block => block!["type"]!.GetValue<string>() == "text")
            .Select(block => block!["text"]!.GetValue<string>())
            .ToArray();
        if (result["isError"]?.GetValue<bool>() is true)
        {
            return Failed(string.Join('\n', texts), "isError");
        }

        if (result["structuredContent"] is { } structured)
        {
            // The text is for hosts that do not read structuredContent: it must say the same. A preview is a sentence
            // there, and a list for programs stands in it without what wraps it, with a remark as a text of its own.
            Assert.True(
                structured["message"]?.GetValue<string>() == texts[0]
                    || (
                        JsonNode.Parse(texts[0]) is JsonArray list
                            ? structured
                                .AsObject()
                                .Any(member => member.Value is JsonArray items && items.Count == list.Count)
                                && texts.Skip(1).All(text => structured["note"]?.GetValue<string>() == text)
                            : texts.Length == 1 && JsonNode.DeepEquals(JsonNode.Parse(texts[0]), structured)
                    ),
                texts[0]
            );
            var pictures = result["content"]!
                .AsArray()
                .Where(block => block!["type"]!.GetValue<string>() != "text")
                .Select(block => block!.DeepClone())
                .ToArray();
            if (pictures.Length > 0)
            {
                structured["content"] = new JsonArray(pictures); // where REST has them
            }

            return Of(structured);
        }

        return Of(
            result["content"]!.AsArray().Count == 1 && texts is [var only]
                ? new JsonObject { ["result"] = only }
                : result
        );
    }

    [GeneratedRegex(
        @"(?<=order_|pm_|share_)[0-9a-f]+|(?<=""(placed|generated|tokenExpires)At"":"")[^""]+|"
            + @"\b[0-9a-f]{32}([0-9a-f]{32})?\b"
    )]
    private static partial Regex Changing();
}

/// <summary>A way to reach a tool.</summary>
internal sealed class Way(
    string name,
    Func<FailureKind, object> classOf,
    Func<string, string, JsonObject, Task<Answer>> call
)
{
    /// <param name="caller">
    /// Who calls: what is kept is kept per caller, so a caller of its own starts with nothing.
    /// </param>
    public Task<Answer> CallAsync(string caller, string tool, JsonObject arguments) => call(caller, tool, arguments);

    public string ClassOf(FailureKind kind) => classOf(kind).ToString()!;

    public override string ToString() => name;

    public static Way Mcp(TestServer server, string name, string version, bool session = false) =>
        new(
            name,
            _ => "isError",
            async (caller, tool, arguments) =>
            {
                var id = session
                    ? (await server.McpAsync("initialize", Hello(version), version, caller: caller)).Session
                    : null;
                var answer = await server.McpAsync(
                    "tools/call",
                    new { name = tool, arguments },
                    version,
                    session: id,
                    caller: caller
                );
                return Answer.OfRpc(JsonNode.Parse(answer.Message.GetRawText())!);
            }
        );

    public static Way Sse(TestServer server) =>
        new(
            "sse",
            _ => "isError",
            async (caller, tool, arguments) =>
            {
                await using var client = await McpClient.CreateAsync(
                    new HttpClientTransport(
                        new()
                        {
                            Endpoint = new Uri(server.Url, "/sse"),
                            TransportMode = HttpTransportMode.Sse,
                            AdditionalHeaders = new Dictionary<string, string> { [TestCaller.Header] = caller },
                        }
                    ),
                    new() { ProtocolVersion = "2024-11-05" },
                    cancellationToken: TestContext.Current.CancellationToken
                );
                var answer = await client.SendRequestAsync(
                    new JsonRpcRequest
                    {
                        Method = "tools/call",
                        Params = new JsonObject { ["name"] = tool, ["arguments"] = arguments.DeepClone() },
                    },
                    TestContext.Current.CancellationToken
                );
                return Answer.OfRpc(new JsonObject { ["result"] = answer.Result!.DeepClone() });
            }
        );

    public static Way Stdio(StdioClient client) =>
        new(
            "stdio",
            _ => "isError",
            async (_, tool, arguments) =>
                Answer.OfRpc(
                    await client.AskAsync(
                        "tools/call",
                        new() { ["name"] = tool, ["arguments"] = arguments.DeepClone() }
                    )
                )
        );

    public static Way Rest(TestServer server) =>
        new(
            "rest",
            kind => StatusOf(kind),
            async (caller, tool, arguments) =>
            {
                using var response = await server.PostAsync(
                    $"/tools/{tool}",
                    arguments.ToJsonString(),
                    headers: (TestCaller.Header, caller)
                );
                var body = JsonNode.Parse(
                    await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
                )!;
                if (response.IsSuccessStatusCode)
                {
                    return Answer.Of(body);
                }

                Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
                Assert.Equal((int)response.StatusCode, body["status"]!.GetValue<int>());
                return Answer.Failed(body["detail"]!.GetValue<string>(), (int)response.StatusCode);
            }
        );

    public static Way Functions(TestServer server) =>
        new(
            "functions",
            kind =>
                kind switch
                {
                    FailureKind.Arguments => -32602,
                    FailureKind.Unexpected => -32603,
                    _ => -32000,
                },
            async (caller, tool, arguments) =>
            {
                var request = new JsonObject
                {
                    ["jsonrpc"] = "2.0",
                    ["id"] = "f",
                    ["method"] = "tools/call",
                    ["params"] = new JsonObject { ["name"] = tool, ["arguments"] = arguments.DeepClone() },
                };
                using var response = await server.PostAsync(
                    "/api/mcp/v1/call",
                    request.ToJsonString(),
                    headers: (TestCaller.Header, caller)
                );
                var message = JsonNode.Parse(
                    await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
                )!;
                Assert.Equal((200, "f"), ((int)response.StatusCode, message["id"]!.GetValue<string>()));
                return Answer.OfRpc(message);
            }
        );

    public static object Hello(string version) =>
        new
        {
            protocolVersion = version,
            capabilities = new { },
            clientInfo = new { name = "test", version = "1" },
        };

    private static int StatusOf(FailureKind kind) =>
        kind switch
        {
            FailureKind.Arguments => 400,
            FailureKind.Refused => 403,
            FailureKind.Tool => 422,
            FailureKind.Upstream => 502,
            FailureKind.UpstreamTimeout or FailureKind.Deadline => 504,
            _ => 500,
        };
}
