using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>Pictures where the surface has no blocks for them.</summary>
internal static class Pictures
{
    /// <summary>
    /// The JSON of a result. Pictures stand beside the members of the value as "content", in the blocks that MCP has for them: a program can
    /// show them. ChatGPT cannot: a GPT Action may not return pictures, neither so nor as a file.
    /// </summary>
    public static ReadOnlyMemory<byte> Beside(ToolResult result)
    {
        if (result.Beside.Count == 0)
        {
            return result.Json;
        }

        var value = JsonNode.Parse(result.Json.Span)!.AsObject();
        value["content"] = JsonSerializer.SerializeToNode(result.Beside, ToolMethods.Json);
        var json = new JsonBuffer(); // which writes base64 as it is, and not + as six letters
        var writer = json.StartWriting();
        value.WriteTo(writer);
        writer.Flush();
        return json.Written;
    }
}
