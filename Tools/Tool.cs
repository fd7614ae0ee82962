using System.Text.Json;
using MinimalMcp.Governance;
using Microsoft.Extensions.AI;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Definition = ModelContextProtocol.Protocol.Tool;

namespace MinimalMcp.Tools;

/// <summary>
/// Something a model can call. One governed function and what describes it; every surface (MCP, REST, OpenAPI, function calling) is a
/// projection of it, so that nothing is declared twice.
/// </summary>
public sealed class Tool
{
    private readonly GovernedFunction _function;
    private readonly ToolResult.Shape _shape;

    internal Tool(GovernedFunction function, Definition definition, string family, bool needsConversation, ToolResult.Shape shape)
    {
        _function = function;
        _shape = shape;
        Definition = definition;
        Family = family;
        NeedsConversation = needsConversation;
        HasHeaders = definition.InputSchema.GetRawText().Contains("\"x-mcp-header\"", StringComparison.Ordinal);
    }

    /// <summary>What MCP's tools/list says of the tool.</summary>
    public Definition Definition { get; }

    public string Name => Definition.Name;

    public string Description => Definition.Description ?? "";

    /// <summary>Always an object schema with <c>properties</c> and <c>required</c>, empty if need be.</summary>
    public JsonElement InputSchema => Definition.InputSchema;

    /// <summary>The folder that the tool lives in, lower case: what profiles select by.</summary>
    public string Family { get; }

    public bool IsReadOnly => _function.Policy.Effect is Effect.Read;

    public string Risk => _function.Policy.Risk.ToString().ToUpperInvariant();

    /// <summary>The tool reports progress or asks the client back, which only a protocol conversation can carry.</summary>
    public bool NeedsConversation { get; }

    /// <summary>Some argument is repeated as an HTTP header (MCP 2026-07-28, x-mcp-header).</summary>
    public bool HasHeaders { get; }

    /// <summary>
    /// Calls the tool. Failures are results too: what the caller can mend is a sentence, anything else was logged whole and is shown as a
    /// correlation id. Only a cancelled caller and the protocol's own exceptions (input required, missing capability) are thrown.
    /// </summary>
    public async ValueTask<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken)
    {
        try
        {
            return ToolResult.Of(await _function.InvokeAsync(call, cancellationToken), _shape);
        }
        catch (Exception failure) when (!IsProtocol(failure) && !(failure is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            return ToolResult.Of(Failure.From(failure, Name, _shape.Logger));
        }
    }

    private static bool IsProtocol(Exception failure) => failure is McpProtocolException or InputRequiredException;
}
