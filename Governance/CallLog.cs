using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MinimalMcp.Governance;

/// <summary>What the operator sees of calls as they happen: one measurement per attempt, refused ones too, and a line for each refusal.</summary>
public sealed partial class CallLog
{
    private readonly Histogram<double> _duration;
    private readonly ILogger<CallLog> _logger;

    public CallLog(IMeterFactory meters, ILogger<CallLog> logger)
    {
        _logger = logger;
        _duration = meters.Create("MinimalMcp.Tools")
            .CreateHistogram<double>("mcp_tool_duration_seconds", "s", "How long tool calls took, by tool and outcome.");
    }

    /// <param name="outcome">Only its first word: why a call was refused would make a series of each reason.</param>
    internal void Measure(string tool, long started, string outcome) => _duration.Record(
        Stopwatch.GetElapsedTime(started).TotalSeconds,
        new KeyValuePair<string, object?>("tool", tool),
        new KeyValuePair<string, object?>("outcome", outcome.StartsWith("refused", StringComparison.Ordinal) ? "refused" : outcome));

    [LoggerMessage(LogLevel.Information, "{Tool} over {Surface} was refused ({Reason}): {Message}")]
    internal partial void LogRefused(string tool, string surface, Refusal reason, string message);
}
