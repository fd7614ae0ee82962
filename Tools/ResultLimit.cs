using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

/// <summary>
/// Limits the size of results to what clients accept (a GPT Action: 100,000 characters). A list is truncated between
/// two items, with a note, so that the model can narrow its request. Truncating an item would produce invalid JSON.
/// </summary>
internal static class ResultLimit
{
    public const int DefaultCharacters = 99_000;

    // The same options as the responses: see JsonBuffer.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static readonly JsonSerializerOptions Relaxed = new() { Encoder = Encoder };

    /// <summary>The text, or its beginning: in JSON a character can take six.</summary>
    public static string Cut(string text, int limit)
    {
        if (text.Length <= limit / 6 || Fitting(text, limit) == text.Length)
        {
            return text;
        }

        var end = Fitting(text, limit - 200);
        return string.Concat(
            text.AsSpan(0, end),
            $"\n[cut: these are the first {end} of {text.Length} characters; ask for less]"
        );
    }

    /// <summary>
    /// The same for a result of several blocks: each text gets its share. Other blocks cannot be truncated.
    /// </summary>
    public static CallToolResult Cut(CallToolResult result, int limit)
    {
        var texts = result.Content.OfType<TextContentBlock>().ToArray();
        if (
            texts.Sum(block => block.Text.Length) > limit / 6
            && texts.Sum(block => Encoder.Encode(block.Text).Length) > limit
        )
        {
            result.Content =
            [
                .. result.Content.Select(block =>
                    block is TextContentBlock text
                        ? new TextContentBlock
                        {
                            Text = Cut(text.Text, limit / texts.Length),
                            Annotations = text.Annotations,
                            Meta = text.Meta,
                        }
                        : block
                ),
            ];
        }

        return result;
    }

    public static void Apply(JsonBuffer json, int limit)
    {
        // A character is at least one byte, so only longer results need counting.
        if (json.Written.Length <= limit || Encoding.UTF8.GetCharCount(json.Written.Span) <= limit)
        {
            return;
        }

        var root = JsonNode.Parse(json.Written.Span)!.AsObject();
        root["truncated"] = CutList(root, limit)
            ?? CutTexts(root, limit)
            ?? throw new McpException(
                $"The result is longer than {limit} characters and cannot be truncated. Request less data."
            );
        json.Clear();
        var writer = json.StartWriting();
        root.WriteTo(writer);
        writer.Flush();
    }

    // The longest list of the answer ends between two items. What was done, or null when not even one item fits.
    private static string? CutList(JsonObject root, int limit)
    {
        var list = root.Select(property => property.Value)
            .OfType<JsonArray>()
            .MaxBy(array => array.ToJsonString().Length);
        if (list is null)
        {
            return null;
        }

        var total = list.Count;
        var room = limit - 300 - (root.ToJsonString(Relaxed).Length - list.ToJsonString(Relaxed).Length);
        var kept = 0;
        for (
            var used = 0;
            kept < total && (used += (list[kept]?.ToJsonString(Relaxed).Length ?? 4) + 1) <= room;
            kept++
        ) { }

        if (kept == 0)
        {
            return null;
        }

        while (list.Count > kept)
        {
            list.RemoveAt(list.Count - 1);
        }

        return $"Only the first {kept} of {total} items fit. Narrow the question to see the others.";
    }

    // A change that was made must not look like a failure because its answer is long: then its texts are truncated.
    private static string? CutTexts(JsonObject root, int limit)
    {
        for (var longest = 32_000; longest >= 125; longest /= 4)
        {
            Truncate(root, longest);
            var said = $"Texts of more than {longest} characters are truncated.";
            if (root.ToJsonString(Relaxed).Length <= limit - 300)
            {
                return said;
            }

            if (CutList(root, limit) is { } cut)
            {
                return $"{said} {cut}";
            }
        }

        return null;
    }

    private static void Truncate(JsonNode? node, int longest)
    {
        foreach (var (name, value) in node is JsonObject members ? members.ToArray() : [])
        {
            if (IsLonger(value, longest, out var text))
            {
                node![name] = text[..Fitting(text, longest)] + "…";
            }
            else
            {
                Truncate(value, longest);
            }
        }

        for (var index = 0; node is JsonArray items && index < items.Count; index++)
        {
            if (IsLonger(items[index], longest, out var text))
            {
                items[index] = text[..Fitting(text, longest)] + "…";
            }
            else
            {
                Truncate(items[index], longest);
            }
        }
    }

    private static bool IsLonger(JsonNode? node, int longest, [NotNullWhen(true)] out string? text)
    {
        text = node is JsonValue value && value.TryGetValue<string>(out var whole) ? whole : null;
        return text?.Length > longest;
    }

    /// <summary>How many letters of the text can be written with so many characters of JSON.</summary>
    public static int Fitting(string text, int room)
    {
        var written = ArrayPool<char>.Shared.Rent(room);
        Encoder.Encode(text, written.AsSpan(0, room), out var fitting, out _);
        ArrayPool<char>.Shared.Return(written);
        return fitting;
    }
}
