using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tools;

/// <summary>
/// Keeps every answer below what hosts accept (a GPT Action: 100,000 characters). A list is cut between two items and says so; the model
/// then narrows its question. Cutting inside an item would give JSON that nobody can read.
/// </summary>
internal static class ResultLimit
{
    public const int DefaultCharacters = 99_000;

    public static string Cut(string text, int limit) => text.Length <= limit
        ? text
        : string.Concat(text.AsSpan(0, limit - 200), $"\n[cut: these are the first {limit - 200} of {text.Length} characters; ask for less]");

    public static void Apply(JsonBuffer json, int limit)
    {
        // A character is at least one byte, so only an answer with more bytes than the limit needs to be counted.
        if (json.Written.Length <= limit || Encoding.UTF8.GetCharCount(json.Written.Span) <= limit)
        {
            return;
        }

        var root = JsonNode.Parse(json.Written.Span)!.AsObject();
        var list = root.Select(property => property.Value).OfType<JsonArray>().MaxBy(array => array.ToJsonString().Length);
        if (list is null or { Count: 0 })
        {
            throw new ModelContextProtocol.McpException($"The answer is longer than {limit} characters and cannot be cut. Ask for less.");
        }

        var total = list.Count;
        var room = limit - 300 - (Encoding.UTF8.GetCharCount(json.Written.Span) - list.ToJsonString(Relaxed).Length);
        var kept = 0;
        for (var used = 0; kept < total && (used += list[kept]!.ToJsonString(Relaxed).Length + 1) <= room; kept++)
        {
        }

        while (list.Count > kept)
        {
            list.RemoveAt(list.Count - 1);
        }

        root["truncated"] = $"Only the first {kept} of {total} items fit. Narrow the question to see the others.";
        json.Clear();
        var writer = json.StartWriting();
        root.WriteTo(writer);
        writer.Flush();
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
