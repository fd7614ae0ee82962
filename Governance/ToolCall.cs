using System.Diagnostics;
using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.AI;
using MinimalMcp.Auth;

namespace MinimalMcp.Governance;

/// <summary>
/// One call of one tool: the arguments by name (each a <see cref="JsonElement"/> until they are bound), and what the call brings along.
/// Every surface makes one and none of them can pass less, so governance sees the same thing whichever way a call came.
/// </summary>
public sealed class ToolCall : AIFunctionArguments
{
    private Caller? _caller;

    // Unique as a Guid is, for a tenth of its time: a random start, and counted from there.
    private static readonly string Run = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private static long _count = RandomNumberGenerator.GetInt32(int.MaxValue);

    // Of a user or a conversation: what is longer is no name.
    private const int MaxName = 200;

    // W3C Trace Context section 3.3.1.1: at least so much should be passed on. More is not worth holding.
    private const int MaxTraceState = 512;

    private string? _id;
    private string? _traceparent;
    private string? _tracestate;

    public ToolCall(string surface, Origin origin)
    {
        Surface = surface;
        Origin = origin;
    }

    /// <summary>Under which the log and the audit tell of this call. Always ours: a caller can neither choose nor repeat it.</summary>
    public string Id => _id ??= NextId();

    /// <summary>The span that the caller put into <c>params._meta</c> (OpenTelemetry's conventions for MCP, "Context propagation").</summary>
    internal ActivityContext? CallerSpan =>
        (_traceparent ?? Origin.Traceparent) is { } sent
        && ActivityContext.TryParse(sent, _tracestate, isRemote: true, out var span)
            ? span
            : null;

    /// <summary>The trace that this call belongs to, when somebody else knows of that trace too.</summary>
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

    /// <summary>How the call arrived: http, sse, stdio, rest or functions.</summary>
    public string Surface { get; }

    public Origin Origin { get; }

    /// <summary>Of the JSON-RPC request and of the MCP revision that brought the call, for its span.</summary>
    public JsonElement RequestId { get; init; }

    public string? ProtocolVersion { get; init; }

    /// <summary>How long the surface waits at most; null when the tool's own limit is all.</summary>
    public TimeSpan? Deadline { get; init; }

    public ClaimsPrincipal? User => Origin.User;

    /// <summary>What ChatGPT says of its user and of the conversation. Worth recording; anybody can send it, so nothing may depend on it.</summary>
    public string? OpenAiSubject { get; set; }

    public string? OpenAiSession { get; set; }

    public Caller Caller => _caller ??= Caller.From(User);

    /// <summary>The caller understands answers that only MCP has: an error of the protocol, or a question back.</summary>
    public bool SpeaksMcp { get; init; }

    /// <summary>
    /// The MCP request behind the call when it came through a conversation: what tools need that report progress or ask the client back.
    /// </summary>
    public object? Conversation { get; init; }

    /// <summary>
    /// Adds the arguments of a JSON object, whose document must live until they are bound. A method that takes raw JSON gets a copy, because
    /// one that does not listen to its token outlives the request and the buffer it was read into.
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

    /// <summary>Reads what ChatGPT says in a request's <c>_meta</c>, and the caller's trace context.</summary>
    public ToolCall WithMeta(JsonElement? meta)
    {
        if (meta is { ValueKind: JsonValueKind.Object } said)
        {
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
