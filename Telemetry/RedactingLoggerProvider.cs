using MinimalMcp.Governance;

namespace MinimalMcp.Telemetry;

/// <summary>
/// Redacts log records for OpenTelemetry's provider, as the console formatter does. Exceptions become attributes
/// (OpenTelemetry's conventions for exceptions in logs), since an exception object cannot be redacted.
/// </summary>
[ProviderAlias("OpenTelemetry")]
internal sealed class RedactingLoggerProvider(ILoggerProvider provider, Redactor redactor) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(provider.CreateLogger(categoryName), redactor);

    public void Dispose() => provider.Dispose();

    private sealed class Logger(ILogger logger, Redactor redactor) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null; // scopes are not exported

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var text = redactor.Clean(formatter(state, exception));
            var attributes = new List<KeyValuePair<string, object?>>();
            foreach (var (name, value) in state as IEnumerable<KeyValuePair<string, object?>> ?? [])
            {
                attributes.Add(
                    new(name, value is null or bool or int or long or double ? value : redactor.Clean($"{value}"))
                );
            }

            if (exception is not null)
            {
                attributes.Add(new("exception.type", exception.GetType().FullName));
                attributes.Add(new("exception.message", redactor.Clean(exception.Message)));
                attributes.Add(new("exception.stacktrace", redactor.Clean($"{exception}")));
            }

            logger.Log<IReadOnlyList<KeyValuePair<string, object?>>>(logLevel, eventId, attributes, null, (_, _) =>
                text
            );
        }
    }
}
