using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MinimalMcp.Governance;

/// <summary>Rewrites JSON: with sorted members, or with some values hidden.</summary>
internal static class JsonRewriter
{
    private static readonly JsonWriterOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="sorted">Sorts members by name, so that equal objects are written equally.</param>
    /// <param name="hidden">Selects members whose string or number is replaced.</param>
    public static string Of(
        IEnumerable<KeyValuePair<string, JsonElement>> members,
        bool sorted = false,
        Predicate<string>? hidden = null
    )
    {
        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output, Readable))
        {
            WriteObject(writer, members, sorted, hidden);
        }

        return Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length);
    }

    /// <summary>Indents JSON without changing values; returns other text unchanged.</summary>
    public static string Indented(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            using var output = new MemoryStream();
            using (var writer = new Utf8JsonWriter(output, Readable with { Indented = true }))
            {
                document.WriteTo(writer);
            }

            return Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length);
        }
        catch (JsonException)
        {
            return json;
        }
    }

    private static void WriteObject(
        Utf8JsonWriter writer,
        IEnumerable<KeyValuePair<string, JsonElement>> members,
        bool sorted,
        Predicate<string>? hidden
    )
    {
        writer.WriteStartObject();
        foreach (var (name, value) in sorted ? members.OrderBy(member => member.Key, StringComparer.Ordinal) : members)
        {
            writer.WritePropertyName(name);
            if (IsText(value) && hidden?.Invoke(name) is true)
            {
                writer.WriteStringValue(Redactor.Instead);
            }
            else
            {
                Write(writer, value, sorted, hidden);
            }
        }

        writer.WriteEndObject();
    }

    // A pass code may be a number or an array. Booleans are not secret.
    private static bool IsText(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number
        || (value.ValueKind is JsonValueKind.Array && value.EnumerateArray().Any(IsText));

    private static void Write(Utf8JsonWriter writer, JsonElement element, bool sorted, Predicate<string>? hidden)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(writer, Members(element), sorted, hidden);
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(writer, item, sorted, hidden);
                }

                writer.WriteEndArray();
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    public static IEnumerable<KeyValuePair<string, JsonElement>> Members(JsonElement element) =>
        element.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, member.Value));
}
