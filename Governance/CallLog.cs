using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MinimalMcp.Governance;

/// <summary>The record that a call happened: one measurement per attempt, refused ones too, and a line for what went wrong unexpectedly.</summary>
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

    public Record Begin(string tool, ToolCall call) => new(this, tool, call.Surface, Stopwatch.GetTimestamp());

    private void Write(in Record record, string outcome) => _duration.Record(
        Stopwatch.GetElapsedTime(record.Started).TotalSeconds,
        new KeyValuePair<string, object?>("tool", record.Tool),
        new KeyValuePair<string, object?>("outcome", outcome));

    [LoggerMessage(LogLevel.Information, "{Tool} over {Surface} was refused ({Reason}): {Message}")]
    private partial void LogRefused(string tool, string surface, Refusal reason, string message);

    public readonly record struct Record(CallLog Log, string Tool, string Surface, long Started)
    {
        public void Succeeded() => Log.Write(this, "ok");

        public void Failed(Exception failure)
        {
            if (failure is ToolRefusedException refused)
            {
                Log.LogRefused(Tool, Surface, refused.Reason, refused.Message);
            }

            Log.Write(this, failure switch
            {
                ToolRefusedException => "refused",
                OperationCanceledException => "cancelled",
                _ => "failed",
            });
        }
    }
}
