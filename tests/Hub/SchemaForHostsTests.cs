using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Hub;
using MinimalMcp.Tests.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Hub;

/// <summary>Schemas that some client refuses, and what every surface publishes instead.</summary>
public sealed class SchemaForHostsTests
{
    public static readonly TheoryData<string, string> Quirks = new()
    {
        { """{"type":"object"}""", """{"type":"object","properties":{},"required":[]}""" },
        {
            """{"type":"object","properties":{"a":true,"b":false,"c":null},"required":["d",7]}""",
            """{"type":"object","properties":{"a":{},"c":{},"d":{}},"required":["d"]}"""
        },
        {
            """
                {"type":"object","$defs":{"N":{"type":"integer"}},
                 "properties":{"n":{"$ref":"#/$defs/N","description":"d"}}}
                """,
            """{"properties":{"n":{"type":"integer","description":"d"}},"type":"object","required":[]}"""
        },
        {
            """
                {"definitions":{"T":{"type":"object","properties":{"next":{"$ref":"#/definitions/T"}}}},
                 "type":"object","properties":{"t":{"$ref":"#/definitions/T"},"far":{"$ref":"https://example.com/s"}}}
                """,
            """
                {"type":"object","properties":{"t":{"type":"object","properties":{"next":{}}},"far":{}},"required":[]}
                """
        },
        {
            """
                {"type":"object",
                 "anyOf":[{"properties":{"a":{"type":"string"},"x":{"type":"string"}},"required":["a","x"]},
                          {"properties":{"b":{"type":"string"},"x":{"type":"integer"}},"required":["b","x"]}]}
                """,
            """
                {"properties":{"a":{"type":"string"},"x":{"anyOf":[{"type":"string"},{"type":"integer"}]},
                 "b":{"type":"string"}},"required":["x"],"type":"object"}
                """
        },
        {
            """
                {"type":"object","allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},
                                          {"properties":{"b":{}},"required":["b"]}]}
                """,
            """{"properties":{"a":{"type":"string"},"b":{}},"required":["a","b"],"type":"object"}"""
        },
        {
            """
                {"type":"object","properties":{
                  "list":{"type":["array","null"],"default":null},
                  "tuple":{"type":"array","items":[{"type":"string"},{"type":"integer"}]},
                  "range":{"type":"number","minimum":0,"exclusiveMinimum":true},
                  "odd":{"type":"date","enum":"none","x-secret":1}}}
                """,
            """
                {"type":"object","properties":{
                  "list":{"type":"array","items":{}},
                  "tuple":{"type":"array","items":{}},
                  "range":{"type":"number","minimum":0},
                  "odd":{}},"required":[]}
                """
        },
    };

    [Theory]
    [MemberData(nameof(Quirks))]
    public async Task A_schema_is_published_in_a_form_that_every_client_reads(string given, string published)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        server
            .Services.GetRequiredService<JoinedTools>()
            .Join(Upstream.Named("up"), [Upstream.Tool("odd", given)], (_, _, _, _) => new(new CallToolResult()));

        var tool = (await server.McpAsync("tools/list", path: "/mcp/up")).Result.GetProperty("tools")[0];
        var schema = JsonObject.Create(tool.GetProperty("inputSchema"))!;
        schema["properties"]!.AsObject().Remove("dry_run"); // governance adds it
        schema.Remove("additionalProperties");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(published), schema), schema.ToJsonString());
        foreach (
            var list in (string[])
                [
                    "/tools?profile=up",
                    "/api/mcp/v1/tools?profile=up",
                    "/api/mcp/v1/tools?profile=up&format=gemini",
                    "/openapi.json?profile=up",
                ]
        )
        {
            var text = (await server.GetJsonAsync(list)).GetRawText();
            Assert.Contains("up_odd", text);
            Assert.DoesNotContain("$defs", text);
        }
    }

    [Fact]
    public async Task Arguments_that_the_schema_leaves_open_are_sent()
    {
        await using var upstream = await Upstream.StartAsync(_ => new() { Content = [] });
        await using var server = TestServer.Start(NotesTools.Alone);
        const string Open = """{"type":"object","additionalProperties":{"type":"integer"}}""";
        server
            .Services.GetRequiredService<JoinedTools>()
            .Join(Upstream.Named("up"), [Upstream.Tool("open", Open)], upstream.CallAsync);

        await server.McpAsync("tools/call", new { name = "up_open", arguments = new { a = 1 } });
        var wrong = await server.McpAsync("tools/call", new { name = "up_open", arguments = new { a = "x" } });

        Assert.Contains("'a' must be an integer", wrong.Text);
        Assert.Equal(1, Assert.Single(upstream.Calls).Arguments!["a"].GetInt32());
    }

    [Fact]
    public void A_schema_that_grows_when_its_references_are_inlined_is_bounded()
    {
        var definitions = new StringBuilder();
        for (var i = 0; i < 40; i++)
        {
            definitions.Append(
                $$$"""
                "d{{{i}}}":{"properties":{"a":{"$ref":"#/$defs/d{{{i + 1}}}"},"b":{"$ref":"#/$defs/d{{{i + 1}}}"} } },
                """
            );
        }

        var bomb = $$"""{"$defs":{ {{definitions}} "d40":{} },"$ref":"#/$defs/d0"}""";

        var schema = SchemaForHosts.Input(JsonElement.Parse(bomb), out _);

        Assert.InRange(schema.GetRawText().Length, 1, 300_000);
    }
}
