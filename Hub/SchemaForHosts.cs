using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Governance;

namespace MinimalMcp.Hub;

/// <summary>
/// The schemas of another server, in the form that every surface can publish. A keyword that clients refuse is removed:
/// the server checks its arguments itself. Sizes are bounded, because the schema comes from somebody else.
/// </summary>
internal sealed class SchemaForHosts
{
    private const int MaxNodes = 5_000;
    private const int MaxDepth = 24;
    private const int MaxDescription = 1_000;

    private static readonly HashSet<string> Types =
    [
        "string",
        "number",
        "integer",
        "boolean",
        "array",
        "object",
        "null",
    ];

    // What GovernedFunction and the check of results understand; see SchemaNode.
    private static readonly HashSet<string> Checked =
    [
        "type",
        "enum",
        "properties",
        "required",
        "items",
        "additionalProperties",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "title",
        "description",
    ];

    private readonly JsonNode? _root;
    private readonly bool _onlyChecked;
    private readonly HashSet<string> _open = []; // references that are being inlined
    private readonly HashSet<string> _oddNames = [];
    private int _nodes;

    private SchemaForHosts(JsonElement schema, bool onlyChecked)
    {
        _root = schema.ValueKind is JsonValueKind.Object ? JsonObject.Create(schema) : null;
        _onlyChecked = onlyChecked;
    }

    /// <summary>
    /// The input schema: an object with <c>properties</c> and <c>required</c>. Names of properties that some clients
    /// refuse are in <paramref name="oddNames"/>.
    /// </summary>
    public static JsonElement Input(JsonElement schema, out IReadOnlyCollection<string> oddNames)
    {
        var hosts = new SchemaForHosts(schema, onlyChecked: false);
        var root = Merged(hosts.Read(hosts._root, 0));
        root.Remove("enum");
        root.Remove("const");
        root.Remove("default");
        root["type"] = "object";
        root["properties"] ??= new JsonObject();
        var properties = root["properties"]!.AsObject();
        root["required"] ??= new JsonArray();
        foreach (var name in root["required"]!.AsArray().Select(name => name!.GetValue<string>()))
        {
            properties.TryAdd(name, new JsonObject());
        }

        oddNames = hosts._oddNames;
        return JsonSerializer.SerializeToElement(root, RecordJson.Default.JsonObject);
    }

    /// <summary>
    /// The output schema; null when there is none for an object. It has only what we check ourselves: strict clients
    /// refuse a result that breaks any keyword of it.
    /// </summary>
    public static JsonElement? Output(JsonElement? schema)
    {
        if (schema is not { ValueKind: JsonValueKind.Object } given)
        {
            return null;
        }

        var hosts = new SchemaForHosts(given, onlyChecked: true);
        return
            hosts.Read(hosts._root, 0) is var root
            && root["type"] is JsonValue type
            && type.TryGetValue<string>(out var name)
            && name == "object"
            ? JsonSerializer.SerializeToElement(root, RecordJson.Default.JsonObject)
            : null;
    }

    private JsonObject Read(JsonNode? node, int depth)
    {
        if (node is not JsonObject schema || depth > MaxDepth || ++_nodes > MaxNodes)
        {
            return new JsonObject(); // any value; so is a boolean schema
        }

        if (schema["$ref"] is { } reference)
        {
            return Referenced(schema, reference, depth);
        }

        var read = new JsonObject();
        foreach (var (keyword, value) in schema)
        {
            if ((!_onlyChecked || Checked.Contains(keyword)) && Keyword(keyword, value, depth) is { } kept)
            {
                read[keyword] = kept;
            }
        }

        // Members whose names match a pattern are neither named nor forbidden by the rest of the schema.
        if (schema.ContainsKey("patternProperties"))
        {
            read.Remove("additionalProperties");
        }

        if (Has(read["type"], "array"))
        {
            read["items"] ??= new JsonObject(); // function calling refuses a list without it
        }

        return read;
    }

    private JsonObject Referenced(JsonObject schema, JsonNode reference, int depth)
    {
        if (
            reference is not JsonValue value
            || !value.TryGetValue<string>(out var pointer)
            || !pointer.StartsWith('#')
            || !_open.Add(pointer) // recursion: any value
        )
        {
            return [];
        }

        var target = Read(Find(pointer), depth + 1);
        _open.Remove(pointer);
        // JSON Schema 2020-12, 8.2.3.1: siblings of a reference count too, such as a description.
        foreach (var (keyword, sibling) in schema.Where(one => one.Key != "$ref"))
        {
            if ((!_onlyChecked || Checked.Contains(keyword)) && Keyword(keyword, sibling, depth) is { } kept)
            {
                target[keyword] = kept;
            }
        }

        return target;
    }

    private JsonNode? Keyword(string keyword, JsonNode? value, int depth) =>
        keyword switch
        {
            "type" => Type(value),
            "enum" => value is JsonArray { Count: > 0 } choices && Fits(choices.Count) ? choices.DeepClone() : null,
            "properties" => Properties(value as JsonObject, depth),
            "required" => value is JsonArray names
                ? new JsonArray([
                    .. names
                        .OfType<JsonValue>()
                        .Select(name => name.TryGetValue<string>(out var text) ? text : null)
                        .Where(name => name is not null && Fits(1))
                        .Distinct()
                        .Select(name => (JsonNode)name!),
                ])
                : null,
            "items" => Read(value, depth + 1), // a list of schemas, as before 2020-12, becomes any value
            "additionalProperties" => value is JsonValue flag && flag.TryGetValue<bool>(out var allowed)
                ? (JsonNode)allowed
                : Read(value, depth + 1),
            "anyOf" or "oneOf" or "allOf" => value is JsonArray { Count: > 0 } parts
                ? new JsonArray([.. parts.Take(MaxNodes - _nodes).Select(part => Read(part, depth + 1))])
                : null,
            "description" => value is JsonValue text && text.TryGetValue<string>(out var said)
                ? TextLimit.Cut(said, MaxDescription)
                : null,
            "title" or "format" or "pattern" => value is JsonValue word
            && word.TryGetValue<string>(out var written)
            && written.Length <= MaxDescription
                ? written
                : null,
            "minimum"
            or "maximum"
            or "exclusiveMinimum"
            or "exclusiveMaximum"
            or "multipleOf"
            or "minLength"
            or "maxLength"
            or "minItems"
            or "maxItems" => value?.GetValueKind() is JsonValueKind.Number ? value.DeepClone() : null,
            "uniqueItems" => value?.GetValueKind() is JsonValueKind.True ? true : null,
            "const" or "default" or "examples" => value is not null && value.ToJsonString().Length <= MaxDescription
                ? value.DeepClone()
                : null,
            _ => null,
        };

    private JsonNode? Type(JsonNode? value)
    {
        if (value is JsonValue one)
        {
            return one.TryGetValue<string>(out var type) && Types.Contains(type) ? type : null;
        }

        string[] types =
        [
            .. (value as JsonArray ?? [])
                .OfType<JsonValue>()
                .Select(item => item.TryGetValue<string>(out var type) ? type : "")
                .Where(Types.Contains)
                .Distinct(),
        ];
        // An argument that is null counts as omitted, and several clients cannot read a union with null.
        var plain = _onlyChecked ? types : [.. types.Where(type => type != "null")];
        return plain.Length switch
        {
            0 => null,
            1 => plain[0],
            _ => new JsonArray([.. plain.Select(type => (JsonNode)type)]),
        };
    }

    private JsonObject? Properties(JsonObject? members, int depth)
    {
        if (members is null)
        {
            return null;
        }

        var read = new JsonObject();
        foreach (var (name, member) in members)
        {
            if (member?.GetValueKind() is JsonValueKind.False || _nodes > MaxNodes)
            {
                continue; // such a member is never allowed
            }

            if (
                name.Length > 64
                || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '-')
            )
            {
                _oddNames.Add(name);
            }

            read[name] = Read(member, depth + 1);
        }

        return read;
    }

    private bool Fits(int more) => (_nodes += more) <= MaxNodes;

    private JsonNode? Find(string pointer)
    {
        var target = _root;
        foreach (var part in pointer.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(part).Replace("~1", "/").Replace("~0", "~");
            target = target switch
            {
                JsonObject members => members[name],
                JsonArray items when int.TryParse(name, out var index) => items.ElementAtOrDefault(index),
                _ => null,
            };
        }

        return target;
    }

    // Function calling and GPT Actions refuse a choice at the root. The members of all choices are allowed; required is
    // what every choice requires. The server checks the combination.
    private static JsonObject Merged(JsonObject root)
    {
        foreach (var keyword in (string[])["allOf", "anyOf", "oneOf"])
        {
            if (!root.Remove(keyword, out var choices))
            {
                continue;
            }

            var parts = ((JsonArray)choices!).OfType<JsonObject>().Select(part => Merged((JsonObject)part.DeepClone()));
            List<HashSet<string>> required = [];
            foreach (var part in parts)
            {
                required.Add([.. Names(part["required"])]);
                Add(root, part["properties"] as JsonObject);
                root["description"] ??= part["description"]?.DeepClone();
            }

            var wanted =
                keyword == "allOf" ? required.SelectMany(names => names)
                : required.Count == 0 ? []
                : required.Aggregate((left, right) => [.. left.Intersect(right)]);
            root["required"] = new JsonArray([
                .. Names(root["required"]).Concat(wanted).Distinct().Select(name => (JsonNode)name),
            ]);
            // Each of several parts may allow what another does not name.
            root.Remove("additionalProperties");
        }

        if (root["description"] is null)
        {
            root.Remove("description");
        }

        return root;
    }

    private static void Add(JsonObject root, JsonObject? members)
    {
        root["properties"] ??= new JsonObject();
        var all = root["properties"]!.AsObject();
        foreach (var (name, member) in members ?? [])
        {
            if (!all.TryGetPropertyValue(name, out var known))
            {
                all[name] = member?.DeepClone();
            }
            else if (!JsonNode.DeepEquals(known, member))
            {
                all[name] = new JsonObject { ["anyOf"] = new JsonArray(known!.DeepClone(), member?.DeepClone()) };
            }
        }
    }

    private static IEnumerable<string> Names(JsonNode? required) =>
        (required as JsonArray ?? []).Select(name => name!.GetValue<string>());

    private static bool Has(JsonNode? types, string type) =>
        types is JsonArray several
            ? several.Any(one => one!.GetValue<string>() == type)
            : types?.GetValue<string>() == type;
}
