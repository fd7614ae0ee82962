using System.Text.Json.Nodes;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>
/// A tool as the Gemini API takes it: a FunctionDeclaration, whose parameters are the API's own subset of OpenAPI 3.0
/// (ai.google.dev/api/caching, Schema). The API answers 400 to a member that it does not know, such as
/// <c>additionalProperties</c>, and to a list of types.
/// </summary>
internal static class GeminiDefinition
{
    private const string AsText = "A JSON value as text.";

    // A schema that contains itself is written out to some depth, and a model seldom needs more.
    private const int MaxDepth = 4;

    private static readonly string[] Limits =
    [
        "description",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "pattern",
    ];

    public static JsonObject Function(Tool tool)
    {
        var function = new JsonObject { ["name"] = tool.Name, ["description"] = tool.Description };
        var parameters = JsonNode.Parse(tool.InputSchema.GetRawText())!.AsObject();

        // An object without properties is refused; a function without arguments has no parameters.
        if (parameters["properties"] is JsonObject { Count: > 0 })
        {
            function["parameters"] = Schema(parameters, 0);
        }

        return function;
    }

    private static JsonObject Schema(JsonObject schema, int depth)
    {
        var types = TypesOf(schema);
        var nullable = types.Remove("null");
        var result =
            types is [var type] && (depth <= MaxDepth || type is not ("object" or "array"))
                ? OfType(type, schema, depth)
                : Text(schema);
        var isAsText = types is not ["string"] && result["type"]!.GetValue<string>() == "STRING";
        foreach (var name in isAsText ? [] : Limits) // limits of what the text says are not those of the text
        {
            if (schema[name] is { } value && !result.ContainsKey(name))
            {
                result[name] = value.DeepClone();
            }
        }

        if (nullable)
        {
            result["nullable"] = true;
        }

        return result;
    }

    private static JsonObject OfType(string type, JsonObject schema, int depth) =>
        type switch
        {
            "object" when schema["properties"] is JsonObject { Count: > 0 } properties => Object(
                schema,
                properties,
                depth
            ),
            "array" when schema["items"] is JsonObject items => new()
            {
                ["type"] = "ARRAY",
                ["items"] = Schema(items, depth + 1),
            },
            "string" => String(schema),
            "integer" or "number" or "boolean" => new() { ["type"] = type.ToUpperInvariant() },
            _ => Text(schema),
        };

    private static JsonObject Object(JsonObject schema, JsonObject properties, int depth)
    {
        var result = new JsonObject
        {
            ["type"] = "OBJECT",
            ["properties"] = new JsonObject(
                properties.Select(property =>
                    KeyValuePair.Create(property.Key, (JsonNode?)Schema(property.Value as JsonObject ?? [], depth + 1))
                )
            ),
        };
        if (schema["required"] is JsonArray { Count: > 0 } required)
        {
            result["required"] = required.DeepClone();
        }

        return result;
    }

    private static JsonObject String(JsonObject schema)
    {
        var result = new JsonObject { ["type"] = "STRING" };
        if (schema["enum"] is JsonArray values)
        {
            result["format"] = "enum";
            result["enum"] = new JsonArray([
                .. values.Where(value => value is not null).Select(value => value!.DeepClone()),
            ]);
        }
        else if (schema["format"]?.GetValue<string>() == "date-time") // other formats of strings are refused
        {
            result["format"] = "date-time";
        }

        return result;
    }

    // Any value, a map, or a schema that refers to itself. The argument check reads JSON in a string as what it says.
    private static JsonObject Text(JsonObject schema) =>
        new()
        {
            ["type"] = "STRING",
            ["description"] = schema["description"]?.GetValue<string>() is { Length: > 0 } description
                ? $"{description} {AsText}"
                : AsText,
        };

    private static List<string> TypesOf(JsonObject schema) =>
        schema["type"] switch
        {
            JsonValue single => [single.GetValue<string>()],
            JsonArray several => [.. several.Select(type => type!.GetValue<string>())],
            _ => [],
        };
}
