using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Governance;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Sanitizes the SDK's messages: prompts, resources, lists, completions, elicitation, progress and errors contain
/// foreign text. Results and definitions of tools are already sanitized: <see cref="Tools.Tool"/>.
/// </summary>
internal sealed class SanitizedMessages(Redactor redactor)
{
    // The client or this server must get these back unchanged; "blob" is base64.
    private static readonly HashSet<string> Exact =
    [
        "progressToken",
        "requestId",
        "nextCursor",
        "requestState",
        "blob",
        "_meta",
    ];

    public void Show(JsonRpcMessage message)
    {
        switch (message)
        {
            case JsonRpcResponse { Result: JsonObject result }
                when result["tools"] is null && result["content"] is null:
                Show(result);
                break;
            case JsonRpcError { Error: { } error } failed:
                failed.Error = new()
                {
                    Code = error.Code,
                    Message = SanitizedText.Show(redactor.Clean(error.Message)),
                    Data = error.Data is JsonNode data ? Show(data) : error.Data,
                };
                break;
            case JsonRpcNotification { Params: { } news }:
                Show(news);
                break;
            case JsonRpcRequest { Params: { } question }:
                Show(question);
                break;
        }
    }

    private JsonNode? Show(JsonNode node) => new SanitizedJson(redactor, Exact, page: "text").Show(node);
}
