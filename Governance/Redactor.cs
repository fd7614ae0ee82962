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

        return text.Length <= maxCharacters ? text : JsonSerializer.Serialize($"{text[..maxCharacters]} … of {text.Length} characters");
    }

    [GeneratedRegex(@"(?:pass(?:word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|(?:^|:)key|authorization|credential|cookie)s?$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    // What SecretName could match, wherever it stands.
    [GeneratedRegex("pass|secret|token|key|auth|credential|cookie", RegexOptions.IgnoreCase)]
    private static partial Regex MayNameSecret();

    [GeneratedRegex(@"(?:Password|Pwd)\s*=\s*([^;]+)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordIn();
}
