using System.Buffers;
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
        var list = root.Select(property => property.Value)
            .OfType<JsonArray>()
            .MaxBy(array => array.ToJsonString().Length);
        var total = list?.Count ?? 0;
        var room =
            limit - 300 - (Encoding.UTF8.GetCharCount(json.Written.Span) - (list?.ToJsonString(Relaxed).Length ?? 0));
        var kept = 0;
        for (
            var used = 0;
            kept < total && (used += (list![kept]?.ToJsonString(Relaxed).Length ?? 4) + 1) <= room;
            kept++
        ) { }

        if (kept == 0)
        {
            throw new McpException($"The answer is longer than {limit} characters and cannot be cut. Ask for less.");
        }

        while (list!.Count > kept)
        {
            list.RemoveAt(list.Count - 1);
        }

        root["truncated"] = $"Only the first {kept} of {total} items fit. Narrow the question to see the others.";
        json.Clear();
        var writer = json.StartWriting();
        root.WriteTo(writer);
        writer.Flush();
    }

    // How many characters of the text fit into so many characters of JSON.
    private static int Fitting(string text, int room)
    {
        var written = ArrayPool<char>.Shared.Rent(room);
        Encoder.Encode(text, written.AsSpan(0, room), out var fitting, out _);
        ArrayPool<char>.Shared.Return(written);
        return fitting;
    }
}
