using System.Text;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Configuration;

/// <summary>
/// Reads secrets from files, as Docker and Kubernetes mount them: NAME_FILE is the path of a file with the value of
/// NAME. Works for every name of the table and every name with two underscores, since any may be a secret.
/// </summary>
internal static class SecretFiles
{
    public const string Suffix = "_FILE";

    private const int MaxBytes = 64 * 1024;

    /// <summary>OpenTelemetry's variable with credentials of collectors.</summary>
    private const string Headers = "OTEL_EXPORTER_OTLP_HEADERS";

    /// <summary>Replaces paths by the values of the files.</summary>
    public static (IReadOnlyList<string> Files, IReadOnlyList<string> Problems) Read(
        Dictionary<string, string> variables,
        IEnumerable<string> table
    )
    {
        var names = table.Append(Headers).ToHashSet(StringComparer.Ordinal);
        var (files, problems) = (new List<string>(), new List<string>());
        foreach (var variable in variables.Keys.Where(variable => IsFile(variable, names)).ToArray())
        {
            variables.Remove(variable, out var path);
            var name = variable[..^Suffix.Length];
            if (string.IsNullOrEmpty(path))
            {
                continue;
            }

            if (variables.GetValueOrDefault(name) is { Length: > 0 })
            {
                problems.Add($"{name} and {variable} are both set. Remove one of them.");
            }
            else if (Problem(path, out var value) is { } problem)
            {
                problems.Add($"{variable} is '{path}', and {problem}");
            }
            else
            {
                variables[name] = value;
                files.Add(path);
            }
        }

        return (files, problems);
    }

    /// <summary>Whether a setting is such a name; the host's own environment provider has it too.</summary>
    public static bool IsFile(string variable) =>
        variable.EndsWith(Suffix, StringComparison.Ordinal) && variable.Length > Suffix.Length;

    private static bool IsFile(string variable, HashSet<string> names) =>
        IsFile(variable)
        && (names.Contains(variable[..^Suffix.Length]) || variable.Contains("__", StringComparison.Ordinal));

    private static string? Problem(string path, out string value)
    {
        value = "";
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MaxBytes)
            {
                return $"the file has more than {MaxBytes} bytes.";
            }

            // Editors and echo append a line break, which is not part of the secret.
            value = new UTF8Encoding(false, true).GetString(bytes, 0, length).TrimEnd('\r', '\n');
            return value.Length > 0 ? null : "the file is empty.";
        }
        catch (DecoderFallbackException)
        {
            return "the file is not text.";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure is FileNotFoundException or DirectoryNotFoundException
                ? "the file does not exist."
                : "this user cannot read the file. Check its owner and mode.";
        }
    }
}

/// <summary>An unreadable secret prevents the start: without it the server would be less protected.</summary>
internal sealed class SecretFileCheck(EnvironmentRead environment) : IValidateOptions<ServerOptions>
{
    public ValidateOptionsResult Validate(string? name, ServerOptions options) =>
        environment.Problems.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(environment.Problems);
}
