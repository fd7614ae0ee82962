using System.ComponentModel;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Conformance;

/// <summary>
/// Tools that answer without asking anything: one for each kind of content, plus errors, progress and logging.
/// </summary>
[McpServerToolType]
public sealed class ContentTools
{
    // One red pixel, and a WAV file with no samples: the smallest files that real decoders accept.
    internal static readonly byte[] Png = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    );
    private static readonly byte[] Wav = Convert.FromBase64String(
        "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="
    );

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    [McpServerTool(Name = "test_simple_text"), Description("Returns one text block.")]
    public static string SimpleText() => "This is a simple text response for testing.";

    [McpServerTool(Name = "test_image_content"), Description("Returns one image block.")]
    public static ContentBlock Image() => ImageContentBlock.FromBytes(Png, "image/png");

    [McpServerTool(Name = "test_audio_content"), Description("Returns one audio block.")]
    public static ContentBlock Audio() => AudioContentBlock.FromBytes(Wav, "audio/wav");

    [McpServerTool(Name = "test_embedded_resource"), Description("Returns one embedded resource.")]
    public static ContentBlock EmbeddedResource() =>
        Resource("test://embedded-resource", "text/plain", "This is an embedded resource content.");

    [
        McpServerTool(Name = "test_multiple_content_types"),
        Description("Returns a text, an image and an embedded resource.")
    ]
    public static IEnumerable<ContentBlock> MixedContent() =>
        [
            new TextContentBlock { Text = "Multiple content types test:" },
            ImageContentBlock.FromBytes(Png, "image/png"),
            Resource("test://mixed-content-resource", "application/json", """{"test":"data","value":123}"""),
        ];

    [McpServerTool(Name = "test_error_handling"), Description("Always fails.")]
    public static string Error() => throw new McpException("This tool intentionally returns an error for testing");

    [McpServerTool(Name = "test_tool_with_progress"), Description("Reports progress 0, 50 and 100 of 100.")]
    public static async Task<string> Progress(
        IProgress<ProgressNotificationValue> progress,
        CancellationToken cancellationToken
    )
    {
        progress.Report(new() { Progress = 0, Total = 100 });
        await Task.Delay(Pause, cancellationToken);
        progress.Report(new() { Progress = 50, Total = 100 });
        await Task.Delay(Pause, cancellationToken);
        progress.Report(new() { Progress = 100, Total = 100 });
        return "Progress finished.";
    }

    [McpServerTool(Name = "test_tool_with_logging"), Description("Sends three log notifications.")]
    public static async Task<string> Logging(
        RequestContext<CallToolRequestParams> context,
        CancellationToken cancellationToken
    )
    {
        await LogAsync(context, "Tool execution started", cancellationToken);
        await Task.Delay(Pause, cancellationToken);
        await LogAsync(context, "Tool processing data", cancellationToken);
        await Task.Delay(Pause, cancellationToken);
        await LogAsync(context, "Tool execution completed", cancellationToken);
        return "Logging finished.";
    }

    [
        McpServerTool(Name = "test_header_parameter"),
        Description("Returns its argument, which the client repeats as Mcp-Param-Region.")
    ]
    public static string HeaderParameter([McpHeader("Region"), Description("Any text")] string region) => region;

    /// <summary>
    /// Before 2026-07-28 a client is sent everything until it sets a level; since then, nothing unless the request
    /// itself names one.
    /// </summary>
    internal static Task LogAsync(
        RequestContext<CallToolRequestParams> context,
        string text,
        CancellationToken cancellationToken
    )
    {
        var request = context.JsonRpcRequest.Context;
        var perRequest = string.CompareOrdinal(request?.ProtocolVersion, "2026-07-28") >= 0;
        var level = perRequest ? request?.LogLevel : context.Server.LoggingLevel ?? LoggingLevel.Debug;
        if (level is null || level > LoggingLevel.Info)
        {
            return Task.CompletedTask;
        }
        return context.Server.SendNotificationAsync(
            NotificationMethods.LoggingMessageNotification,
            new LoggingMessageNotificationParams
            {
                Level = LoggingLevel.Info,
                Data = JsonSerializer.SerializeToElement(text),
            },
            cancellationToken: cancellationToken
        );
    }

    private static EmbeddedResourceBlock Resource(string uri, string mimeType, string text) =>
        new()
        {
            Resource = new TextResourceContents
            {
                Uri = uri,
                MimeType = mimeType,
                Text = text,
            },
        };
}
