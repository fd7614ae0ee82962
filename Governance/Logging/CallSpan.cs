using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Governance;

/// <summary>
/// The span of a tool call, named by OpenTelemetry's semantic conventions for MCP and GenAI. Null, and nearly free,
/// while nobody listens. Contains no argument, result or error message.
/// </summary>
internal static class CallSpan
{
    private static readonly ActivitySource Source = new("MinimalMcp.Tools");

    public static bool IsOn => Source.HasListeners();

    public static Activity? Start(ToolCall call, string tool) => Source.HasListeners() ? StartNow(call, tool) : null;

    /// <param name="outcome">The outcome in the audit log.</param>
    /// <param name="errorType">Null when the call did not fail.</param>
    public static void End(Activity? span, string outcome, string? errorType)
    {
        if (span is null)
        {
            return;
        }

        span.SetTag("minimalmcp.outcome", outcome);
        if (errorType is not null)
        {
            span.SetTag("error.type", errorType).SetStatus(ActivityStatusCode.Error);
            if (int.TryParse(errorType, out _))
            {
                span.SetTag("rpc.response.status_code", errorType);
            }
        }

        span.Dispose();
    }

    /// <summary>
    /// The attribute <c>error.type</c>: the code of a JSON-RPC error, <c>tool_error</c> for an MCP result with
    /// <c>isError</c>, otherwise the kind of failure. Previews and elicitation are not failures.
    /// </summary>
    public static string? ErrorType(Exception failure, ToolCall call) =>
        failure switch
        {
            PreviewException or InputRequiredException => null,
            McpProtocolException protocol when call.SpeaksMcp => $"{(int)protocol.ErrorCode}",
            OperationCanceledException => "cancelled",
            _ when call.SpeaksMcp => ToolError,
            ToolRefusedException refused => refused.Reason.ToString().ToLowerInvariant(),
            _ => failure.GetType().FullName,
        };

    public const string ToolError = "tool_error";

    /// <summary>The MCP method; null for plain HTTP.</summary>
    public static string? Method(ToolCall call) => call.Surface is "rest" or "console" ? null : "tools/call";

    /// <summary>Standard input has no address.</summary>
    public static string Transport(ToolCall call) => call.Origin.Address is null ? "pipe" : "tcp";

    private static Activity? StartNow(ToolCall call, string tool)
    {
        var method = Method(call);
        var request = call.Origin.Request?.Context ?? default;
        // The context of _meta is the parent; the request that carried the message is linked.
        var span = Source.StartActivity(
            $"{method ?? "execute_tool"} {tool}",
            method is null ? ActivityKind.Internal : ActivityKind.Server,
            call.CallerSpan ?? request,
            links: call.CallerSpan is not null && request != default ? [new(request)] : null
        );
        if (span is not { IsAllDataRequested: true })
        {
            return span;
        }

        span.SetTag("gen_ai.operation.name", "execute_tool").SetTag("gen_ai.tool.name", tool);
        if (method is not null)
        {
            span.SetTag("mcp.method.name", method)
                .SetTag("mcp.protocol.version", call.ProtocolVersion)
                .SetTag("mcp.session.id", call.Origin.Session)
                .SetTag("jsonrpc.request.id", Text(call.RequestId))
                .SetTag("network.transport", Transport(call));
        }

        return span.SetTag("client.address", call.Origin.Address?.ToString())
            .SetTag("minimalmcp.call.id", call.Id)
            .SetTag("minimalmcp.surface", call.Surface);
    }

    private static string? Text(JsonElement id) =>
        id.ValueKind switch
        {
            JsonValueKind.String => id.GetString(),
            JsonValueKind.Number => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(id)),
            _ => null,
        };
}
