using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace MinimalMcp.Governance;

/// <summary>
/// Wraps a console formatter of the framework: redacts secrets, escapes control characters, and bounds the length of
/// every entry.
/// </summary>
internal sealed class RedactingConsoleFormatter(ConsoleFormatter inner, Redactor redactor)
    : ConsoleFormatter(inner.Name)
{
    private const int MaxCharacters = 32_000;

    /// <summary>
    /// Wraps every registered formatter: an operator may choose any (<c>Logging:Console:FormatterName</c>).
    /// </summary>
    public static void Around(IServiceCollection services)
    {
        for (var i = 0; i < services.Count; i++)
        {
            if (services[i].ServiceType == typeof(ConsoleFormatter) && services[i].ImplementationType is { } formatter)
            {
                services[i] = ServiceDescriptor.Singleton<ConsoleFormatter>(provider => new RedactingConsoleFormatter(
                    (ConsoleFormatter)ActivatorUtilities.CreateInstance(provider, formatter),
                    provider.GetRequiredService<Redactor>()
                ));
            }
        }
    }

    public override void Write<TState>(
        in LogEntry<TState> logEntry,
        IExternalScopeProvider? scopeProvider,
        TextWriter textWriter
    )
    {
        using var entry = new StringWriter();
        inner.Write(logEntry, scopeProvider, entry);
        var text = TextLimit.Cut(entry.ToString(), MaxCharacters);
        textWriter.Write(SanitizedText.Show(redactor.Clean(text)));
        if (text.Length > 0 && !text.EndsWith('\n'))
        {
            textWriter.WriteLine();
        }
    }
}
