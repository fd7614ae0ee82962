using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MinimalMcp.Governance;

/// <summary>What the operator sees of calls as they happen: one measurement per attempt, refused ones too, and a line for each refusal.</summary>
public sealed partial class CallLog
{
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _operation;
    private readonly ILogger<CallLog> _logger;

    public CallLog(IMeterFactory meters, ILogger<CallLog> logger)
    {
        _logger = logger;
        var meter = meters.Create("MinimalMcp.Tools");
        _duration = meter.CreateHistogram<double>(
            "mcp_tool_duration_seconds",
            "s",
            "How long tool calls took, by tool and outcome."
        );
        _operation = meter.CreateServerOperationDuration();
    }

    /// <param name="outcome">Only its first word: why a call was refused would make a series of each reason.</param>
    internal void Measure(string tool, ToolCall call, long started, string outcome, string? errorType)
    {
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        _duration.Record(
            seconds,
            new KeyValuePair<string, object?>("tool", tool),
            new KeyValuePair<string, object?>(
                "outcome",
                outcome.StartsWith("refused", StringComparison.Ordinal) ? "refused" : outcome
            )
        );
        if (_operation.Enabled && CallSpan.Method(call) is { } method)
        {
            var tags = new TagList
            {
                { "mcp.method.name", method },
                { "gen_ai.operation.name", "execute_tool" },
                { "gen_ai.tool.name", tool },
                { "network.transport", CallSpan.Transport(call) },
            };
            AddKnown(ref tags, "mcp.protocol.version", call.ProtocolVersion);
            AddKnown(ref tags, "error.type", errorType);
            _operation.Record(seconds, tags);
        }
    }

    private static void AddKnown(ref TagList tags, string name, string? value)
    {
        if (value is not null)
        {
            tags.Add(name, value);
        }
    }

    [LoggerMessage(LogLevel.Debug, "Tool call ended {Tool} {Surface} {Subject} {Outcome} {ElapsedMs} {CallId}")]
    internal partial void LogEnded(
        string tool,
        string surface,
        string subject,
        string outcome,
        double elapsedMs,
        string callId
    );

    internal bool IsDebug => _logger.IsEnabled(LogLevel.Debug);

    [LoggerMessage(LogLevel.Information, "{Tool} over {Surface} was refused ({Reason}): {Message}")]
    internal partial void LogRefused(string tool, string surface, Refusal reason, string message);
}
