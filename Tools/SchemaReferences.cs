using System.Text.Json.Nodes;

namespace MinimalMcp.Tools;

/// <summary>
/// Replaces references inside a JSON Schema by what they refer to. Many clients follow none, and one that a schema
/// makes to its own root means the whole document once the schema stands inside an OpenAPI document.
/// </summary>
internal static class SchemaReferences
{
    // A type that contains itself would never end; below this depth "any value" has to do.
    private const int MaxDepth = 6;

    public static JsonNode Inline(JsonNode schema) => Inline(schema, schema, 0) ?? new JsonObject();

    private static JsonNode? Inline(JsonNode? node, JsonNode root, int depth)
    {
        switch (node)
        {
            case JsonObject reference when reference["$ref"] is JsonValue pointer:
                if (depth > MaxDepth)
                {
                    return new JsonObject();
                }

                var target = Inline(Find(root, pointer.GetValue<string>()), root, depth + 1) ?? new JsonObject();
                // JSON Schema 2020-12, 8.2.3.1: what stands beside a reference counts too, such as a description.
                foreach (var (name, value) in target is JsonObject ? reference.Where(one => one.Key != "$ref") : [])
                {
                    target[name] = Inline(value, root, depth);
                }

                return target;
            case JsonObject parent:
                return new JsonObject(
                    parent
                        .Where(child => child.Key != "$defs")
                        .Select(child => KeyValuePair.Create(child.Key, Inline(child.Value, root, depth)))
                );
            case JsonArray array:
                return new JsonArray([.. array.Select(item => Inline(item, root, depth))]);
            default:
                return node?.DeepClone();
        }
    }

    private static JsonNode? Find(JsonNode root, string pointer)
    {
        JsonNode? target = root;
        foreach (var part in pointer.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(part).Replace("~1", "/").Replace("~0", "~");
            target =
                target is JsonArray array && int.TryParse(name, out var index)
                    ? array.ElementAtOrDefault(index)
                    : (target as JsonObject)?[name];
        }

        return target;
    }
}
