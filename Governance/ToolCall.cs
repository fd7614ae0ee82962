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

    private string? _id;

    public ToolCall(string surface, Origin origin)
    {
        Surface = surface;
        Origin = origin;
    }

    /// <summary>Under which the log and the audit tell of this call.</summary>
    public string Id => _id ??= Activity.Current?.TraceId.ToString() is { } trace && trace.AsSpan().ContainsAnyExcept('0') ? trace : NextId();

    /// <summary>How the call arrived: http, sse, stdio, rest or functions.</summary>
    public string Surface { get; }

    public Origin Origin { get; }

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

    /// <summary>Reads what ChatGPT says in a request's <c>_meta</c>.</summary>
    public ToolCall WithMeta(JsonElement? meta)
    {
        if (meta is { ValueKind: JsonValueKind.Object } said)
        {
            OpenAiSubject = Text(said, "openai/subject"u8);
            OpenAiSession = Text(said, "openai/session"u8);
        }

        return this;
    }

    private static string NextId() => string.Create(CultureInfo.InvariantCulture, $"{Run}{Interlocked.Increment(ref _count):x16}");

    private static string? Text(JsonElement meta, ReadOnlySpan<byte> name) => meta.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String && value.GetString() is { Length: <= MaxName } text ? text : null;
}
