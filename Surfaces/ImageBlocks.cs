using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces;

/// <summary>Adds images to JSON results, for surfaces without content blocks.</summary>
internal static class ImageBlocks
{
    /// <summary>
    /// The JSON of a result, with its images as MCP content blocks in the member "content", for programs that can show
    /// them. ChatGPT cannot: a GPT Action may not return images.
    /// </summary>
    public static ReadOnlyMemory<byte> Beside(ToolResult result)
    {
        // Notes are in the JSON already.
        var pictures = result.Beside.Where(block => block is not TextContentBlock).ToArray();
        if (pictures.Length == 0)
        {
            return result.Json;
        }

        var value = JsonNode.Parse(result.Json.Span)!.AsObject();
        value["content"] = JsonSerializer.SerializeToNode<IReadOnlyList<ContentBlock>>(pictures, ToolMethods.Json);
        var json = new JsonBuffer(); // which writes base64 unescaped
        var writer = json.StartWriting();
        value.WriteTo(writer);
        writer.Flush();
        return json.Written;
    }
}
