using System.Security.Claims;
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

    public ToolCall(string surface, ClaimsPrincipal? user)
    {
        Surface = surface;
        User = user;
    }

    /// <summary>How the call arrived: http, sse, stdio, rest or functions.</summary>
    public string Surface { get; }

    public ClaimsPrincipal? User { get; }

    public Caller Caller => _caller ??= Caller.From(User);

    /// <summary>
    /// The MCP request behind the call when it came through a conversation: what tools need that report progress or ask the client back.
    /// </summary>
    public object? Conversation { get; init; }

    /// <summary>
    /// Adds the arguments of a JSON object: copies, because a tool that does not listen to its token outlives the request, and with it the
    /// document and the buffer that the request was read into.
    /// </summary>
    public ToolCall With(JsonElement arguments)
    {
        if (arguments.ValueKind is JsonValueKind.Object)
        {
            foreach (var argument in arguments.Clone().EnumerateObject())
            {
                this[argument.Name] = argument.Value;
            }
        }

        return this;
    }
}
