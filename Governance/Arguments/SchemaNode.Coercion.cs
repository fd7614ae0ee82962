using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Governance;

/// <summary>
/// Coerces common variants that models and clients send instead of the expected value. Only refused values are coerced,
/// and the result is validated again.
/// </summary>
internal sealed partial class SchemaNode
{
    /// <summary>Whether a refused value means that an optional argument was omitted.</summary>
    public bool IsBlank(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Null => true,
            JsonValueKind.String when string.IsNullOrWhiteSpace(value.GetString()) => true,
            // A free string may be the word null; a number, a flag or an enum value cannot.
            JsonValueKind.String when _enum is not null || !Takes("string") => value
                .GetString()!
                .Trim()
                .Equals("null", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };

    /// <summary>The coerced value; the same value when it cannot be coerced.</summary>
    public JsonElement Coerce(JsonElement value, int depth = 0)
    {
        value = Undress(value) ?? value;
        if (depth > MaxDepth || Problem("", value) is null)
        {
            return value;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.String when FromText(value.GetString()!.Trim()) is { } read:
                return read;
            case JsonValueKind.Number when Takes("string"):
                return Json(InEnum(Digits(value)) ?? Digits(value));
            // In a list or a map of texts, as in {"PORT": 8080, "DEBUG": true}, the meaning is plain.
            case JsonValueKind.True or JsonValueKind.False when depth > 0 && _types is ["string"] && _enum is null:
                return Json(value.GetRawText());
            case JsonValueKind.Array when Takes("array"):
                return Json(
                    new JsonArray([
                        .. value.EnumerateArray().Select(item => Node(_items?.Coerce(item, depth + 1) ?? item)),
                    ])
                );
            case JsonValueKind.Array when value.GetArrayLength() == 1:
                return Coerce(value[0], depth + 1);
            case JsonValueKind.Object when Takes("object"):
                return Json(new JsonObject(Members(value, depth)));
            case not (JsonValueKind.Array or JsonValueKind.Null) when Takes("array"):
                return Json(new JsonArray(Node(_items?.Coerce(value, depth + 1) ?? value)));
            default:
                return value;
        }
    }

    private IEnumerable<KeyValuePair<string, JsonNode?>> Members(JsonElement value, int depth)
    {
        foreach (var member in value.EnumerateObject())
        {
            if (MemberSchema(member.Name) is not { } schema)
            {
                yield return new(member.Name, Node(member.Value));
                continue;
            }

            var read = schema.Coerce(member.Value, depth + 1);
            var isLeftOut =
                schema != _members
                && !Required.Contains(member.Name)
                && schema.Problem("", read) is not null
                && schema.IsBlank(member.Value);
            if (!isLeftOut)
            {
                yield return new(member.Name, Node(read));
            }
        }
    }

    private JsonElement? FromText(string text) =>
        InEnum(text) is { } member ? Json(member)
        : Takes("boolean") && bool.TryParse(text, out var flag) ? Json(flag)
        : null;

    // Two members that differ only in case are ambiguous.
    private string? InEnum(string text) =>
        Takes("string")
        && _enum?.Where(member => member.Equals(text, StringComparison.OrdinalIgnoreCase)).ToArray() is [var only]
            ? only
            : null;

    private bool Takes(string type) => _types.Length == 0 || _types.Contains(type);

    // Without an exponent: parsers of numbers in strings, such as a time in seconds, expect none.
    private static string Digits(JsonElement number) =>
        number.TryGetDecimal(out var exact) ? exact.ToString(CultureInfo.InvariantCulture) : number.GetRawText();

    private static JsonNode? Node(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => JsonObject.Create(value),
            JsonValueKind.Array => JsonArray.Create(value),
            JsonValueKind.Null => null,
            _ => JsonValue.Create(value),
        };

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value);
}
