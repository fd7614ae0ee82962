using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>Takes secrets out of what leaves the server or is kept: those of the settings wherever they stand, and what a name says is one.</summary>
public sealed partial class Redactor
{
    public const string Instead = "[REDACTED]";

    // What is shorter, or a word, may stand in an answer by chance.
    private const int MinLength = 8;

    private const int MaxArgumentCharacters = 16_000;

    private readonly string[] _secrets;
    private readonly byte[][] _bytes;

    public Redactor(IConfiguration configuration)
    {
        var values = configuration.AsEnumerable().Where(setting => setting.Value is { Length: >= MinLength })
            .SelectMany(setting => PasswordIn().Matches(setting.Value!).Select(match => match.Groups[1].Value)
                .Concat(SecretName().IsMatch(setting.Key) ? [setting.Value!] : [])
                .Concat(setting.Key.EndsWith("_HEADERS", StringComparison.OrdinalIgnoreCase) ? HeaderValues(setting.Value!) : []))
            .Where(value => value.Length >= 2 * MinLength || (value.Length >= MinLength && value.Any(char.IsAsciiDigit)));
        _secrets = [.. values.SelectMany(value => (string[])[value, JsonEncodedText.Encode(value).Value, JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value]).Distinct().OrderByDescending(value => value.Length)];
        _bytes = [.. _secrets.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>The text without the secrets of the settings.</summary>
    public string Clean(string text)
    {
        foreach (var secret in _secrets)
        {
            text = text.Replace(secret, Instead, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>A row as it may be kept. NUL or half a character, which no database takes, would hold up the rows of all the others.</summary>
    public void Clean(AuditRow row)
    {
        row.Arguments = row.Arguments is null ? null : CleanArguments(row.Arguments);
        row.Detail = row.Detail is null ? null : Storable(Clean(row.Detail));
        (row.Subject, row.Client) = (Storable(row.Subject)!, Storable(row.Client));
        (row.OpenaiSubject, row.OpenaiSession) = (Storable(row.OpenaiSubject), Storable(row.OpenaiSession));
    }

    /// <summary>The arguments of a call, a JSON object, as people may see them.</summary>
    public string CleanArguments(string json) => Storable(CleanJson(json))!;

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
    private string CleanJson(string json)
    {
        if (json.Length <= MaxArgumentCharacters && !MayNameSecret().IsMatch(json))
        {
            return Clean(json); // most arguments: nothing in them is worth taking apart
        }

        string text;
        try
        {
            using var document = JsonDocument.Parse(json);
            text = Clean(JsonText.Of(JsonText.Members(document.RootElement), hidden: SecretName().IsMatch));
        }
        catch (JsonException)
        {
            return "\"[unreadable]\"";
        }

        return text.Length <= MaxArgumentCharacters ? text : JsonSerializer.Serialize($"{text[..MaxArgumentCharacters]} … of {text.Length} characters");
    }

    // Those of OTEL_EXPORTER_OTLP_HEADERS: name=value, by commas, and each value may be percent-encoded.
    private static IEnumerable<string> HeaderValues(string headers) => headers.Split(',')
        .Select(header => header[(header.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim())
        .SelectMany(value => (string[])[value, Uri.UnescapeDataString(value)])
        .SelectMany(value => value.Split(' ')); // a scheme and the credential

    internal static string? Storable(string? text) => text is null || (!text.Contains('\0') && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        ? text
        : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', ' ');

    [GeneratedRegex(@"(?:pass(?:word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|(?:^|:)key|authorization|credential|cookie)s?$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    // What SecretName could match, wherever it stands; or a letter that is written by its number.
    [GeneratedRegex(@"pass|secret|token|key|auth|credential|cookie|\\u", RegexOptions.IgnoreCase)]
    private static partial Regex MayNameSecret();

    [GeneratedRegex(@"(?:Password|Pwd)\s*=\s*([^;]+)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordIn();
}
