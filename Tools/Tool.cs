using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
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
    private static readonly JsonTypeInfo<Definition> DefinitionInfo =
        (JsonTypeInfo<Definition>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(Definition));

    private readonly Lazy<Callable> _callable;
    private readonly Lazy<(Definition Definition, JsonElement? Result)> _definition;
    private readonly Redactor _redactor;
    private readonly ILogger _logger;

    // Neither is made before it is needed: a server with many tools starts no slower than one with few.
    internal Tool(
        string name,
        string family,
        Policy policy,
        bool needsConversation,
        bool hasHeaders,
        Redactor redactor,
        ILogger logger,
        Func<Callable> callable,
        Func<Callable, (Definition, JsonElement?)> define
    )
    {
        Name = IsName(name)
            ? name
            : throw new ArgumentException(
                $"'{VisibleText.Show(TextLimit.Cut(name, TextLimit.Name), out _)}' cannot be a tool's name: it has 1 to "
                    + "128 letters, digits, '_', '-' and '.' (MCP, server/tools).",
                nameof(name)
            );
        Family = family;
        Policy = policy;
        NeedsConversation = needsConversation;
        HasHeaders = hasHeaders;
        _redactor = redactor;
        _logger = logger;
        _callable = new(callable);
        // Every definition comes this way, also that of a tool which another server describes.
        _definition = new(() =>
        {
            var (definition, result) = define(_callable.Value);
            return (VisibleJson.Show(definition, DefinitionInfo), result);
        });
    }

    public string Name { get; }

    /// <summary>The folder that the tool lives in, lower case: what profiles select by.</summary>
    public string Family { get; }

    /// <summary>The tool asks the client back, which only a protocol conversation can carry.</summary>
    public bool NeedsConversation { get; }

    /// <summary>The tool reports progress to a client that asks for it.</summary>
    public bool ReportsProgress { get; init; }

    /// <summary>The tool belongs to the profile of its family; see <see cref="ToolProfiles"/>.</summary>
    public bool IsInProfile { get; init; }

    /// <summary>Other names that it answers to, unless a tool has them. They are not listed.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Some argument is repeated as an HTTP header (MCP 2026-07-28, x-mcp-header).</summary>
    public bool HasHeaders { get; }

    /// <summary>It is done only after somebody has seen what it would do.</summary>
    public bool NeedsConfirmation => Policy.NeedsConfirmation;

    /// <summary>The operator switched it off: it is refused and not listed.</summary>
    public bool IsDenied => Policy.Denied is not null;

    public bool IsReadOnly => Policy.Effect is Effect.Read;

    public string Risk => Policy.Level;

    /// <summary>The scope that a caller needs.</summary>
    public string Scope => Policy.Scope;

    public int ScopeLevel => Policy.ScopeLevel;

    /// <summary>What MCP's tools/list says of the tool.</summary>
    public Definition Definition => _definition.Value.Definition;

    /// <summary>The schema of a result, of the call that was made; null when results have no structure.</summary>
    public JsonElement? ResultSchema => _definition.Value.Result;

    public string Description => Definition.Description ?? "";

    /// <summary>Always an object schema with <c>properties</c> and <c>required</c>, empty if need be.</summary>
    public JsonElement InputSchema => Definition.InputSchema;

    private Policy Policy { get; }

    /// <summary>
    /// Calls the tool. Failures are results too: what the caller can mend is a sentence, anything else was logged whole and is shown as a
    /// correlation id. Only a cancelled caller and the protocol's own exceptions (input required, missing capability) are thrown.
    /// </summary>
    public async ValueTask<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken)
    {
        try
        {
            var (function, shape) = _callable.Value;
            return ToolResult
                .Of(await function.InvokeAsync(call, cancellationToken), shape)
                .Cleaned(_redactor, shape.MaxCharacters);
        }
        catch (PreviewException looked)
        {
            return ToolResult.Of(looked.Preview).Cleaned(_redactor, ResultLimit.DefaultCharacters);
        }
        catch (Exception failure)
            when (!(call.SpeaksMcp && IsProtocol(failure))
                && !(failure is OperationCanceledException && cancellationToken.IsCancellationRequested)
            )
        {
            return ToolResult
                .Of(Failure.From(failure, Name, _logger, call.Id))
                .Cleaned(_redactor, ResultLimit.DefaultCharacters);
        }
    }

    /// <summary>Makes now what would otherwise be made by the first call.</summary>
    internal void Prepare() => _ = _callable.Value;

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 128
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');

    private static bool IsProtocol(Exception failure) => failure is McpProtocolException or InputRequiredException;

    /// <summary>What a tool needs to be called: its function, and how its values become results.</summary>
    internal sealed record Callable(GovernedFunction Function, ToolResult.Shape Shape);
}
