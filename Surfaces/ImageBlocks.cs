using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces;

/// <summary>Pictures where the surface has no blocks for them.</summary>
internal static class ImageBlocks
{
    /// <summary>
    /// The JSON of a result. Pictures stand beside the members of the value as "content", in the blocks that MCP has
    /// for them: a program can show them. ChatGPT cannot: a GPT Action may not return pictures, neither so nor as a
    /// file.
    /// </summary>
    public static ReadOnlyMemory<byte> Beside(ToolResult result)
    {
        // A remark stands in the JSON as well.
        var pictures = result.Beside.Where(block => block is not TextContentBlock).ToArray();
        if (pictures.Length == 0)
        {
            return result.Json;
        }

        var value = JsonNode.Parse(result.Json.Span)!.AsObject();
        value["content"] = JsonSerializer.SerializeToNode<IReadOnlyList<ContentBlock>>(pictures, ToolMethods.Json);
        var json = new JsonBuffer(); // which writes base64 as it is, and not + as six letters
        var writer = json.StartWriting();
        value.WriteTo(writer);
        writer.Flush();
        return json.Written;
    }
}
