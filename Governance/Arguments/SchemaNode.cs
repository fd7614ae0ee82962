using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Governance;

/// <summary>
/// Validates values against the subset of JSON Schema 2020-12 that restricts them: type, enum, properties, required,
/// items, bounds. Other keywords never refuse a value. Only references within the document are followed: a schema may
/// come from another server.
/// </summary>
internal sealed partial class SchemaNode
{
    private const int MaxDepth = 32;

    private string[] _types = [];
    private string[]? _enum;
    private SchemaNode? _items;

    // What the members of a map must be: those that properties does not name.
    private SchemaNode? _members;
    private bool _closed;
    private double? _minimum,
        _maximum,
        _minLength,
        _maxLength,
        _minItems,
        _maxItems;

    public Dictionary<string, SchemaNode>? Properties { get; private set; }

    public string[] Required { get; private set; } = [];

    /// <summary>Other members than those of <see cref="Properties"/> are explicitly allowed.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>The schema of members that <see cref="Properties"/> does not name.</summary>
    public SchemaNode? OtherMembers => _members;

    public bool AllowsNull => _types.Length == 0 || _types.Contains("null");

    /// <summary>A description of valid values.</summary>
    public string Expected =>
        _enum is not null
            ? "one of " + string.Join(", ", _enum)
            : string.Join(" or ", _types.Where(type => type != "null").DefaultIfEmpty("any value")) + Bounds();

    public static SchemaNode Read(JsonElement schema, JsonElement root, int depth = 0)
    {
        var node = new SchemaNode();
        if (schema.ValueKind is not JsonValueKind.Object || depth > MaxDepth)
        {
            return node;
        }

        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Resolve(reference.GetString(), root) is { } target ? Read(target, root, depth + 1) : node;
        }

        foreach (var keyword in schema.EnumerateObject())
        {
            var value = keyword.Value;
            switch (keyword.Name)
            {
                case "type" when value.ValueKind is JsonValueKind.String:
                    node._types = [value.GetString()!];
                    break;
                case "type" when value.ValueKind is JsonValueKind.Array:
                    node._types = [.. value.EnumerateArray().Select(type => type.GetString()!)];
                    break;
                case "enum":
                    node._enum = [.. value.EnumerateArray().Select(Text)];
                    break;
                case "properties":
                    node.Properties = value
                        .EnumerateObject()
                        .ToDictionary(property => property.Name, property => Read(property.Value, root, depth + 1));
                    break;
                case "required":
                    node.Required = [.. value.EnumerateArray().Select(name => name.GetString()!)];
                    break;
                case "additionalProperties":
                    node.IsOpen = value.ValueKind is JsonValueKind.True or JsonValueKind.Object;
                    node._closed = value.ValueKind is JsonValueKind.False;
                    node._members = value.ValueKind is JsonValueKind.Object ? Read(value, root, depth + 1) : null;
                    break;
                case "items":
                    node._items = Read(value, root, depth + 1);
                    break;
                case "minimum":
                    node._minimum = Number(value);
                    break;
                case "maximum":
                    node._maximum = Number(value);
                    break;
                case "minLength":
                    node._minLength = Number(value);
                    break;
                case "maxLength":
                    node._maxLength = Number(value);
                    break;
                case "minItems":
                    node._minItems = Number(value);
                    break;
                case "maxItems":
                    node._maxItems = Number(value);
                    break;
            }
        }

        return node;
    }

    /// <summary>
    /// The value in the expected type, when it was sent in another form: "12" or 12.0 for an integer, "{...}" for an
    /// object.
    /// </summary>
    public JsonElement? Undress(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String when _enum is null && _types.Length > 0 && !_types.Contains("string") => Parse(
                value.GetString()!
            )
                is { } parsed
                ? Undress(parsed) ?? parsed
                : null,
            JsonValueKind.Number when _types.Contains("integer") && !value.TryGetInt64(out _) && Is("integer", value) =>
                Parse(value.GetDouble().ToString("F0", CultureInfo.InvariantCulture)),
            _ => null,
        };

    private JsonElement? Parse(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            return
                JsonElement.TryParseValue(ref reader, out var parsed)
                && reader.BytesConsumed == bytes.Length
                && parsed.Value.ValueKind is not JsonValueKind.String
                && _types.Any(type => Is(type, parsed.Value))
                ? parsed
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The problem with a value, or null.</summary>
    public string? Problem(string path, JsonElement value, int depth = 0)
    {
        if (_types.Length > 0 && !Array.Exists(_types, type => Is(type, value)))
        {
            return $"'{path}' must be {Article(Expected)}, not {Describe(value)}";
        }

        return value.ValueKind switch
        {
            _ when _enum is not null && !_enum.Contains(Text(value)) =>
                $"'{path}' must be {Expected}, not {Describe(value)}",
            JsonValueKind.Number when Outside(value.GetDouble(), _minimum, _maximum) =>
                $"'{path}' must be {Article(Expected)}, not {value}",
            JsonValueKind.String
                when (_minLength ?? _maxLength) is not null && Outside(Length(value), _minLength, _maxLength) =>
                $"'{path}' must be {Article(Expected)}; it has {Length(value)} characters",
            JsonValueKind.Array => ProblemInArray(path, value, depth),
            JsonValueKind.Object => ProblemInObject(path, value, depth),
            _ => null,
        };
    }

    public static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "…");

    private string? ProblemInArray(string path, JsonElement array, int depth)
    {
        if (Outside(array.GetArrayLength(), _minItems, _maxItems))
        {
            return $"'{path}' must be {Article(Expected)}; it has {array.GetArrayLength()} items";
        }

        var index = 0;
        foreach (var item in array.EnumerateArray())
        {
            if (_items?.Problem($"{path}[{index++}]", item, depth + 1) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private string? ProblemInObject(string path, JsonElement value, int depth)
    {
        if (depth > MaxDepth)
        {
            return $"'{path}' is nested too deeply";
        }

        foreach (var property in value.EnumerateObject())
        {
            if (MemberSchema(property.Name) is { } schema)
            {
                if (schema.Problem($"{path}.{Shorten(property.Name)}", property.Value, depth + 1) is { } problem)
                {
                    return problem;
                }
            }
            else if (_closed)
            {
                return $"'{path}.{Shorten(property.Name)}' is unknown (known: "
                    + $"{string.Join(", ", Properties?.Keys ?? Enumerable.Empty<string>())})";
            }
        }

        return Array.Find(Required, name => !value.TryGetProperty(name, out _)) is { } missing
            ? $"'{path}.{missing}' is missing"
            : null;
    }

    private SchemaNode? MemberSchema(string name) =>
        Properties is not null && Properties.TryGetValue(name, out var named) ? named : _members;

    private string Bounds() =>
        (_minimum ?? _minLength ?? _minItems, _maximum ?? _maxLength ?? _maxItems, _minLength ?? _maxLength) switch
        {
            (null, null, _) => "",
            ({ } low, { } high, { }) => $" of {Show(low)} to {Show(high)} characters",
            ({ } low, null, { }) => $" of at least {Show(low)} characters",
            (null, { } high, { }) => $" of at most {Show(high)} characters",
            ({ } low, { } high, null) => $" from {Show(low)} to {Show(high)}",
            ({ } low, null, null) => $" of at least {Show(low)}",
            (null, { } high, null) => $" of at most {Show(high)}",
        };

    private static bool Is(string type, JsonElement value) =>
        type switch
        {
            "string" => value.ValueKind is JsonValueKind.String,
            // JSON Schema 2020-12, 6.1.1: a number with a zero fractional part is an integer.
            "integer" => value.ValueKind is JsonValueKind.Number
                && (value.TryGetInt64(out _) || (value.TryGetDouble(out var number) && double.IsInteger(number))),
            "number" => value.ValueKind is JsonValueKind.Number,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "array" => value.ValueKind is JsonValueKind.Array,
            "object" => value.ValueKind is JsonValueKind.Object,
            "null" => value.ValueKind is JsonValueKind.Null,
            _ => true,
        };

    private static JsonElement? Resolve(string? reference, JsonElement root)
    {
        if (reference is null || !reference.StartsWith('#'))
        {
            return null;
        }

        var target = root;
        foreach (var part in reference.Split('/').Skip(1))
        {
            if (
                target.ValueKind is not JsonValueKind.Object
                || !target.TryGetProperty(
                    Uri.UnescapeDataString(part).Replace("~1", "/").Replace("~0", "~"),
                    out target
                )
            )
            {
                return null;
            }
        }

        return target;
    }

    private static bool Outside(double value, double? low, double? high) => value < low || value > high;

    // JSON Schema 2020-12, 6.3.1: the length counts Unicode code points.
    private static int Length(JsonElement text) => text.GetString()!.EnumerateRunes().Count();

    private static double? Number(JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;

    private static string Show(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static string Describe(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            _ => Shorten(value.GetRawText()),
        };

    private static string Article(string expected) =>
        (expected[0] is 'a' or 'i' or 'o' && !expected.StartsWith("one of", StringComparison.Ordinal) ? "an " : "a ")
        + expected;
}
