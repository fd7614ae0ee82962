using System.Text.Json;
using Microsoft.Extensions.AI;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Hub;

/// <summary>Calls a tool of another server by the name that it has there.</summary>
internal delegate ValueTask<CallToolResult> UpstreamCall(
    string tool,
    IReadOnlyDictionary<string, JsonElement> arguments,
    UpstreamCaller caller,
    CancellationToken cancellationToken
);

/// <summary>A tool of another server as a function, which governance wraps as it wraps ours.</summary>
internal sealed class UpstreamTool(
    string server,
    string tool,
    string name,
    string description,
    JsonElement input,
    JsonElement? output,
    Func<string, string> uriHere,
    LogMessages logs,
    UpstreamCall call
) : AIFunction
{
    /// <summary>What a result is when it has no structured content, or one that its schema does not allow.</summary>
    public static readonly JsonElement TextSchema = JsonElement.Parse(
        """{"type":"object","properties":{"result":{"type":"string"}},"required":["result"]}"""
    );

    // Images, audio and other bytes cannot be truncated.
    private const int MaxBytes = 4 << 20;

    private readonly SchemaNode? _output = output is { } schema ? SchemaNode.Read(schema, schema) : null;

    public override string Name => name;

    public override string Description => description;

    public override JsonElement JsonSchema => input;

    protected override async ValueTask<object?> InvokeCoreAsync(
        AIFunctionArguments arguments,
        CancellationToken cancellationToken
    )
    {
        // Copies, because a call that ends late outlives the request and its buffer.
        var sent = arguments
            .Where(argument => argument.Value is JsonElement)
            .ToDictionary(argument => argument.Key, argument => ((JsonElement)argument.Value!).Clone());
        var governed = (ToolCall)arguments;
        var context = governed.Conversation as RequestContext<CallToolRequestParams>;
        var caller = new UpstreamCaller(governed, context?.Params?.ProgressToken is null ? null : context.Progress());
        using var logging = LogsFor(context);
        try
        {
            var result = Own(await call(tool, sent, caller, cancellationToken));
            foreach (var note in caller.Notes)
            {
                result.Content.Add(new TextContentBlock { Text = $"[{note}]" });
            }

            return result;
        }
        catch (McpProtocolException refused)
        {
            // An error of that server is the result of our call, on every surface, and not an error of our protocol.
            throw new McpException(
                string.Join(' ', [$"{server} refused the call of {tool}: {refused.Message}", .. caller.Notes]),
                refused
            );
        }
    }

    // Since 2026-07-28 a request says which log messages it wants; they come before its result.
    private IDisposable? LogsFor(RequestContext<CallToolRequestParams>? context) =>
        context?.JsonRpcRequest.Context?.LogLevel is { } level
            ? logs.Listen(level, server, message =>
                context.Server.SendNotificationAsync(
                    NotificationMethods.LoggingMessageNotification,
                    message,
                    McpJsonUtilities.DefaultOptions
                )
            )
            : null;

    private CallToolResult Own(CallToolResult result)
    {
        var own = new CallToolResult
        {
            Content = Bounded(result.Content, uriHere),
            StructuredContent = result.StructuredContent,
            IsError = result.IsError,
        };
        if (own.IsError is true)
        {
            own.StructuredContent = null;
            if (!own.Content.OfType<TextContentBlock>().Any())
            {
                own.Content.Add(new TextContentBlock { Text = $"{name} failed, and {server} did not say why." });
            }

            return own;
        }

        var structured = own.StructuredContent;
        var usable =
            structured is { ValueKind: JsonValueKind.Object } value && _output?.Problem("result", value) is null;
        if (usable)
        {
            return own;
        }

        if (structured is { } unusable && !own.Content.OfType<TextContentBlock>().Any())
        {
            own.Content.Insert(0, new TextContentBlock { Text = unusable.GetRawText() });
        }

        var text = string.Join('\n', own.Content.OfType<TextContentBlock>().Select(block => block.Text));
        // Strict clients refuse a result without structured content when the tool has an output schema.
        own.StructuredContent = _output is null
            ? null
            : JsonSerializer.SerializeToElement(new() { ["result"] = text }, RecordJson.Default.JsonObject);
        return own;
    }

    // The descriptions of a server in _meta, with its icons, are kilobytes in each block: they are not passed on.
    private static List<ContentBlock> Bounded(IList<ContentBlock> content, Func<string, string> uriHere)
    {
        JoinedServer.Rename(content, uriHere);
        List<ContentBlock> kept = [];
        long bytes = 0;
        foreach (var block in content)
        {
            var size = block switch
            {
                ImageContentBlock image => image.Data.Length,
                AudioContentBlock audio => audio.Data.Length,
                EmbeddedResourceBlock { Resource: BlobResourceContents blob } => blob.Blob.Length,
                EmbeddedResourceBlock { Resource: TextResourceContents text } => text.Text.Length,
                _ => 0,
            };
            block.Meta = null;
            kept.Add(
                (bytes += size) <= MaxBytes
                    ? block
                    : new TextContentBlock
                    {
                        Text = $"[omitted: {block.Type} of {size} characters; results may have {MaxBytes} of them]",
                    }
            );
            bytes = Math.Min(bytes, bytes > MaxBytes ? bytes - size : bytes);
        }

        return kept;
    }
}
