using System.Text.Json;
using System.Text.Unicode;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// Reads JSON of which two readers cannot think differently: one value for each name, shallow, and nothing but Unicode
/// in its texts.
/// </summary>
internal static class StrictJson
{
    private const int MaxDepth = 16;

    /// <exception cref="FormatException">
    /// It is something else; the message is the end of a sentence about it.
    /// </exception>
    public static JsonElement ParseObject(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
        {
            throw new FormatException("is not UTF-8");
        }

        try
        {
            CheckEscapes(utf8);
            var root = JsonElement.Parse(
                utf8,
                new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false }
            );
            return root.ValueKind is JsonValueKind.Object ? root : throw new FormatException("is not a JSON object");
        }
        catch (Exception notJson) when (notJson is JsonException or InvalidOperationException)
        {
            // without the inner one, which quotes
            throw new FormatException("is not JSON, says something twice, or is nested too deeply");
        }
    }

    // Half a surrogate pair is valid JSON and no text: it would be an unexpected exception wherever it is read later.
    private static void CheckEscapes(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
            {
                _ = reader.GetString();
            }
        }
    }
}
