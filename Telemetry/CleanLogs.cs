using MinimalMcp.Governance;
using OpenTelemetry;
using OpenTelemetry.Logs;

namespace MinimalMcp.Telemetry;

/// <summary>Takes the secrets of the settings out of log records, as the console's formatter does.</summary>
internal sealed class CleanLogs(Redactor redactor) : BaseProcessor<LogRecord>
{
    public override void OnEnd(LogRecord data)
    {
        data.FormattedMessage = Clean(data.FormattedMessage);
        data.Body = Clean(data.Body);
        var attributes = (data.Attributes ?? []).Select(attribute => new KeyValuePair<string, object?>(
            attribute.Key,
            attribute.Value is null or bool or int or long or double ? attribute.Value : Clean($"{attribute.Value}"))).ToList();
        if (data.Exception is { } failure)
        {
            // By the conventions for exceptions. The exporter would write the exception as it is.
            attributes.Add(new("exception.type", failure.GetType().FullName));
            attributes.Add(new("exception.message", Clean(failure.Message)));
            attributes.Add(new("exception.stacktrace", Clean(failure.ToString())));
            data.Exception = null;
        }

        data.Attributes = attributes;
    }

    private string? Clean(string? text) => text is null ? null : redactor.Clean(text);
}
