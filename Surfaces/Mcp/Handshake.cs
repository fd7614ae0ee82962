using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The client's <c>initialize</c>: the negotiated revision, and what the SDK's server needs when it starts later.
/// Bounded, because anybody may send one.
/// </summary>
internal sealed class Handshake
{
    private const int MaxBytes = 64 << 10,
        MaxCapabilityBytes = 4 << 10,
        MaxDepth = 16,
        MaxName = 100;

    private static readonly JsonTypeInfo<ClientCapabilities> CapabilitiesInfo =
        McpJsonUtilities.ProtocolOptions.GetTypeInfo<ClientCapabilities>();

    private readonly byte[] _capabilities;
    private bool? _canBeAsked;

    private Handshake(string version, string name, string clientVersion, byte[] capabilities) =>
        (Version, Name, ClientVersion, _capabilities) = (version, name, clientVersion, capabilities);

    /// <summary>The negotiated revision.</summary>
    public string Version { get; }

    /// <summary>The client's name and version, as it sent them.</summary>
    public string Name { get; }

    public string ClientVersion { get; }

    public static Handshake Read(in JsonRpcEnvelope initialize)
    {
        if (initialize.Params.ValueKind is JsonValueKind.Object && initialize.Params.GetRawText().Length > MaxBytes)
        {
            throw Refused($"initialize takes at most {MaxBytes} bytes", initialize);
        }

        var version = ProtocolRevision.Negotiate(initialize);
        var client = initialize.Param("clientInfo"u8);
        return new(version, Member(client, "name"u8), Member(client, "version"u8), Capabilities(initialize));
    }

    /// <summary>The client may be asked something during a call.</summary>
    public bool CanBeAsked =>
        _canBeAsked ??= CallerQuestions.CanBeAsked(JsonSerializer.Deserialize(_capabilities, CapabilitiesInfo));

    /// <summary>The handshake in the SDK's type.</summary>
    public InitializeRequestParams ToParams() =>
        new()
        {
            ProtocolVersion = Version,
            ClientInfo = new Implementation { Name = Name, Version = ClientVersion },
            Capabilities = JsonSerializer.Deserialize(_capabilities, CapabilitiesInfo) ?? new(),
        };

    /// <summary>Serialized, for a session id that contains it.</summary>
    public byte[] Pack() =>
        [(byte)Array.IndexOf(ProtocolRevision.All, Version), .. Text(Name), .. Text(ClientVersion), .. _capabilities];

    /// <summary>Reads the bytes of <see cref="Pack"/>, whose signature was verified.</summary>
    public static Handshake Unpack(ReadOnlySpan<byte> packed)
    {
        var name = packed.Slice(2, packed[1]);
        var version = packed.Slice(3 + name.Length, packed[2 + name.Length]);
        return new(
            ProtocolRevision.All[packed[0]],
            Encoding.UTF8.GetString(name),
            Encoding.UTF8.GetString(version),
            packed[(3 + name.Length + version.Length)..].ToArray()
        );
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [(byte)Math.Min(bytes.Length, byte.MaxValue), .. bytes.AsSpan(0, Math.Min(bytes.Length, byte.MaxValue))];
    }

    private static byte[] Capabilities(in JsonRpcEnvelope initialize)
    {
        var given = initialize.Param("capabilities"u8);
        if (given.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return "{}"u8.ToArray();
        }

        var bytes = Encoding.UTF8.GetBytes(given.GetRawText());
        if (given.ValueKind is not JsonValueKind.Object || bytes.Length > MaxCapabilityBytes)
        {
            throw Refused($"\"capabilities\" must be an object of at most {MaxCapabilityBytes} bytes", initialize);
        }

        try
        {
            using var bounded = JsonDocument.Parse(bytes, new() { MaxDepth = MaxDepth });
            _ = JsonSerializer.Deserialize(bytes, CapabilitiesInfo);
            return bytes;
        }
        catch (JsonException)
        {
            throw Refused($"\"capabilities\" has a member of a wrong type, or more than {MaxDepth} levels", initialize);
        }
    }

    private static string Member(JsonElement info, ReadOnlySpan<byte> name)
    {
        var text =
            info.ValueKind is JsonValueKind.Object
            && info.TryGetProperty(name, out var value)
            && value.ValueKind is JsonValueKind.String
                ? value.GetString()!
                : "";
        return text.Length <= MaxName ? text : text[..MaxName];
    }

    private static JsonRpcException Refused(string why, in JsonRpcEnvelope initialize) =>
        new(JsonRpcErrorCode.InvalidParams, $"Invalid params: {why}.", initialize.Id, StatusCodes.Status200OK);
}
