using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Surfaces;

/// <summary>Converts the schemas of a tool for the OpenAPI document.</summary>
internal static partial class OpenApiSchemas
{
    // The limit of GPT Actions for a parameter's description.
    private const int MaxDescription = 700;

    public static OpenApiSchema Input(Tool tool, OpenApiDocument document) =>
        Read(tool.InputSchema.GetRawText(), document);

    // A tool without an output schema returns text, nothing, or content blocks such as images.
    public static OpenApiSchema Output(Tool tool, OpenApiDocument document) =>
        Read(
            tool.ResultSchema?.GetRawText()
                ?? """
                {
                  "type": "object",
                  "properties": {
                    "result": { "type": ["string", "null"], "description": "The answer." },
                    "content": {
                      "type": "array",
                      "description": "The answer's parts, when it is more than text.",
                      "items": { "type": "object", "properties": { "type": { "type": "string" } } }
                    }
                  }
                }
                """,
            document
        );

    public static OpenApiSchema Problem(OpenApiDocument document) =>
        Read(
            """
            {
              "type": "object",
              "properties": {
                "title": { "type": "string" },
                "status": { "type": "integer" },
                "detail": { "type": "string", "description": "What went wrong and how to fix it." }
              }
            }
            """,
            document
        );

    /// <summary>The schema of a preview, which replaces the result.</summary>
    public static OpenApiSchema Preview(OpenApiDocument document) =>
        Read(Governance.Preview.Schema.GetRawText(), document);

    /// <summary>
    /// Escapes plain text for CommonMark, the format of OpenAPI descriptions (section 4.5, "Rich Text Formatting"):
    /// otherwise <c>__name__</c> is bold. Text in backticks is unchanged.
    /// </summary>
    public static string Markdown(string text) =>
        Special()
            .Replace(text, match =>
                match.Value[0] == '`' ? match.Value : string.Concat(match.Value.Select(letter => $"\\{letter}"))
            );

    // Underscores within a word have no meaning.
    [GeneratedRegex(@"`[^`]*`|\*+|(?<!\w)_+|_+(?!\w)|<(?=[A-Za-z/!?])")]
    private static partial Regex Special();

    public static string Shorten(string text, int limit)
    {
        if (text.Length <= limit)
        {
            return text;
        }

        var end = text.LastIndexOf(". ", limit - 1, StringComparison.Ordinal);
        return end > limit / 2 ? text[..(end + 1)] : string.Concat(text.AsSpan(0, limit - 1), "…");
    }

    private static OpenApiSchema Read(string json, OpenApiDocument document)
    {
        var schema = JsonNode.Parse(json)!;
        ShortenDescriptions(schema);
        return OpenApiModelFactory.Parse<OpenApiSchema>(
            schema.ToJsonString(),
            OpenApiSpecVersion.OpenApi3_1,
            document,
            out _,
            "json"
        )!;
    }

    private static void ShortenDescriptions(JsonNode? schema)
    {
        if (
            schema is JsonObject node
            && node["description"] is JsonValue described
            && described.TryGetValue<string>(out var text)
        )
        {
            node["description"] = Shorten(Markdown(text), MaxDescription);
        }

        foreach (
            var child in schema is JsonObject parent ? parent.Select(member => member.Value) : schema as JsonArray ?? []
        )
        {
            ShortenDescriptions(child);
        }
    }
}
