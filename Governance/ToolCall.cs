using System.Diagnostics;
using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.AI;
using MinimalMcp.Auth;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Governance;

/// <summary>
/// One call of a tool: its arguments by name (each a <see cref="JsonElement"/> until it is bound) and its context.
/// Every surface creates one with the same content, so governance sees the same for each.
/// </summary>
internal sealed class ToolCall : AIFunctionArguments
{
    private Caller? _caller;

    // As unique as a Guid for a tenth of its cost: a random prefix and a counter.
    private static readonly string Run = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private static long _count = RandomNumberGenerator.GetInt32(int.MaxValue);

    // Longer names of users and conversations are ignored.
    private const int MaxName = 200;

    // W3C Trace Context section 3.3.1.1 requires at least this much.
    private const int MaxTraceState = 512;

    private string? _id;
    private string? _traceparent;
    private string? _tracestate;
    private JsonElement _meta;

    public ToolCall(string surface, CallOrigin origin)
    {
        Surface = surface;
        Origin = origin;
    }

    /// <summary>
    /// The id of the call in the log and the audit log. Generated here: a caller can neither choose nor repeat it.
    /// </summary>
    public string Id => _id ??= NextId();

    /// <summary>
    /// The caller's span from <c>params._meta</c> (OpenTelemetry's conventions for MCP, "Context propagation").
    /// </summary>
    internal ActivityContext? CallerSpan =>
        (_traceparent ?? Origin.Traceparent) is { } sent
        && ActivityContext.TryParse(sent, _tracestate, isRemote: true, out var span)
            ? span
            : null;

    /// <summary>The trace of the call, when it is known outside this server too.</summary>
    internal string? TraceId
    {
        get
        {
            var trace = CallerSpan?.TraceId
                ?? (
                    Origin.Request is { } request && (request.Recorded || request.ParentSpanId != default)
                        ? request.TraceId
                        : default
                );
            return trace == default ? null : trace.ToHexString();
        }
    }

    /// <summary>How the call arrived: http, sse, stdio, rest, functions or console.</summary>
    public string Surface { get; }

    public CallOrigin Origin { get; }

    /// <summary>The JSON-RPC id and the MCP revision of the request, for its span.</summary>
    public JsonElement RequestId { get; init; }

    public string? ProtocolVersion { get; init; }

    /// <summary>The surface's timeout; null when only the tool's timeout applies.</summary>
    public TimeSpan? Deadline { get; init; }

    public ClaimsPrincipal? User => Origin.User;

    /// <summary>
    /// ChatGPT's ids of its user and the conversation. For the audit log only: they are not authenticated.
    /// </summary>
    public string? OpenAiSubject { get; set; }

    public string? OpenAiSession { get; set; }

    /// <summary>The name and version that the client sends with each call since 2026-07-28; not verified.</summary>
    internal (string Name, string Version)? ClientInfo =>
        _meta.ValueKind is JsonValueKind.Object
        && _meta.TryGetProperty("io.modelcontextprotocol/clientInfo"u8, out var info)
        && info.ValueKind is JsonValueKind.Object
        && Text(info, "name"u8) is { } name
            ? (name, Text(info, "version"u8) ?? "")
            : null;

    public Caller Caller => _caller ??= Caller.From(User);

    /// <summary>The caller supports responses that only MCP has: protocol errors and elicitation.</summary>
    public bool SpeaksMcp { get; init; }

    /// <summary>
    /// The MCP request of a call that came through a session. Tools that report progress or elicit input need it.
    /// </summary>
    public object? Conversation { get; init; }

    /// <summary>Asks the caller's user or model, where its client can be asked; null where it cannot.</summary>
    public Func<InputRequest, CancellationToken, ValueTask<InputResponse>>? Ask { get; init; }

    /// <summary>Who approved the call, and the id of the call that asked; null without manual approval.</summary>
    internal string? Approval { get; set; }

    /// <summary>The timeout of a call that may ask, which does not run meanwhile.</summary>
    internal CallClock? Clock { get; set; }

    /// <summary>
    /// Adds the members of a JSON object as arguments. The document must live until they are bound. A method that takes
    /// raw JSON gets a copy, because one that ignores its token outlives the request and its buffer.
    /// </summary>
    public ToolCall With(JsonElement arguments)
    {
        if (arguments.ValueKind is JsonValueKind.Object)
        {
            foreach (var argument in arguments.EnumerateObject())
            {
                this[argument.Name] = argument.Value;
            }
        }

        return this;
    }

    /// <summary>Reads ChatGPT's ids and the trace context from a request's <c>_meta</c>.</summary>
    public ToolCall WithMeta(JsonElement? meta)
    {
        if (meta is { ValueKind: JsonValueKind.Object } said)
        {
            _meta = said;
            OpenAiSubject = Text(said, "openai/subject"u8);
            OpenAiSession = Text(said, "openai/session"u8);
            _traceparent = Text(said, "traceparent"u8);
            _tracestate = _traceparent is null ? null : Text(said, "tracestate"u8, MaxTraceState);
        }

        return this;
    }

    private static string NextId() =>
        string.Create(CultureInfo.InvariantCulture, $"{Run}{Interlocked.Increment(ref _count):x16}");

    private static string? Text(JsonElement meta, ReadOnlySpan<byte> name, int max = MaxName) =>
        meta.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.String
        && value.GetString() is { } text
        && text.Length <= max
            ? text
            : null;
}
