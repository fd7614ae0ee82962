using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MinimalMcp.Governance;

/// <summary>Takes secrets out of what leaves the server or is kept: those of the settings wherever they stand, and what a name says is one.</summary>
public sealed partial class Redactor
{
    public const string Instead = "[REDACTED]";

    // What is shorter, or a word, may stand in an answer by chance.
    private const int MinLength = 8;

    private readonly string[] _secrets;
    private readonly byte[][] _bytes;

    public Redactor(IConfiguration configuration)
    {
        var values = configuration.AsEnumerable().Where(setting => setting.Value is { Length: >= MinLength } && SecretName().IsMatch(setting.Key)).Select(setting => setting.Value!)
            .Concat(configuration.AsEnumerable().Where(setting => setting.Value is not null).SelectMany(setting => PasswordIn().Matches(setting.Value!).Select(match => match.Groups[1].Value)))
            .Where(value => value.Length >= 2 * MinLength || (value.Length >= MinLength && value.Any(char.IsAsciiDigit)));
        _secrets = [.. values.SelectMany(value => (string[])[value, JsonEncodedText.Encode(value).Value, JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value]).Distinct().OrderByDescending(value => value.Length)];
        _bytes = [.. _secrets.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>The text without the secrets of the settings. NUL, which PostgreSQL cannot keep, goes too.</summary>
    public string Clean(string text)
    {
        text = text.Replace('\0', ' ');
        foreach (var secret in _secrets)
        {
            text = text.Replace(secret, Instead, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>Whether a secret of the settings stands in it.</summary>
    public bool IsDirty(ReadOnlySpan<byte> utf8)
    {
        foreach (var secret in _bytes)
        {
            if (utf8.IndexOf(secret) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A JSON object without secrets: by their value, and by the name of the member.</summary>
    public string CleanJson(string json, int maxCharacters)
    {
        if (json.Length <= maxCharacters && !MayNameSecret().IsMatch(json))
        {
            return Clean(json); // most arguments: nothing in them is worth taking apart
        }

        using var output = new MemoryStream();
        try
        {
            using var document = JsonDocument.Parse(json);
            using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            Write(writer, document.RootElement);
        }
        catch (JsonException)
        {
            return "\"[unreadable]\"";
        }

        var text = Clean(Encoding.UTF8.GetString(output.GetBuffer(), 0, (int)output.Length));
        return text.Length <= maxCharacters ? text : JsonSerializer.Serialize($"{text[..maxCharacters]} … of {text.Length} characters");
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    if (member.Value.ValueKind is JsonValueKind.String && SecretName().IsMatch(member.Name))
                    {
                        writer.WriteStringValue(Instead);
                    }
                    else
                    {
                        Write(writer, member.Value);
                    }
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    [GeneratedRegex(@"(?:pass(?:word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|(?:^|:)key|authorization|credential|cookie)s?$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    // What SecretName could match, wherever it stands.
    [GeneratedRegex("pass|secret|token|key|auth|credential|cookie", RegexOptions.IgnoreCase)]
    private static partial Regex MayNameSecret();

    [GeneratedRegex(@"(?:Password|Pwd)\s*=\s*([^;]+)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordIn();
}
