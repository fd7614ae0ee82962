using System.Text.Json.Nodes;

namespace MinimalMcp.Surfaces;

/// <summary>Replaces references inside a JSON Schema by what they refer to.</summary>
internal static class SchemaReferences
{
    // A type that contains itself would never end; below this depth "any value" has to do.
    private const int MaxDepth = 6;

    public static JsonNode Inline(JsonNode schema) => Inline(schema, schema, 0) ?? new JsonObject();

    private static JsonNode? Inline(JsonNode? node, JsonNode root, int depth) => node switch
    {
        JsonObject reference when reference["$ref"] is JsonValue pointer => depth > MaxDepth ? new JsonObject() : Inline(Find(root, pointer.GetValue<string>()), root, depth + 1),
        JsonObject parent => new JsonObject(parent.Select(child => KeyValuePair.Create(child.Key, Inline(child.Value, root, depth)))),
        JsonArray array => new JsonArray([.. array.Select(item => Inline(item, root, depth))]),
        _ => node?.DeepClone(),
    };

    private static JsonNode? Find(JsonNode root, string pointer)
    {
        JsonNode? target = root;
        foreach (var part in pointer.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(part).Replace("~1", "/").Replace("~0", "~");
            target = target is JsonArray array && int.TryParse(name, out var index) ? array.ElementAtOrDefault(index) : (target as JsonObject)?[name];
        }

        return target;
    }
}
