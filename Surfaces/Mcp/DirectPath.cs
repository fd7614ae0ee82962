using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The direct path: answers requests that need no session with one strict read, the governed function, and one write.
/// Responses that do not depend on the request are taken from the SDK once and cached, so clients cannot tell which
/// path answered.
/// </summary>
internal sealed class DirectPath(SdkPath sdk, SdkHandlers handlers, ScopeChallenge stepUp, IConfiguration configuration)
{
    // Disabled only to compare the two paths. A handshake is always answered here: its session is ours.
    private readonly bool _on = configuration.GetValue("Mcp:DirectPath", true);
    private readonly ConcurrentDictionary<(string Method, string Version, bool Logs), Task<byte[]>> _constant = new();

    /// <summary>Whether this path can answer the request.</summary>
    /// <param name="handshake">Of the conversation that the request is part of.</param>
    public bool Takes(in JsonRpcEnvelope envelope, string version, ToolSet tools, Handshake? handshake = null) =>
        _on
        && envelope.IsRequest
        && envelope.Method switch
        {
            "tools/call" => !(
                Name(envelope) is { } name
                && tools.Find(name) is { } tool
                && (
                    tool.NeedsConversation
                    || (tool.ReportsProgress && AsksForProgress(envelope))
                    || (tool.MayAsk && CanBeAsked(envelope, version, handshake))
                )
            ),
            "tools/list" => true,
            _ => NeedsNoTools(envelope.Method, version),
        };

    private static bool AsksForProgress(in JsonRpcEnvelope envelope) =>
        envelope.Meta("progressToken"u8).ValueKind is JsonValueKind.String or JsonValueKind.Number;

    // Since 2026-07-28 each request says what its client can do, and which log messages it wants.
    private static bool CanBeAsked(in JsonRpcEnvelope envelope, string version, Handshake? handshake)
    {
        if (!ProtocolRevision.IsModern(version))
        {
            return handshake?.CanBeAsked is true;
        }

        var client = envelope.Meta(ProtocolRevision.CapabilitiesKey);
        return envelope.Meta("io.modelcontextprotocol/logLevel"u8).ValueKind is JsonValueKind.String
            || envelope.Param("requestState"u8).ValueKind is JsonValueKind.String
            || (
                client.ValueKind is JsonValueKind.Object
                && (client.TryGetProperty("elicitation"u8, out _) || client.TryGetProperty("sampling"u8, out _))
            );
    }

    /// <summary>Methods that do not depend on the tools, which can be answered before they are created.</summary>
    public static bool NeedsNoTools(string? method, string version) =>
        method switch
        {
            "ping" or "initialize" => !ProtocolRevision.IsModern(version),
            "server/discover" => ProtocolRevision.IsModern(version),
            _ => false,
        };

    /// <summary>Answers a request over HTTP.</summary>
    public async Task AnswerAsync(
        HttpContext http,
        JsonRpcEnvelope envelope,
        string version,
        ToolSet tools,
        CancellationToken cancellationToken
    )
    {
        using var answer = new JsonBuffer();
        await AnswerAsync(envelope, version, tools, CallOrigin.Of(http), "http", answer, cancellationToken);
        await http.Response.WriteJsonAsync(StatusCodes.Status200OK, answer.Written);
    }

    /// <summary>Writes the complete JSON-RPC response.</summary>
    /// <param name="tools">May be null where <see cref="NeedsNoTools"/> is true.</param>
    public ValueTask AnswerAsync(
        JsonRpcEnvelope envelope,
        string version,
        ToolSet? tools,
        CallOrigin origin,
        string surface,
        JsonBuffer output,
        CancellationToken cancellationToken
    )
    {
        switch (envelope.Method)
        {
            case "tools/call":
                return CallAsync(envelope, version, tools!, origin, surface, output, cancellationToken);
            case "ping":
                Write(output, envelope, "{}"u8);
                return default;
            case "tools/list":
                return ListAsync(envelope, version, tools!, output);
            default:
                return ConstantAsync(envelope, version, output);
        }
    }

    private async ValueTask CallAsync(
        JsonRpcEnvelope envelope,
        string version,
        ToolSet tools,
        CallOrigin origin,
        string surface,
        JsonBuffer output,
        CancellationToken cancellationToken
    )
    {
        var (tool, arguments) = Target(envelope, tools);
        var call = new ToolCall(surface, origin)
        {
            SpeaksMcp = true,
            RequestId = envelope.Id,
            ProtocolVersion = version,
        }
            .With(arguments)
            .WithMeta(envelope.Param("_meta"u8));
        using var result = await McpResult.OfAsync(tool, call, version, envelope, cancellationToken);
        // Before the writer is used: it belongs to this thread, and an await may resume on another.
        var serverInfo = ProtocolRevision.IsModern(version) ? await ServerInfoAsync() : null;
        var writer = output.StartWriting();
        WriteStart(writer, envelope);
        writer.WriteStartObject();
        McpResult.WriteMembers(writer, result);
        if (serverInfo is not null)
        {
            writer.WriteString("resultType"u8, "complete"u8);
        }

        McpResult.WriteMeta(writer, serverInfo, stepUp.MetaOf(result, call));
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
    }

    /// <summary>The tool of a tools/call, and its arguments.</summary>
    public static (Tool Tool, JsonElement Arguments) Target(in JsonRpcEnvelope envelope, ToolSet tools)
    {
        var name = Name(envelope) ?? throw Invalid("tools/call needs \"name\", a string", envelope);
        var tool = tools.Find(name)
            ?? throw new JsonRpcException(
                JsonRpcErrorCode.InvalidParams,
                tools.NotFound(name),
                envelope.Id,
                StatusCodes.Status200OK
            );
        var arguments = envelope.Param("arguments"u8);
        return arguments.ValueKind is JsonValueKind.Object or JsonValueKind.Undefined or JsonValueKind.Null
            ? (tool, arguments)
            : throw Invalid("\"arguments\" must be an object", envelope);
    }

    private async ValueTask ListAsync(JsonRpcEnvelope envelope, string version, ToolSet tools, JsonBuffer output)
    {
        if (envelope.Param("cursor"u8).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
        {
            throw Invalid("unknown cursor. All tools come on one page", envelope);
        }

        var list = tools.Derive(("tools/list", version), () => AskAsync("tools/list", null, version, tools));
        Write(output, envelope, await list);
    }

    private async ValueTask ConstantAsync(JsonRpcEnvelope envelope, string version, JsonBuffer output) =>
        Write(output, envelope, await ConstantAsync(envelope.Method!, version));

    private Task<byte[]> ConstantAsync(string method, string version) =>
        _constant.GetOrAdd((method, version, handlers.OffersLogging), key =>
            AskAsync(key.Method, Hello(key), key.Version, null)
        );

    private static JsonObject? Hello((string Method, string Version, bool Logs) key) =>
        key.Method != "initialize"
            ? null
            : new()
            {
                ["protocolVersion"] = key.Version,
                ["capabilities"] = new JsonObject(),
                ["clientInfo"] = new JsonObject { ["name"] = "self", ["version"] = "1" },
            };

    // The members that the SDK adds to every result of 2026-07-28.
    private async Task<byte[]> ServerInfoAsync() =>
        await _constant.GetOrAdd(("_meta", ProtocolRevision.V2026_07_28, false), async _ =>
        {
            var discovered = JsonNode.Parse(await ConstantAsync("server/discover", ProtocolRevision.V2026_07_28))!;
            SdkHandlers.Shorten(discovered["_meta"]![SdkHandlers.ServerInfoKey]);
            return Encoding.UTF8.GetBytes(discovered["_meta"]!.ToJsonString());
        });

    private async Task<byte[]> AskAsync(string method, JsonObject? parameters, string version, ToolSet? tools)
    {
        var answer = await sdk.AskAsync(method, parameters, version, tools, CancellationToken.None);
        return Encoding.UTF8.GetBytes(answer.GetProperty("result").GetRawText());
    }

    private static JsonRpcException Invalid(string why, in JsonRpcEnvelope envelope) =>
        new(JsonRpcErrorCode.InvalidParams, $"Invalid params: {why}.", envelope.Id, StatusCodes.Status200OK);

    private static string? Name(in JsonRpcEnvelope envelope) =>
        envelope.Param("name"u8) is { ValueKind: JsonValueKind.String } name ? name.GetString() : null;

    private static void Write(JsonBuffer output, in JsonRpcEnvelope envelope, ReadOnlySpan<byte> result)
    {
        var writer = output.StartWriting();
        WriteStart(writer, envelope);
        writer.WriteRawValue(result, skipInputValidation: true);
        writer.WriteEndObject();
        writer.Flush();
    }

    public static void WriteStart(Utf8JsonWriter writer, in JsonRpcEnvelope envelope)
    {
        writer.WriteStartObject();
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(envelope.RawId, skipInputValidation: true);
        writer.WritePropertyName("result"u8);
    }
}
