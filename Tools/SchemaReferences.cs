using System.Text.Json.Nodes;

namespace MinimalMcp.Tools;

/// <summary>
/// Inlines references within a JSON Schema. Many clients do not resolve them, and a reference to the schema's root
/// would mean the whole document inside an OpenAPI document.
/// </summary>
internal static class SchemaReferences
{
    // A recursive type would never end; below this depth it becomes "any value".
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
                // JSON Schema 2020-12, 8.2.3.1: siblings of a reference count too, such as a description.
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
