using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Definition = ModelContextProtocol.Protocol.Tool;

namespace MinimalMcp.Tools;

/// <summary>
/// A tool that a model can call: a governed function and its description. Every surface (MCP, REST, OpenAPI, function
/// calling) is a projection of it, so that nothing is declared twice.
/// </summary>
internal sealed class Tool
{
    private static readonly JsonTypeInfo<Definition> DefinitionInfo = McpTypeInfo.Of<Definition>();

    private readonly Lazy<Callable> _callable;
    private readonly Lazy<(Definition Definition, JsonElement? Result)> _definition;
    private readonly Lazy<Tool>? _own;
    private readonly Redactor _redactor;
    private readonly ILogger _logger;

    // Both are created on first use: a server with many tools starts as fast as one with few.
    internal Tool(
        string name,
        string family,
        ToolPolicy policy,
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
                $"'{SanitizedText.Show(TextLimit.Cut(name, TextLimit.Name))}' cannot be a tool's name: it has "
                    + "1 to "
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
        // Every definition passes here, also that of another server's tool.
        _definition = new(() =>
        {
            var (definition, result) = define(_callable.Value);
            return (SanitizedJson.Show(definition, DefinitionInfo), result);
        });
    }

    public string Name { get; }

    /// <summary>The family: the tool's folder in lower case, which profiles select by.</summary>
    public string Family { get; }

    /// <summary>The tool elicits input from the client, which requires an MCP session.</summary>
    public bool NeedsConversation { get; }

    /// <summary>The tool reports progress to clients that request it.</summary>
    public bool ReportsProgress { get; init; }

    /// <summary>The tool may ask the caller's user or model, and log to it, where its client supports that.</summary>
    public bool MayAsk { get; init; }

    /// <summary>The tool belongs to the profile of its family; see <see cref="ToolProfiles"/>.</summary>
    public bool IsInProfile { get; init; }

    /// <summary>
    /// Another server's tool under its own name, which <c>/mcp/{server}</c> serves; null when the tool is ours.
    /// </summary>
    public Tool? Own => _own?.Value;

    /// <summary>Creates <see cref="Own"/> when it is first served.</summary>
    internal Func<Tool>? MakeOwn
    {
        init => _own = value is null ? null : new(value);
    }

    /// <summary>Other names that it answers to, unless a tool has them. They are not listed.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>An argument is repeated as an HTTP header (MCP 2026-07-28, x-mcp-header).</summary>
    public bool HasHeaders { get; }

    /// <summary>The call needs a confirmation.</summary>
    public bool NeedsConfirmation => Policy.NeedsConfirmation;

    /// <summary>The operator disabled the tool: calls are refused and it is not listed.</summary>
    public bool IsDenied => Policy.Denied is not null;

    public bool IsReadOnly => Policy.Effect is Effect.Read;

    public Effect Effect => Policy.Effect;

    /// <summary>A person other than the caller must approve the call.</summary>
    public bool NeedsApproval => Policy.NeedsApproval;

    /// <summary>The budgets of each caller.</summary>
    public IReadOnlyList<CallLimit> Budgets => Policy.Budgets;

    /// <summary>The name that the audit log has.</summary>
    public string AuditName => Policy.Path ?? Name;

    public string Risk => Policy.Level;

    /// <summary>The scope that a caller needs.</summary>
    public string Scope => Policy.Scope;

    public int ScopeLevel => Policy.ScopeLevel;

    /// <summary>The tool's definition in MCP's tools/list.</summary>
    public Definition Definition => _definition.Value.Definition;

    /// <summary>The output schema of a completed call; null when results are unstructured.</summary>
    public JsonElement? ResultSchema => _definition.Value.Result;

    public string Description => Definition.Description ?? "";

    /// <summary>The input schema: always an object with <c>properties</c> and <c>required</c>.</summary>
    public JsonElement InputSchema => Definition.InputSchema;

    private ToolPolicy Policy { get; }

    /// <summary>
    /// Calls the tool. Failures are results too: an error that the caller can fix has a message, any other is logged
    /// and has a correlation id. Only cancellation and protocol exceptions (input required, missing capability) are
    /// thrown.
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

    /// <summary>Creates now what the first call would otherwise create.</summary>
    internal void Prepare() => _ = _callable.Value;

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 128
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');

    private static bool IsProtocol(Exception failure) => failure is McpProtocolException or InputRequiredException;

    /// <summary>What a call needs: the function, and how its values become results.</summary>
    internal sealed record Callable(GovernedFunction Function, ToolResult.Shape Shape);
}
