using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MinimalMcp.Governance;

/// <summary>Writes JSON again: members in one order, or some of them hidden.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="sorted">By name, so that two objects that say the same are written the same.</param>
    /// <param name="hidden">Names whose text is replaced.</param>
    public static string Of(IEnumerable<KeyValuePair<string, JsonElement>> members, bool sorted = false, Predicate<string>? hidden = null)
    {
        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output, Readable))
        {
            WriteObject(writer, members, sorted, hidden);
        }

        return Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length);
    }

    private static void WriteObject(Utf8JsonWriter writer, IEnumerable<KeyValuePair<string, JsonElement>> members, bool sorted, Predicate<string>? hidden)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in sorted ? members.OrderBy(member => member.Key, StringComparer.Ordinal) : members)
        {
            writer.WritePropertyName(name);
            if (value.ValueKind is JsonValueKind.String && hidden?.Invoke(name) is true)
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
