using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Redacts secrets in everything that leaves the server or is stored: values of secret settings anywhere, and members
/// with a secret name.
/// </summary>
internal sealed partial class Redactor
{
    public const string Instead = "[REDACTED]";

    // Shorter values and plain words may occur in a response by chance.
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

    /// <summary>Redacts the secrets of the settings.</summary>
    public string Clean(string text)
    {
        foreach (var secret in _secrets)
        {
            text = text.Replace(secret, Instead, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>
    /// Makes a value storable. NUL and unpaired surrogates, which no database accepts, would block the batch.
    /// </summary>
    public void Clean(AuditEntry row)
    {
        row.Arguments = row.Arguments is null ? null : CleanArguments(row.Arguments);
        row.Detail = row.Detail is null ? null : Storable(Clean(row.Detail));
        (row.Subject, row.Client) = (Storable(row.Subject)!, Storable(row.Client));
        (row.OpenaiSubject, row.OpenaiSession) = (Storable(row.OpenaiSubject), Storable(row.OpenaiSession));
    }

    /// <summary>Redacts the arguments of a call (a JSON object) for display.</summary>
    public string CleanArguments(string json) => Storable(CleanJson(json))!;

    /// <summary>Whether the text contains a secret of the settings.</summary>
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

    /// <summary>Redacts a JSON object: secret values, and members with a secret name.</summary>
    private string CleanJson(string json)
    {
        if (json.Length <= MaxArgumentCharacters && !MayNameSecret().IsMatch(json))
        {
            return Clean(json); // most arguments need no parsing
        }

        string text;
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
            {
                return Clean(json); // was truncated before
            }

            text = Clean(JsonRewriter.Of(JsonRewriter.Members(document.RootElement), hidden: NamesSecret));
        }
        catch (JsonException)
        {
            return "\"[unreadable]\"";
        }

        return text.Length <= MaxArgumentCharacters
            ? text
            : JsonSerializer.Serialize($"{text[..MaxArgumentCharacters]} … of {text.Length} characters");
    }

    // The values of OTEL_EXPORTER_OTLP_HEADERS: name=value pairs, separated by commas, optionally percent-encoded.
    private static IEnumerable<string> HeaderValues(string headers) =>
        headers
            .Split(',')
            .Select(header => header[(header.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim())
            .SelectMany(value => (string[])[value, Uri.UnescapeDataString(value)])
            .SelectMany(value => value.Split(' ')); // a scheme and a credential

    internal static string? Storable(string? text) =>
        text is null || (!text.Contains('\0') && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            ? text
            : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', ' ');

    // The plain form and the JSON-escaped form.
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

    /// <summary>
    /// Whether a member with this name holds a secret, in any case style: clientSecret, CLIENT_SECRET.
    /// </summary>
    internal static bool NamesSecret(string name) =>
        name.Length <= MaxName && SecretName().IsMatch(Separator().Replace(name, ""));

    private const int MaxName = 200;

    [GeneratedRegex(
        @"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|bearer|jwt|authorization|credential|cookie|"
            + @"(?:api|access|private|secret|signing|encryption|client|ssh|shared|master|account|next|host|license)key"
            + @"|^key|^auth|(?<=[a-z])auth)s?$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex SecretName();

    [GeneratedRegex(@"[^A-Za-z]+")]
    private static partial Regex Separator();

    // A fast test for anything that SecretName could match, or an escaped character.
    [GeneratedRegex(@"pass|pwd|secret|token|key|auth|credential|cookie|bearer|jwt|\\", RegexOptions.IgnoreCase)]
    private static partial Regex MayNameSecret();

    [GeneratedRegex(@"(?:Password|Pwd)\s*=\s*([^;]+)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordIn();
}
