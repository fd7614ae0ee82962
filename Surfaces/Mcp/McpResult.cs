using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using Tool = MinimalMcp.Tools.Tool;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// A tool's result as tools/call answers it: for the SDK, and written directly. The two must say the same.
/// </summary>
internal static class McpResult
{
    private static readonly JsonTypeInfo<CallToolResult> ResultInfo = McpTypeInfo.Of<CallToolResult>();

    private static readonly JsonTypeInfo<ContentBlock> BlockInfo = McpTypeInfo.Of<ContentBlock>();

    /// <summary>Calls a tool, which may answer with an error of the protocol itself.</summary>
    public static async ValueTask<ToolResult> OfAsync(
        Tool tool,
        ToolCall call,
        string version,
        JsonRpcEnvelope envelope,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await tool.CallAsync(call, cancellationToken);
        }
        catch (McpProtocolException refused)
        {
            throw new JsonRpcException(
                (int)refused.ErrorCode,
                refused.Message,
                envelope.Id,
                ProtocolRevision.StatusOf((int)refused.ErrorCode, version)
            );
        }
    }

    public static CallToolResult ToSdk(ToolResult result, JsonObject? meta) =>
        result.Content
        ?? new CallToolResult
        {
            Meta = meta,
            Content =
            [
                new TextContentBlock { Text = result.Text ?? System.Text.Encoding.UTF8.GetString(result.Json.Span) },
                .. result.Beside,
            ],
            StructuredContent = result.Json.IsEmpty ? null : JsonElement.Parse(result.Json.Span),
            IsError = result.Failure is null ? null : true,
        };

    /// <summary>Writes the members of the result object, without its braces.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, ToolResult result)
    {
        if (result.Content is { } content)
        {
            foreach (var member in JsonSerializer.SerializeToElement(content, ResultInfo).EnumerateObject())
            {
                member.WriteTo(writer);
            }

            return;
        }

        writer.WriteStartArray("content"u8);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "text"u8);
        if (result.Text is { } text)
        {
            writer.WriteString("text"u8, text);
        }
        else
        {
            writer.WriteString("text"u8, result.Json.Span);
        }

        writer.WriteEndObject();
        foreach (var block in result.Beside)
        {
            JsonSerializer.SerializeToElement(block, BlockInfo).WriteTo(writer);
        }

        writer.WriteEndArray();
        if (!result.Json.IsEmpty)
        {
            writer.WritePropertyName("structuredContent"u8);
            writer.WriteRawValue(result.Json.Span, skipInputValidation: true);
        }

        if (result.Failure is not null)
        {
            writer.WriteBoolean("isError"u8, true);
        }
    }

    /// <summary>
    /// Writes <c>_meta</c>: what every result of 2026-07-28 has, and what this one has to say. Both may be null.
    /// </summary>
    public static void WriteMeta(Utf8JsonWriter writer, byte[]? always, JsonObject? own)
    {
        if (own is not null)
        {
            foreach (var (name, value) in always is null ? [] : JsonNode.Parse(always)!.AsObject())
            {
                own[name] = value?.DeepClone();
            }

            writer.WritePropertyName("_meta"u8);
            own.WriteTo(writer);
        }
        else if (always is not null)
        {
            writer.WritePropertyName("_meta"u8);
            writer.WriteRawValue(always, skipInputValidation: true);
        }
    }
}
