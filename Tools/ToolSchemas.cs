using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools;

/// <summary>The schemas that the surfaces publish. None has a <c>$ref</c>.</summary>
internal static class ToolSchemas
{
    /// <summary>
    /// The input schema. It always has <c>properties</c> and <c>required</c>, which clients read without checking, and
    /// disallows other arguments. An optional argument has its plain type: several clients and generators cannot read a
    /// union with null, and null counts as omitted anyway.
    /// </summary>
    public static JsonElement Input(JsonElement schema, MethodInfo? method = null)
    {
        var node = Inlined(schema).AsObject();
        node.Remove("title");
        node.Remove("description");
        RemoveNull(node);
        node["type"] = "object";
        var properties = node["properties"] as JsonObject ?? [];
        node["properties"] = properties.Parent is null ? properties : node["properties"];
        node["required"] ??= new JsonArray();
        node["additionalProperties"] ??= false;
        foreach (var parameter in method?.GetParameters() ?? [])
        {
            // MCP 2026-07-28: clients repeat such an argument as a header, so that gateways can route by it.
            if (
                parameter.GetCustomAttribute<McpHeaderAttribute>() is { } header
                && properties[parameter.Name!] is JsonObject property
            )
            {
                property["x-mcp-header"] = header.Name;
            }
        }

        return JsonSerializer.SerializeToElement(node);
    }

    /// <summary>The schema of <c>structuredContent</c>: an object in every revision.</summary>
    public static JsonElement Output(Type type, JsonSerializerOptions json)
    {
        var schema = Inlined(
            AIJsonUtilities.CreateJsonSchema(type, serializerOptions: json, inferenceOptions: LeavesNullOut)
        );
        AllowNullItems(schema, json.GetTypeInfo(type));
        return JsonSerializer.SerializeToElement(
            IsObject(schema)
                ? schema
                : new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject { ["result"] = schema },
                    ["required"] = new JsonArray("result"),
                }
        );
    }

    /// <summary>
    /// The output schema of a tool that may also return something else, such as a preview. Strict clients validate
    /// every successful result against it (MCP 2025-06-18, tools, "Output Schema").
    /// </summary>
    public static JsonElement OneOf(params IEnumerable<JsonElement> results) =>
        JsonSerializer.SerializeToElement(
            new JsonObject
            {
                ["type"] = "object",
                ["anyOf"] = new JsonArray([.. results.Select(result => JsonObject.Create(result))]),
            }
        );

    private static bool IsObject(JsonNode schema) =>
        schema is JsonObject node
        && node["type"] is JsonValue type
        && type.TryGetValue<string>(out var name)
        && name == "object";

    private static JsonNode Inlined(JsonElement schema) =>
        SchemaReferences.Inline(JsonNode.Parse(schema.GetRawText())!);

    private static void RemoveNull(JsonNode? node)
    {
        if (node is not JsonObject schema)
        {
            return;
        }

        if (schema["type"] is JsonArray types)
        {
            types.RemoveAll(type => type?.GetValue<string>() == "null");
            schema["type"] = types.Count == 1 ? types[0]!.DeepClone() : types.DeepClone();
        }

        (schema["enum"] as JsonArray)?.RemoveAll(value => value is null);
        if (schema.TryGetPropertyValue("default", out var standard) && standard is null)
        {
            schema.Remove("default");
        }

        foreach (var (keyword, value) in schema.ToArray())
        {
            switch (keyword, value)
            {
                case ("properties" or "patternProperties", JsonObject members):
                    members.ToList().ForEach(member => RemoveNull(member.Value));
                    break;
                case ("anyOf" or "oneOf", JsonArray choices):
                    choices.RemoveAll(choice =>
                        choice is JsonObject { Count: 1 } one
                        && one["type"] is JsonValue only
                        && only.GetValueKind() is JsonValueKind.String
                        && only.GetValue<string>() == "null"
                    );
                    choices.ToList().ForEach(RemoveNull);
                    break;
                case ("items" or "additionalProperties", JsonObject):
                    RemoveNull(value);
                    break;
            }
        }
    }

    // Null values are omitted from results, so nullable properties are not required: clients refuse a result that lacks
    // a required property.
    private static readonly AIJsonSchemaCreateOptions LeavesNullOut = new()
    {
        TransformSchemaNode = static (context, node) =>
        {
            if (node is JsonObject schema && schema["required"] is JsonArray required)
            {
                var absent = context
                    .TypeInfo.Properties.Where(property => property.IsGetNullable)
                    .Select(property => property.Name)
                    .ToHashSet();
                required.RemoveAll(name => absent.Contains(name!.GetValue<string>()));
                if (required.Count == 0)
                {
                    schema.Remove("required");
                }
            }

            return node;
        },
    };

    // Handles what the schema exporter ignores: nullable items of lists and dictionaries, as in IReadOnlyList<string?>.
    // Such a null is written and not omitted.
    private static void AllowNullItems(JsonNode? schema, JsonTypeInfo type)
    {
        if (schema is not JsonObject node)
        {
            return;
        }

        if (type.Kind is JsonTypeInfoKind.Object && node["properties"] is JsonObject properties)
        {
            foreach (var property in type.Properties)
            {
                if (
                    property.AttributeProvider is PropertyInfo declared
                    && properties[property.Name] is JsonObject described
                )
                {
                    // The context caches and is not thread-safe, so it is created anew.
                    AllowNullItems(described, new NullabilityInfoContext().Create(declared));
                    AllowNullItems(described, type.Options.GetTypeInfo(property.PropertyType));
                }
            }
        }
        else if (type is { Kind: JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary, ElementType: { } element })
        {
            AllowNullItems(Items(node), type.Options.GetTypeInfo(element));
        }
        else if (Nullable.GetUnderlyingType(type.Type) is { } value)
        {
            AllowNullItems(node, type.Options.GetTypeInfo(value));
        }
    }

    private static void AllowNullItems(JsonObject node, NullabilityInfo declared)
    {
        var item = declared.ElementType ?? declared.GenericTypeArguments.LastOrDefault();
        if (item is null || Items(node) is not JsonObject items)
        {
            return;
        }

        if (item.ReadState is NullabilityState.Nullable && items["type"] is JsonValue plain)
        {
            items["type"] = new JsonArray(plain.GetValue<string>(), "null");
        }

        AllowNullItems(items, item);
    }

    private static JsonNode? Items(JsonObject schema) =>
        schema["items"] ?? schema["additionalProperties"] as JsonObject;
}
