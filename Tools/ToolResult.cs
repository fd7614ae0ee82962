using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

/// <summary>
/// The result of a call, ready to be written: a JSON object, plain text, content blocks of the tool, or a failure. The
/// JSON is in a rented buffer: dispose the result after writing it.
/// </summary>
internal sealed class ToolResult : IDisposable
{
    private static readonly JsonTypeInfo<ContentBlock> BlockInfo = McpTypeInfo.Of<ContentBlock>();

    private readonly JsonBuffer? _json;

    private ToolResult(
        JsonBuffer? json = null,
        string? text = null,
        CallToolResult? content = null,
        Failure? failure = null,
        IReadOnlyList<ContentBlock>? beside = null,
        Preview? preview = null
    )
    {
        _json = json;
        Preview = preview;
        Beside = beside ?? [];
        Text = text;
        Content = content;
        Failure = failure;
    }

    /// <summary>
    /// The result as a JSON object; empty for text or content blocks. When there is text as well, models read the text.
    /// </summary>
    public ReadOnlyMemory<byte> Json => _json?.Written ?? default;

    /// <summary>Images and notes of a tool that returns structured content.</summary>
    public IReadOnlyList<ContentBlock> Beside { get; }

    /// <summary>Plain text of a tool that returns a string; or the message of a failure.</summary>
    public string? Text { get; }

    /// <summary>Content blocks of a tool that returns images, resources or several parts.</summary>
    public CallToolResult? Content { get; }

    public Failure? Failure { get; }

    /// <summary>A preview: the call is a dry run or needs confirmation. Not a failure.</summary>
    public Preview? Preview { get; }

    public void Dispose() => _json?.Dispose();

    /// <summary>A failure that a surface reports itself.</summary>
    internal static ToolResult Of(CallToolResult content) => new(content: content);

    internal static ToolResult Of(Preview preview)
    {
        var json = new JsonBuffer();
        var writer = json.StartWriting();
        preview.ToJson().WriteTo(writer);
        writer.Flush();
        return new(json, preview.Message, preview: preview);
    }

    internal static ToolResult Of(Failure failure) => new(text: failure.Message, failure: failure);

    internal static ToolResult Of(object? value, Shape shape)
    {
        switch (value)
        {
            case string text:
                return new(text: ResultLimit.Cut(text, shape.MaxCharacters));
            case CallToolResult { IsError: true } failed:
                return new(content: failed, failure: new Failure(FailureKind.Tool, Sentence(failed)));
            case CallToolResult { StructuredContent: { ValueKind: JsonValueKind.Object } structured } result:
                return Of(structured, result.Content, shape.MaxCharacters);
            case CallToolResult result:
                return new(content: ResultLimit.Cut(result, shape.MaxCharacters));
            case ContentBlock block:
                return new(content: ResultLimit.Cut(new CallToolResult { Content = [block] }, shape.MaxCharacters));
            case IEnumerable<ContentBlock> blocks:
                return new(content: ResultLimit.Cut(new CallToolResult { Content = [.. blocks] }, shape.MaxCharacters));
            case null when shape.IsObject:
                // null would violate the output schema
                throw new McpException("Not found: no result matches these arguments.");
        }

        var json = new JsonBuffer();
        try
        {
            var writer = json.StartWriting();
            if (shape.IsObject)
            {
                JsonSerializer.Serialize(writer, value, shape.Type);
            }
            else
            {
                // MCP before 2026-07-28 and GPT Actions require an object at the root.
                writer.WriteStartObject();
                writer.WritePropertyName("result"u8);
                JsonSerializer.Serialize(writer, value, shape.Type);
                writer.WriteEndObject();
            }

            writer.Flush();
            ResultLimit.Apply(json, shape.MaxCharacters);
            return new(json);
        }
        catch
        {
            json.Dispose();
            throw;
        }
    }

    // The text for clients without structured content is the same JSON, unless the tool returns its own text, which
    // must come first. An image counts with its encoded length.
    private static ToolResult Of(JsonElement structured, IList<ContentBlock> content, int maxCharacters)
    {
        var own = content.OfType<TextContentBlock>().FirstOrDefault();
        ContentBlock[] beside = [.. content.Where(block => block != own)];
        var json = new JsonBuffer();
        try
        {
            var writer = json.StartWriting();
            structured.WriteTo(writer);
            writer.Flush();
            ResultLimit.Apply(
                json,
                Math.Max(
                    maxCharacters / 4,
                    maxCharacters - beside.OfType<ImageContentBlock>().Sum(picture => picture.Data.Length)
                )
            );
            return new(json, own is null ? null : ResultLimit.Cut(own.Text, maxCharacters), beside: beside);
        }
        catch
        {
            json.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Sanitizes the result: redacts secrets, which an upstream may have echoed, and escapes invisible characters.
    /// Every result of every family passes here, whatever the surface.
    /// </summary>
    internal ToolResult Cleaned(Redactor redactor, int maxCharacters)
    {
        if (_json is not null && Beside.Any(block => block is not ImageContentBlock))
        {
            ContentBlock[] beside = [.. Beside.Select(block => Cleaned(block, redactor))];
            return new ToolResult(_json, Text, beside: beside, preview: Preview).CleanedJson(redactor, maxCharacters);
        }

        if (_json is not null)
        {
            return CleanedJson(redactor, maxCharacters);
        }

        if (Text is { } said)
        {
            var clean = SanitizedJson.ShowPage(redactor.Clean(said));
            // Escaped text is longer.
            clean = clean.Length > said.Length ? ResultLimit.Cut(clean, maxCharacters) : clean;
            return clean == said ? this : new(text: clean, failure: Failure?.With(clean));
        }

        return Content is null ? this : Cleaned(Content, redactor, maxCharacters);
    }

    private ToolResult CleanedJson(Redactor redactor, int maxCharacters)
    {
        var own = Text is null ? null : SanitizedJson.ShowPage(redactor.Clean(Text));
        var isDirty = redactor.IsDirty(_json!.Written.Span);
        if (isDirty || SanitizedText.MayHide(_json.Written.Span))
        {
            var text = Encoding.UTF8.GetString(_json.Written.Span);
            var clean = CleanJson(isDirty ? redactor.Clean(text) : text);
            if (!ReferenceEquals(clean, text))
            {
                return Rewritten(clean, own, maxCharacters);
            }
        }

        return own == Text ? this : new(_json, own, beside: Beside, preview: Preview);
    }

    private ToolResult Cleaned(CallToolResult content, Redactor redactor, int maxCharacters)
    {
        content.Content = [.. content.Content.Select(block => Cleaned(block, redactor))];
        ResultLimit.Cut(content, maxCharacters);
        if (content.StructuredContent is { } structured)
        {
            content.StructuredContent = JsonElement.Parse(CleanJson(redactor.Clean(structured.GetRawText())));
        }

        _ = new SanitizedJson(redactor).Show(content.Meta);
        // Surfaces without content blocks show the failure's message instead.
        return Failure is null ? this : new(content: content, failure: Failure.With(Sentence(content)));
    }

    private static ContentBlock Cleaned(ContentBlock block, Redactor redactor)
    {
        switch (block)
        {
            case TextContentBlock text:
                text.Text = SanitizedJson.ShowPage(redactor.Clean(text.Text));
                return text;
            case ImageContentBlock or AudioContentBlock:
                return block;
            default: // a resource, or a link to one
                return SanitizedJson.Show(block, BlockInfo, redactor);
        }
    }

    private static string Sentence(CallToolResult failed) =>
        string.Join('\n', failed.Content.OfType<TextContentBlock>().Select(block => block.Text));

    private ToolResult Rewritten(string text, string? own, int maxCharacters)
    {
        _json!.Dispose();
        var json = new JsonBuffer();
        var writer = json.StartWriting();
        writer.WriteRawValue(text);
        writer.Flush();
        ResultLimit.Apply(json, maxCharacters);
        return new(json, own, beside: Beside, preview: Preview);
    }

    private static string CleanJson(string json)
    {
        if (!json.Contains("\\u", StringComparison.Ordinal))
        {
            SanitizedText.Show(json, out var shown);
            if (shown == 0)
            {
                return json;
            }
        }

        return SanitizedJson.Show(json);
    }

    /// <summary>Converts a tool's return value to a result.</summary>
    internal sealed record Shape(JsonTypeInfo Type, bool IsObject, int MaxCharacters);
}
