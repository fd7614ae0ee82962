using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace MinimalMcp.Governance;

/// <summary>The console's usual form of the log, without the secrets of the settings: whatever an exception or another system says, they do not get there.</summary>
internal sealed class CleanConsole(Redactor redactor) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "clean";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var level = logEntry.LogLevel switch
        {
            LogLevel.Trace => "trce",
            LogLevel.Debug => "dbug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            LogLevel.Error => "fail",
            _ => "crit",
        };
        var text = $"{logEntry.Formatter(logEntry.State, logEntry.Exception)}{(logEntry.Exception is { } failure ? $"\n{failure}" : "")}";
        textWriter.WriteLine($"{level}: {logEntry.Category}[{logEntry.EventId.Id}]");
        // Indented, so that nothing that is logged can pass for the start of another entry.
        textWriter.WriteLine("      " + redactor.Clean(text).ReplaceLineEndings("\n").Replace("\n", Environment.NewLine + "      ", StringComparison.Ordinal));
    }
}
