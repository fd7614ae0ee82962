using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Configuration;
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

    public Redactor(IConfiguration configuration, IHostEnvironment environment)
    {
        var marked = MarkedSecrets(environment);
        var values = configuration
            .AsEnumerable()
            .Where(setting => setting.Value is { Length: >= MinLength })
            .SelectMany(setting =>
                PasswordIn()
                    .Matches(setting.Value!)
                    .Select(match => match.Groups[1].Value)
                    .Concat(IsSecret(setting.Key, marked) ? [setting.Value!] : [])
                    .Concat(
                        setting.Key.EndsWith("_HEADERS", StringComparison.OrdinalIgnoreCase)
                            ? HeaderValues(setting.Value!)
                            : []
                    )
            )
            .Where(value =>
                value.Length >= 2 * MinLength || (value.Length >= MinLength && value.Any(char.IsAsciiDigit))
            );
        _secrets = [.. values.SelectMany(Forms).Distinct().OrderByDescending(value => value.Length)];
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
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
            {
                return Clean(json); // was shortened before
            }

            text = Clean(JsonText.Of(JsonText.Members(document.RootElement), hidden: NamesSecret));
        }
        catch (JsonException)
        {
            return "\"[unreadable]\"";
        }

        return text.Length <= MaxArgumentCharacters
            ? text
            : JsonSerializer.Serialize($"{text[..MaxArgumentCharacters]} … of {text.Length} characters");
    }

    // Those of OTEL_EXPORTER_OTLP_HEADERS: name=value, by commas, and each value may be percent-encoded.
    private static IEnumerable<string> HeaderValues(string headers) =>
        headers
            .Split(',')
            .Select(header => header[(header.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim())
            .SelectMany(value => (string[])[value, Uri.UnescapeDataString(value)])
            .SelectMany(value => value.Split(' ')); // a scheme and the credential

    internal static string? Storable(string? text) =>
        text is null || (!text.Contains('\0') && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            ? text
            : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', ' ');

    // As it stands in text, and as it is written in JSON.
    private static string[] Forms(string secret) =>
        [
            secret,
            JsonEncodedText.Encode(secret).Value,
            JsonEncodedText.Encode(secret, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
        ];

    // Options mark their secrets; a setting that no options know may still have the name of one.
    private static bool IsSecret(string key, HashSet<string> marked) =>
        key.Split(':') is var parts && (marked.Contains(parts[^1]) || NamesSecret(parts[^1]));

    private static HashSet<string> MarkedSecrets(IHostEnvironment environment) =>
        ApplicationAssemblies
            .Types(environment)
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties())
            .Where(property => property.GetCustomAttribute<DataTypeAttribute>()?.DataType is DataType.Password)
            .Select(property => property.Name)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a member of that name holds a secret, in whatever case it is written: clientSecret, CLIENT_SECRET.</summary>
    internal static bool NamesSecret(string name) =>
        name.Length <= MaxName && SecretName().IsMatch(Separator().Replace(name, ""));

    private const int MaxName = 200;

    [GeneratedRegex(
        @"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|bearer|jwt|authorization|credential|cookie|"
            + @"(?:api|access|private|secret|signing|encryption|client|ssh|shared|master|account|next|host|license)key|^key|^auth|(?<=[a-z])auth)s?$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex SecretName();

    [GeneratedRegex(@"[^A-Za-z]+")]
    private static partial Regex Separator();

    // What SecretName could match, wherever it stands; or a letter that is written another way.
    [GeneratedRegex(@"pass|pwd|secret|token|key|auth|credential|cookie|bearer|jwt|\\", RegexOptions.IgnoreCase)]
    private static partial Regex MayNameSecret();

    [GeneratedRegex(@"(?:Password|Pwd)\s*=\s*([^;]+)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordIn();
}
