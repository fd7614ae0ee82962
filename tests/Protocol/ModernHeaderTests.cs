using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Conformance;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Protocol;

/// <summary>2026-07-28: header and body say the same, or the request is refused before anything happens.</summary>
public sealed class ModernHeaderTests
{
    private const string VersionKey = "io.modelcontextprotocol/protocolVersion";
    private const string CapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

    private static readonly Dictionary<string, (int Status, int Code, Action<Request> Change)> Cases = new()
    {
        ["as it should be"] = (200, 0, _ => { }),
        ["name encoded"] = (200, 0, r => r.Headers["Mcp-Name"] = Encoded("test_header_parameter")),
        ["parameter encoded"] = (200, 0, r => r.Headers["Mcp-Param-Region"] = Encoded("eu")),
        ["parameter null and no header"] = (200, 0, r =>
        {
            r.Arguments["region"] = null;
            r.Headers.Remove("Mcp-Param-Region");
            r.WantsAnyResult = true;
        }),
        ["no version header"] = (400, -32020, r => r.Headers.Remove("MCP-Protocol-Version")),
        ["older version header"] = (400, -32020, r => r.Headers["MCP-Protocol-Version"] = "2025-11-25"),
        ["newer version header"] = (400, -32020, r => r.Headers["MCP-Protocol-Version"] = "2027-01-01"),
        ["version unknown in both"] = (400, -32022, r =>
            r.Headers["MCP-Protocol-Version"] = (string)(r.Meta[VersionKey] = "2027-01-01")!
        ),
        ["no version in the body"] = (400, -32602, r => r.Meta.Remove(VersionKey)),
        ["no _meta"] = (400, -32602, r => r.Parameters.Remove("_meta")),
        ["_meta is text"] = (400, -32602, r => r.Parameters["_meta"] = "x"),
        ["no capabilities"] = (400, -32602, r => r.Meta.Remove(CapabilitiesKey)),
        ["capabilities are a list"] = (400, -32602, r => r.Meta[CapabilitiesKey] = new JsonArray()),
        ["no method header"] = (400, -32020, r => r.Headers.Remove("Mcp-Method")),
        ["other method header"] = (400, -32020, r => r.Headers["Mcp-Method"] = "tools/list"),
        ["method header in other case"] = (400, -32020, r => r.Headers["Mcp-Method"] = "Tools/Call"),
        ["no name header"] = (400, -32020, r => r.Headers.Remove("Mcp-Name")),
        ["other name header"] = (400, -32020, r => r.Headers["Mcp-Name"] = "get_topics"),
        ["name encoded wrongly"] = (400, -32020, r => r.Headers["Mcp-Name"] = "=?base64?!!!?="),
        ["other name encoded"] = (400, -32020, r => r.Headers["Mcp-Name"] = Encoded("get_topics")),
        ["name and header both look encoded"] = (400, -32020, r =>
            r.Headers["Mcp-Name"] = (string)(r.Parameters["name"] = Encoded("get_topics"))!
        ),
        ["no parameter header"] = (400, -32020, r => r.Headers.Remove("Mcp-Param-Region")),
        ["other parameter header"] = (400, -32020, r => r.Headers["Mcp-Param-Region"] = "us"),
        ["parameter encoded wrongly"] = (400, -32020, r => r.Headers["Mcp-Param-Region"] = "=?base64?%?="),
        ["unknown tool"] = (200, -32602, r => r.Headers["Mcp-Name"] = (string)(r.Parameters["name"] = "no_such_tool")!),
        ["unknown method"] = (404, -32601, r => r.SetMethod("tools/dance")),
        ["initialize"] = (404, -32601, r => r.SetMethod("initialize")),
        ["ping"] = (404, -32601, r => r.SetMethod("ping")),
        ["logging/setLevel"] = (404, -32601, r => r.SetMethod("logging/setLevel")),
        ["resources/subscribe"] = (404, -32601, r => r.SetMethod("resources/subscribe")),
        ["resources/unsubscribe"] = (404, -32601, r => r.SetMethod("resources/unsubscribe")),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Headers_and_body_agree(string name)
    {
        await using var server = TestServer.Start(services =>
        {
            services.AddMcpServer();
            services.AddSingleton(new ToolType(typeof(ContentTools)));
        });
        var (status, code, change) = Cases[name];
        var request = new Request();
        change(request);

        using var response = await server.ResponseAsync(
            "/mcp",
            Encoding.UTF8.GetBytes(request.Body.ToJsonString()),
            [.. request.Headers.Select(h => (h.Key, h.Value))]
        );
        var answer = await McpAnswer.ReadAsync(response);

        Assert.Equal(status, answer.Status);
        Assert.Equal(7, answer.Message.GetProperty("id").GetInt32());
        if (code != 0)
        {
            Assert.Equal(code, answer.ErrorCode);
        }
        else if (!request.WantsAnyResult)
        {
            Assert.Equal("eu", answer.Text);
        }

        if (code == -32022)
        {
            Assert.Equal(
                Wire.Revisions,
                answer.Error.GetProperty("data").GetProperty("supported").EnumerateArray().Select(v => v.GetString())
            );
            Assert.Equal("2027-01-01", answer.Error.GetProperty("data").GetProperty("requested").GetString());
        }
    }

    private static string Encoded(string text) => $"=?base64?{Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}?=";

    private sealed class Request
    {
        public JsonObject Body { get; } =
            JsonNode
                .Parse(
                    $$$$"""
                    {"jsonrpc":"2.0","id":7,"method":"tools/call","params":{
                      "name":"test_header_parameter","arguments":{"region":"eu"},
                     "_meta":{"{{{{VersionKey}}}}":"2026-07-28","{{{{CapabilitiesKey}}}}":{} } } }
                    """
                )!
                .AsObject();

        public Dictionary<string, string> Headers { get; } =
            new()
            {
                ["MCP-Protocol-Version"] = "2026-07-28",
                ["Mcp-Method"] = "tools/call",
                ["Mcp-Name"] = "test_header_parameter",
                ["Mcp-Param-Region"] = "eu",
            };

        public bool WantsAnyResult { get; set; }

        public JsonObject Parameters => Body["params"]!.AsObject();

        public JsonObject Meta => Parameters["_meta"]!.AsObject();

        public JsonObject Arguments => Parameters["arguments"]!.AsObject();

        public void SetMethod(string method) => Headers["Mcp-Method"] = (string)(Body["method"] = method)!;
    }
}
