using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>The protocol revisions that are served, and how a request says which one it speaks.</summary>
internal static class ProtocolRevision
{
    public const string V2024_11_05 = "2024-11-05";
    public const string V2025_03_26 = "2025-03-26";
    public const string V2025_06_18 = "2025-06-18";
    public const string V2025_11_25 = "2025-11-25";
    public const string V2026_07_28 = "2026-07-28";

    public const string NewestWithHandshake = V2025_11_25;

    /// <summary>Newest first.</summary>
    public static readonly string[] All = [V2026_07_28, V2025_11_25, V2025_06_18, V2025_03_26, V2024_11_05];

    public static ReadOnlySpan<byte> VersionKey => "io.modelcontextprotocol/protocolVersion"u8;

    public static ReadOnlySpan<byte> CapabilitiesKey => "io.modelcontextprotocol/clientCapabilities"u8;

    /// <summary>
    /// A handshake, whatever revision its headers name: clients of every age open with one. Without
    /// <c>protocolVersion</c> it is none when the rest of the request speaks 2026-07-28, which has no initialize.
    /// </summary>
    public static bool IsHandshake(in JsonRpcEnvelope envelope) =>
        envelope is { IsRequest: true, Method: "initialize" }
        && (
            envelope.Param("protocolVersion"u8).ValueKind is not JsonValueKind.Undefined
            || !IsModern(Known(envelope.Meta(VersionKey)))
        );

    /// <summary>Since 2026-07-28 there is no handshake and no session: every request says what it needs to.</summary>
    public static bool IsModern(string? version) => string.CompareOrdinal(version, V2026_07_28) >= 0;

    /// <summary>The known spelling of a version, without allocating; null when it is not one of ours.</summary>
    public static string? Known(JsonElement version) =>
        version.ValueKind is not JsonValueKind.String ? null
        : version.ValueEquals(V2025_11_25) ? V2025_11_25
        : version.ValueEquals(V2026_07_28) ? V2026_07_28
        : version.ValueEquals(V2025_06_18) ? V2025_06_18
        : version.ValueEquals(V2025_03_26) ? V2025_03_26
        : version.ValueEquals(V2024_11_05) ? V2024_11_05
        : null;

    public static string? Known(string version) => Array.Find(All, known => known == version);

    /// <summary>Methods that 2026-07-28 took away.</summary>
    public static bool IsRemoved(string method) =>
        method is "initialize" or "ping" or "logging/setLevel" or "resources/subscribe" or "resources/unsubscribe";

    /// <summary>The HTTP status of an answered error: since 2026-07-28 some codes have one of their own.</summary>
    public static int StatusOf(int code, string version) =>
        !IsModern(version)
            ? StatusCodes.Status200OK
            : code switch
            {
                JsonRpcErrorCode.MethodNotFound => StatusCodes.Status404NotFound,
                JsonRpcErrorCode.HeaderMismatch
                or JsonRpcErrorCode.MissingCapability
                or JsonRpcErrorCode.UnsupportedVersion => StatusCodes.Status400BadRequest,
                _ => StatusCodes.Status200OK,
            };

    /// <summary>
    /// The revision that <c>initialize</c> settles on: the one that was asked for, or the newest with a handshake
    /// (lifecycle, "Version Negotiation": never an error).
    /// </summary>
    public static string Negotiate(in JsonRpcEnvelope initialize)
    {
        var asked = initialize.Param("protocolVersion"u8);
        if (asked.ValueKind is not JsonValueKind.String)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidParams,
                "Invalid params: initialize needs \"protocolVersion\", a string.",
                initialize.Id,
                StatusCodes.Status200OK
            );
        }

        return Known(asked) is { } known && !IsModern(known) ? known : NewestWithHandshake;
    }

    /// <summary>Lists all revisions: those before 2026-07-28 are agreed on with <c>initialize</c>.</summary>
    public static JsonRpcException Unsupported(string requested, JsonElement id)
    {
        var shown = requested.Length <= 40 ? requested : requested[..40];
        var message = $"Unsupported protocol version: {shown}. Supported here: {string.Join(", ", All)}.";
        return new(
            JsonRpcErrorCode.UnsupportedVersion,
            message,
            id,
            data: new JsonObject { ["supported"] = AllAsJson(), ["requested"] = shown }
        );
    }

    public static JsonArray AllAsJson() => [.. All.Select(version => (JsonNode)version)];
}
