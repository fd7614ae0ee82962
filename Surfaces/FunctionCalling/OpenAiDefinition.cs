using System.Text.Json.Nodes;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>A tool definition for the OpenAI API.</summary>
internal static class OpenAiDefinition
{
    /// <summary>For Chat Completions: the function is nested.</summary>
    public static JsonObject Chat(Tool tool, bool strict) =>
        new() { ["type"] = "function", ["function"] = Function(tool, strict) };

    /// <summary>For the Responses API: the function is flat.</summary>
    public static JsonObject Responses(Tool tool, bool strict)
    {
        var function = Function(tool, strict);
        function.Insert(0, "type", "function");
        return function;
    }

    private static JsonObject Function(Tool tool, bool strict)
    {
        var parameters = JsonNode.Parse(tool.InputSchema.GetRawText())!.AsObject();
        var function = new JsonObject
        {
            ["name"] = tool.Name,
            ["description"] = tool.Description,
            ["parameters"] = parameters,
        };
        if (strict && CanBeStrict(parameters))
        {
            MakeStrict(parameters);
            function["strict"] = true;
        }
        else
        {
            function["strict"] = false;
        }

        return function;
    }

    // Strict mode cannot describe free-form values or recursive types: such a tool is offered without it.
    private static bool CanBeStrict(JsonNode? schema) =>
        schema is JsonObject node
        && node["type"] is not null
        && (!IsType(node, "array") || CanBeStrict(node["items"]))
        && (
            !IsType(node, "object")
            || (
                node["properties"] is JsonObject properties
                && node["additionalProperties"] is not JsonObject
                && properties.All(property => CanBeStrict(property.Value))
            )
        );

    /// <summary>
    /// Strict mode requires every property; an optional one becomes nullable, and null counts as omitted.
    /// </summary>
    private static void MakeStrict(JsonObject schema)
    {
        if (schema["items"] is JsonObject items)
        {
            MakeStrict(items);
        }

        schema.Remove("default");
        if (!IsType(schema, "object") || schema["properties"] is not JsonObject properties)
        {
            return;
        }

        var required = (schema["required"] as JsonArray ?? []).Select(name => name!.GetValue<string>()).ToHashSet();
        foreach (var (name, property) in properties)
        {
            if (property is JsonObject node)
            {
                MakeStrict(node);
                if (!required.Contains(name))
                {
                    MakeNullable(node);
                }
            }
        }

        schema["required"] = new JsonArray([.. properties.Select(property => (JsonNode)property.Key)]);
        schema["additionalProperties"] = false;
    }

    private static void MakeNullable(JsonObject node)
    {
        if (node["type"] is JsonValue single)
        {
            node["type"] = new JsonArray(single.GetValue<string>(), "null");
        }
        else if (node["type"] is JsonArray types && types.All(type => type?.GetValue<string>() != "null"))
        {
            types.Add((JsonNode)"null");
        }

        if (node["enum"] is JsonArray values && !values.Contains(null))
        {
            values.Add((JsonNode?)null);
        }
    }

    private static bool IsType(JsonObject schema, string type) =>
        schema["type"] is JsonValue value
            ? value.GetValue<string>() == type
            : schema["type"] is JsonArray types && types.Any(entry => entry!.GetValue<string>() == type);
}
