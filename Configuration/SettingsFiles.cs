using System.Text.Json;
using System.Text.RegularExpressions;
using dotenv.net;
using Microsoft.Extensions.Configuration.Json;

namespace MinimalMcp.Configuration;

/// <summary>
/// Reads files of settings. One that is not well formed is reported by its name and line; what stands in the line may
/// be a secret, and is not repeated.
/// </summary>
internal static partial class SettingsFiles
{
    /// <summary>Puts a JSON file above the JSON files that are there, and below the environment.</summary>
    public static void AddJsonAbove(this ConfigurationManager configuration, string file)
    {
        var last = configuration.Sources.ToList().FindLastIndex(source => source is JsonConfigurationSource);
        var source = new JsonConfigurationSource { Path = Path.GetFullPath(file), Optional = false };
        source.ResolveFileProvider();
        try
        {
            configuration.Sources.Insert(last + 1, source);
        }
        catch (Exception failure) when (Explain(failure) is { } why)
        {
            throw new StartupException(why, failure);
        }
    }

    /// <summary>The variables of a file such as <c>.env</c>.</summary>
    public static IEnumerable<KeyValuePair<string, string>> ReadVariables(string file)
    {
        var lines = File.ReadAllLines(file);
        if (Problem(lines) is { } problem)
        {
            throw new StartupException($"{file}, line {problem.Line}: {problem.Why}");
        }

        try
        {
            return DotEnv.Read(new DotEnvOptions(envFilePaths: [file], ignoreExceptions: false));
        }
        catch (Exception failure) when (failure is ArgumentException or InvalidOperationException)
        {
            throw new StartupException($"{file}: {failure.Message}", failure); // it names the variable
        }
    }

    /// <summary>Why a file of settings could not be read; null when the failure is something else.</summary>
    public static string? Explain(Exception failure) =>
        failure switch
        {
            StartupException plain => plain.Message,
            InvalidDataException { InnerException: FormatException { InnerException: JsonException syntax } } =>
                $"{FileOf(failure)}, line {syntax.LineNumber + 1}, position {syntax.BytePositionInLine + 1}: "
                    + What(syntax.Message),
            InvalidDataException { InnerException: FormatException format } => $"{FileOf(failure)}: {format.Message}",
            InvalidDataException { InnerException: UnauthorizedAccessException denied } => denied.Message,
            UnauthorizedAccessException denied => denied.Message,
            _ => null,
        };

    // "Failed to load configuration from file '/etc/it's.json'."
    private static string FileOf(Exception failure) =>
        failure.Message.IndexOf('\'', StringComparison.Ordinal) is var start and >= 0
        && failure.Message.LastIndexOf('\'') is var end
        && end > start
            ? failure.Message[(start + 1)..end]
            : failure.Message;

    // "'}' is an invalid start of a value. LineNumber: 3 | BytePositionInLine: 4." What is no literal may be a secret.
    private static string What(string message) =>
        message.Contains("invalid JSON literal", StringComparison.Ordinal)
            ? "text must stand in double quotes."
            : message.Split(" LineNumber:")[0].Split(" Path:")[0];

    // The reader goes past what it does not understand, and a setting that protects the server would be off.
    private static (int Line, string Why)? Problem(string[] lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line.StartsWith('#'))
            {
                continue;
            }

            if (line.Split('=') is not [var name, var value, ..] || !Name().IsMatch(name.Trim()))
            {
                return (i + 1, "write NAME=value, without \"export\" and without spaces in the name.");
            }

            var first = i;
            if (value.TrimStart() is [('"' or '\'') and var quote, ..])
            {
                while (!Closes(i == first ? line[(line.IndexOf('=') + 1)..].TrimStart()[1..] : lines[i], quote))
                {
                    if (++i == lines.Length)
                    {
                        return (first + 1, $"the quote {quote} that begins the value of {name.Trim()} is not closed.");
                    }
                }
            }
        }

        return null;
    }

    private static bool Closes(string text, char quote)
    {
        var at = text.IndexOf(quote, StringComparison.Ordinal);
        while (at > 0 && text[at - 1] == '\\')
        {
            at = text.IndexOf(quote, at + 1);
        }

        return at >= 0;
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.:-]*$")]
    private static partial Regex Name();
}
