using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces;

/// <summary>Error codes of JSON-RPC 2.0 and of MCP (2026-07-28, -32020 and up).</summary>
internal static class JsonRpcErrorCode
{
    public const int ParseError = -32700;
    public const int InvalidRequest = -32600;
    public const int MethodNotFound = -32601;
    public const int InvalidParams = -32602;
    public const int InternalError = -32603;
    public const int ServerError = -32000;
    public const int SessionNotFound = -32001;
    public const int HeaderMismatch = -32020;
    public const int MissingCapability = -32021;
    public const int UnsupportedVersion = -32022;
}

/// <summary>A refused message, with the JSON-RPC error and the HTTP status.</summary>
/// <param name="message">May quote the caller's input: invisible characters are escaped.</param>
internal sealed class JsonRpcException(
    int code,
    string message,
    JsonElement id = default,
    int status = StatusCodes.Status400BadRequest,
    JsonObject? data = null
) : Exception(SanitizedText.Show(message))
{
    // A copy, since the document may be disposed when the error is written.
    private readonly string? _id = id.ValueKind is JsonValueKind.Undefined ? null : id.GetRawText();

    public int Code { get; } = code;

    public int Status { get; } = status;

    /// <summary>The challenge for <c>WWW-Authenticate</c>.</summary>
    public string? Challenge { get; init; }

    /// <summary>The complete JSON-RPC response. Dispose the buffer after writing it.</summary>
    public JsonBuffer ToJson()
    {
        var answer = new JsonBuffer();
        var writer = answer.StartWriting();
        writer.WriteStartObject();
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(_id ?? "null");
        writer.WriteStartObject("error"u8);
        writer.WriteNumber("code"u8, Code);
        writer.WriteString("message"u8, Message);
        if (data is not null)
        {
            writer.WritePropertyName("data"u8);
            data.WriteTo(writer);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return answer;
    }
}
