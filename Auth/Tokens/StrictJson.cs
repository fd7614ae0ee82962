using System.Text.Json;
using System.Text.Unicode;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// Parses JSON that no two parsers can read differently: no duplicate names, bounded depth, valid Unicode.
/// </summary>
internal static class StrictJson
{
    private const int MaxDepth = 16;

    /// <exception cref="FormatException">Not a valid object; the message completes a sentence about it.</exception>
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
            // without the inner exception, which quotes the input
            throw new FormatException("is not JSON, has a duplicate name, or is nested too deeply");
        }
    }

    // An unpaired surrogate is valid JSON but not valid text: it would cause an unexpected exception wherever it is
    // read later.
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
