using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MinimalMcp.Governance;

/// <summary>
/// Metrics and log lines of calls: one measurement per attempt, including refused ones, and a line per refusal.
/// </summary>
internal sealed partial class CallLog
{
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _operation;
    private readonly Counter<long> _refusals;
    private readonly ILogger<CallLog> _logger;

    public CallLog(IMeterFactory meters, ILogger<CallLog> logger)
    {
        _logger = logger;
        var meter = meters.Create("MinimalMcp.Tools");
        _duration = meter.CreateHistogram<double>(
            "mcp_tool_duration_seconds",
            "s",
            "The duration of tool calls, by tool and outcome."
        );
        _operation = meter.CreateServerOperationDuration();
        _refusals = meter.CreateCounter<long>(
            "mcp_tool_refusals_total",
            null,
            "Tool calls that were refused, by tool and reason."
        );
    }

    /// <param name="outcome">Only its first word: the reason of a refusal would create a series per reason.</param>
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

    /// <summary>Counts a refusal by its reason, and logs it.</summary>
    internal void Refused(string tool, string surface, Refusal reason, string message)
    {
        _refusals.Add(
            1,
            new("tool", tool),
            new KeyValuePair<string, object?>("reason", reason.ToString().ToLowerInvariant())
        );
        LogRefused(tool, surface, reason, message);
    }

    [LoggerMessage(LogLevel.Information, "Tool call refused {Tool} {Surface} {Reason} {Message}")]
    private partial void LogRefused(string tool, string surface, Refusal reason, string message);
}
