using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

/// <summary>The schemas as the surfaces show them.</summary>
internal static class Schemas
{
    /// <summary>
    /// An input schema that always has <c>properties</c> and <c>required</c>, since clients read both without looking, and that says
    /// that other arguments are refused.
    /// </summary>
    public static JsonElement Input(JsonElement schema, MethodInfo? method = null)
    {
        var node = JsonNode.Parse(schema.GetRawText())!.AsObject();
        node.Remove("title");
        node.Remove("description");
        node["type"] = "object";
        var properties = node["properties"] as JsonObject ?? [];
        node["properties"] = properties.Parent is null ? properties : node["properties"];
        node["required"] ??= new JsonArray();
        node["additionalProperties"] ??= false;
        foreach (var parameter in method?.GetParameters() ?? [])
        {
            // MCP 2026-07-28: the client repeats such an argument as a header, so that a gateway can route by it.
            if (parameter.GetCustomAttribute<McpHeaderAttribute>() is { } header && properties[parameter.Name!] is JsonObject property)
            {
                property["x-mcp-header"] = header.Name;
            }
        }

        return JsonSerializer.SerializeToElement(node);
    }

    /// <summary>The schema of <c>structuredContent</c>: an object, in every revision.</summary>
    public static JsonElement Output(Type type, JsonSerializerOptions json)
    {
        var schema = AIJsonUtilities.CreateJsonSchema(type, serializerOptions: json, inferenceOptions: LeavesNullOut);
        return schema.ValueKind is JsonValueKind.Object && schema.TryGetProperty("type", out var kind) && kind.ValueEquals("object")
            ? schema
            : JsonSerializer.SerializeToElement(new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["result"] = JsonNode.Parse(schema.GetRawText()) },
                ["required"] = new JsonArray("result"),
            });
    }

    // A result leaves out what is null, so what may be null is not required: clients refuse an answer that lacks a required property.
    private static readonly AIJsonSchemaCreateOptions LeavesNullOut = new()
    {
        TransformSchemaNode = static (context, node) =>
        {
            if (node is JsonObject schema && schema["required"] is JsonArray required)
            {
                var absent = context.TypeInfo.Properties.Where(property => property.IsGetNullable).Select(property => property.Name).ToHashSet();
                required.RemoveAll(name => absent.Contains(name!.GetValue<string>()));
                if (required.Count == 0)
                {
                    schema.Remove("required");
                }
            }

            return node;
        },
    };
}
