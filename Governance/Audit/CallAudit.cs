using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MinimalMcp.Storage;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Governance;

/// <summary>
/// Writes the audit entries of one call: one when it only read or was refused; one before and one after when it changed
/// something.
/// </summary>
internal sealed class CallAudit
{
    private const int MaxWaiting = 32 << 10;

    private readonly GovernanceServices _services;
    private readonly string _tool;
    private readonly ToolPolicy _policy;
    private readonly ToolCall _call;
    private readonly string? _arguments;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Activity? _span;
    private bool _intended;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _text;

    public CallAudit(GovernanceServices services, string tool, ToolPolicy policy, ToolCall call)
    {
        (_services, _tool, _policy, _call) = (services, tool, policy, call);
        _span = CallSpan.Start(call, tool);
        // Serialized now: the arguments are part of the request, which is gone when the entry is written. Long ones are
        // truncated at once, since entries wait in memory.
        _arguments = services.Audit.IsOn ? Text(call) : null;
        if (_arguments is { Length: > MaxWaiting })
        {
            (_text, _arguments) = (null, services.Redactor.CleanArguments(_arguments));
        }
    }

    /// <summary>Writes the intent. A call that changes something does not run unless it is in the audit log.</summary>
    public async ValueTask IntendAsync()
    {
        if (_policy.Effect is Effect.Read)
        {
            return;
        }

        try
        {
            await _services.Audit.WriteAsync(Row("intent", "intent", _call.Approval));
            _intended = true;
        }
        catch (StorageException gone)
        {
            throw new ToolRefusedException(
                Refusal.Unavailable,
                $"{_tool} was not called, because the server's store is unavailable and the call cannot be audited. "
                    + "Try again in a minute.",
                gone
            );
        }
    }

    public ValueTask EndedAsync(object? result) =>
        result is CallToolResult { IsError: true } failed
            ? EndAsync("failed", (failed.Content.FirstOrDefault() as TextContentBlock)?.Text, CallSpan.ToolError)
            : EndAsync("ok", _intended ? null : _call.Approval, null);

    public ValueTask FailedAsync(Exception failure)
    {
        if (failure is ToolRefusedException refused)
        {
            _services.Log.Refused(
                _tool,
                _call.Surface,
                refused.Reason,
                TextLimit.Cut(_services.Redactor.Clean(refused.Message), TextLimit.Detail)
            );
        }

        var (outcome, detail) = failure switch
        {
            PreviewException => ("preview", null), // its message contains a token
            ToolRefusedException { Reason: var reason } => (
                $"refused: {reason.ToString().ToLowerInvariant()}",
                failure.Message
            ),
            OperationCanceledException => ("cancelled", null),
            InputRequiredException => ("input required", null),
            McpException or HttpRequestException => ("failed", failure.Message),
            _ => ("failed", failure.GetType().Name),
        };
        return EndAsync(outcome, detail, CallSpan.ErrorType(failure, _call));
    }

    private async ValueTask EndAsync(string outcome, string? detail, string? errorType)
    {
        _services.Log.Measure(_tool, _call, _started, outcome, errorType);
        CallSpan.End(_span, outcome, errorType);
        if (_services.Log.IsDebug)
        {
            var elapsed = Stopwatch.GetElapsedTime(_started).TotalMilliseconds;
            _services.Log.LogEnded(_tool, _call.Surface, _call.Caller.Subject, outcome, elapsed, _call.Id);
        }

        var row = Row(_intended ? "outcome" : "done", outcome, detail);
        var duration = (long)Stopwatch.GetElapsedTime(_started).TotalMicroseconds;
        row.DurationUs = duration;
        _services.Calls?.Ended(new(row.Tool, _policy, _call, outcome, row.At, duration));
        if (_intended)
        {
            try
            {
                row.Arguments = null; // the intent has them
                await _services.Audit.WriteAsync(row);
                return;
            }
            catch (StorageException)
            {
                // The call ran, and the caller gets its result; the entry is written when the store is back.
            }
        }

        await _services.Audit.WriteSoonAsync(row);
    }

    private AuditEntry Row(string phase, string outcome, string? detail) =>
        new()
        {
            At = _services.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            Phase = phase,
            CallId = _call.Id,
            Subject = _call.Caller.Subject,
            Client = _call.Caller.Client,
            Address = _call.Origin.Address?.ToString(),
            Surface = _call.Surface,
            Tool = _policy.Path ?? _tool,
            Level = _policy.Level,
            Arguments = _arguments,
            Outcome = outcome,
            Detail = detail is null ? null : TextLimit.Cut(detail, TextLimit.Detail),
            OpenaiSubject = _call.OpenAiSubject,
            OpenaiSession = _call.OpenAiSession,
            TraceId = _span?.TraceId.ToHexString() ?? _call.TraceId,
        };

    // The arguments as sent, except for spaces between them.
    private static string Text(ToolCall call)
    {
        var text = _text ??= new(256);
        text.ResetWrittenCount();
        foreach (var (name, value) in call)
        {
            text.Write(text.WrittenCount == 0 ? "{\""u8 : ",\""u8);
            text.Write(JsonEncodedText.Encode(name).EncodedUtf8Bytes);
            text.Write("\":"u8);
            text.Write(value is JsonElement json ? JsonMarshal.GetRawUtf8Value(json) : "null"u8);
        }

        text.Write(text.WrittenCount == 0 ? "{}"u8 : "}"u8);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }
}
