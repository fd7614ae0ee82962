using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

/// <summary>
/// What a call gave, ready to be written: an object as JSON, plain text, or content blocks that the tool made itself; or a failure.
/// The JSON lies in a rented buffer: dispose the result after writing it.
/// </summary>
public sealed class ToolResult : IDisposable
{
    private readonly JsonBuffer? _json;

    private ToolResult(JsonBuffer? json = null, string? text = null, CallToolResult? content = null, Failure? failure = null, IReadOnlyList<ContentBlock>? beside = null, Preview? preview = null)
    {
        _json = json;
        Preview = preview;
        Beside = beside ?? [];
        Text = text;
        Content = content;
        Failure = failure;
    }

    /// <summary>The result as a JSON object; empty when it is text or content. With text beside it, that is what models read.</summary>
    public ReadOnlyMemory<byte> Json => _json?.Written ?? default;

    /// <summary>Pictures and remarks that belong to the JSON, of a tool that returns structured content.</summary>
    public IReadOnlyList<ContentBlock> Beside { get; }

    /// <summary>Plain text, of a tool that returns a string; or the sentence of the failure.</summary>
    public string? Text { get; }

    /// <summary>Content blocks, of a tool that returns pictures, resources or several parts.</summary>
    public CallToolResult? Content { get; }

    public Failure? Failure { get; }

    /// <summary>Nothing was done yet: the call was only to be looked at, or waits to be confirmed. No failure.</summary>
    public Preview? Preview { get; }

    public void Dispose() => _json?.Dispose();

    /// <summary>What a surface has to say itself.</summary>
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
                return new(content: failed, failure: new Failure(FailureKind.Tool, string.Join('\n', failed.Content.OfType<TextContentBlock>().Select(block => block.Text))));
            case CallToolResult { StructuredContent: { ValueKind: JsonValueKind.Object } structured } result:
                return Of(structured, result.Content, shape.MaxCharacters);
            case CallToolResult result:
                return new(content: ResultLimit.Cut(result, shape.MaxCharacters));
            case ContentBlock block:
                return new(content: ResultLimit.Cut(new CallToolResult { Content = [block] }, shape.MaxCharacters));
            case IEnumerable<ContentBlock> blocks:
                return new(content: ResultLimit.Cut(new CallToolResult { Content = [.. blocks] }, shape.MaxCharacters));
            case null when shape.IsObject:
                throw new McpException("There is no such thing: nothing was found for these arguments."); // null would not be what the output schema promises
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
                // MCP before 2026-07-28 and GPT Actions both want an object at the root.
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

    // The text for hosts that read no structured content is the same JSON, unless the tool brings a text of its own:
    // its first one. A picture counts as the characters that it is sent as.
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
            ResultLimit.Apply(json, Math.Max(maxCharacters / 4, maxCharacters - beside.OfType<ImageContentBlock>().Sum(picture => picture.Data.Length)));
            return new(json, own is null ? null : ResultLimit.Cut(own.Text, maxCharacters), beside: beside);
        }
        catch
        {
            json.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The result as it may leave: without the secrets of the settings, which an upstream may have echoed, and with
    /// characters that nobody sees shown. Every result of every family passes here, whatever surface it goes to.
    /// </summary>
    internal ToolResult Cleaned(Redactor redactor, int maxCharacters)
    {
        if (_json is not null)
        {
            foreach (var remark in Beside.OfType<TextContentBlock>())
            {
                remark.Text = Visible(redactor.Clean(remark.Text));
            }

            var isDirty = redactor.IsDirty(_json.Written.Span);
            if (!isDirty && !VisibleText.MayHide(_json.Written.Span))
            {
                return this;
            }

            var json = Encoding.UTF8.GetString(_json.Written.Span);
            var clean = CleanJson(isDirty ? redactor.Clean(json) : json);
            return ReferenceEquals(clean, json) ? this : Rewritten(clean, redactor, maxCharacters);
        }

        if (Text is { } said)
        {
            var clean = Visible(redactor.Clean(said));
            // What is shown takes more room than what was there.
            clean = clean.Length > said.Length ? ResultLimit.Cut(clean, maxCharacters) : clean;
            return clean == said ? this : new(text: clean, failure: Failure?.With(clean));
        }

        foreach (var block in Content?.Content.OfType<TextContentBlock>() ?? [])
        {
            block.Text = Visible(redactor.Clean(block.Text));
        }

        if (Content is not null)
        {
            ResultLimit.Cut(Content, maxCharacters);
        }

        if (Content?.StructuredContent is { } structured)
        {
            Content.StructuredContent = JsonElement.Parse(CleanJson(redactor.Clean(structured.GetRawText())));
        }

        return this;
    }

    private ToolResult Rewritten(string text, Redactor redactor, int maxCharacters)
    {
        _json!.Dispose();
        var json = new JsonBuffer();
        var writer = json.StartWriting();
        writer.WriteRawValue(text);
        writer.Flush();
        ResultLimit.Apply(json, maxCharacters);
        return new(json, Text is null ? null : Visible(redactor.Clean(Text)), beside: Beside, preview: Preview);
    }

    // A page with such characters can be written back: so its reader is told that they are not what stands there.
    private static string Visible(string text) => VisibleText.Show(text, out var shown) is var visible && shown > 0
        ? $"{visible}\n[{Note(shown)}]"
        : text;

    private static string CleanJson(string json)
    {
        VisibleText.Show(json, out var shown);
        if (shown == 0 && !json.Contains("\\u", StringComparison.Ordinal))
        {
            return json;
        }

        shown = 0;
        var root = JsonNode.Parse(json);
        root = Walk(root, ref shown);
        if (shown == 0)
        {
            return json;
        }

        if (root is JsonObject answer)
        {
            answer["escaped"] = Note(shown);
        }

        return root!.ToJsonString(ResultLimit.Relaxed);
    }

    private static JsonNode? Walk(JsonNode? node, ref int shown)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToArray())
                {
                    var visible = VisibleText.Show(name, out var inName);
                    shown += inName;
                    members.Remove(name);
                    members[visible] = Walk(value, ref shown);
                }

                return members;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    var item = items[i];
                    items[i] = null;
                    items[i] = Walk(item, ref shown);
                }

                return items;
            case JsonValue value when value.GetValueKind() is JsonValueKind.String:
                var text = VisibleText.Show(value.GetValue<string>(), out var inText);
                shown += inText;
                return inText == 0 ? value : JsonValue.Create(text);
            default:
                return node;
        }
    }

    private static string Note(int shown) => shown == 1
        ? "1 character that is not visible is shown as \\u{...}; it is no text of the original."
        : $"{shown} characters that are not visible are shown as \\u{{...}}; they are no text of the original.";

    /// <summary>How a tool's value becomes a result.</summary>
    internal sealed record Shape(JsonTypeInfo Type, bool IsObject, int MaxCharacters);
}
