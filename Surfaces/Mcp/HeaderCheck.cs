using System.Globalization;
using System.Text.Json;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// Revision 2026-07-28 repeats parts of the body as headers, so that gateways can route without parsing. Header and
/// body must agree: otherwise a gateway would have allowed one call and the server would make another.
/// </summary>
internal static class HeaderCheck
{
    /// <summary>
    /// Finds the revision of a request and throws when its headers do not fit it. Null means an older revision that did
    /// not say which: the header came with 2025-06-18 and clients exist that leave it out.
    /// </summary>
    public static string? Revision(HttpRequest request, in JsonRpcEnvelope envelope)
    {
        var header = request.Headers["MCP-Protocol-Version"];
        var stated = header.Count == 1 ? Mcp.ProtocolRevision.Known(header[0]!.Trim()) : null;
        var inBody = envelope.Meta(Mcp.ProtocolRevision.VersionKey);
        if (header.Count == 0 && !Mcp.ProtocolRevision.IsModern(Text(inBody)))
        {
            return null;
        }

        if (
            stated is not null
            && !Mcp.ProtocolRevision.IsModern(stated)
            && !Mcp.ProtocolRevision.IsModern(Text(inBody))
        )
        {
            return stated;
        }

        if (header.Count > 1)
        {
            throw Mismatch("MCP-Protocol-Version stands more than once", envelope);
        }

        if (envelope.IsRequest)
        {
            RequireSameVersion(header.Count == 0 ? null : header[0]!.Trim(), inBody, stated, envelope);
        }
        else if (stated is null)
        {
            throw Unsupported(header.ToString(), envelope);
        }

        return stated;
    }

    /// <summary>The checks of a 2026-07-28 request beyond its version.</summary>
    public static void Modern(HttpRequest request, in JsonRpcEnvelope envelope, ToolSet tools)
    {
        if (envelope.Method is null)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Invalid request: revision 2026-07-28 has no requests from server to client: nothing to respond to.",
                envelope.Id
            );
        }

        var method = request.Headers["Mcp-Method"];
        if (method.Count != 1 || method[0]!.Trim() != envelope.Method)
        {
            var how = method.Count == 0 ? "is missing" : "differs from \"method\"";
            throw Mismatch($"the Mcp-Method header {how}", envelope);
        }

        var subject = envelope.Method switch
        {
            "tools/call" or "prompts/get" => envelope.Param("name"u8),
            "resources/read" => envelope.Param("uri"u8),
            _ => default,
        };
        if (subject.ValueKind is JsonValueKind.String)
        {
            var name = request.Headers["Mcp-Name"];
            if (name.Count != 1)
            {
                throw Mismatch("the Mcp-Name header is missing", envelope);
            }

            if (
                !(IsPlain(name[0]) && subject.ValueEquals(name[0]))
                && !subject.ValueEquals(Decode("Mcp-Name", name[0]!, envelope))
            )
            {
                throw Mismatch("the Mcp-Name header differs from the body", envelope);
            }
        }

        if (
            envelope.Method == "tools/call"
            && subject.ValueKind is JsonValueKind.String
            && tools.Find(subject.GetString()!) is { HasHeaders: true } tool
        )
        {
            Parameters(request, tool.InputSchema, envelope.Param("arguments"u8), envelope);
        }

        if (
            envelope.IsRequest
            && envelope.Meta(Mcp.ProtocolRevision.CapabilitiesKey).ValueKind is not JsonValueKind.Object
        )
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidParams,
                "Invalid params: _meta needs \"io.modelcontextprotocol/clientCapabilities\", an object.",
                envelope.Id
            );
        }
    }

    private static void RequireSameVersion(
        string? header,
        JsonElement inBody,
        string? stated,
        in JsonRpcEnvelope envelope
    )
    {
        if (header is null)
        {
            throw Mismatch("the MCP-Protocol-Version header is missing", envelope);
        }

        if (inBody.ValueKind is not JsonValueKind.String)
        {
            throw stated is null
                ? Unsupported(header, envelope)
                : new JsonRpcException(
                    JsonRpcErrorCode.InvalidParams,
                    "Invalid params: _meta needs \"io.modelcontextprotocol/protocolVersion\".",
                    envelope.Id
                );
        }

        if (!inBody.ValueEquals(header))
        {
            throw Mismatch("the MCP-Protocol-Version header differs from _meta", envelope);
        }

        if (stated is null)
        {
            throw Unsupported(header, envelope);
        }
    }

    private static void Parameters(
        HttpRequest request,
        JsonElement schema,
        JsonElement arguments,
        in JsonRpcEnvelope envelope
    )
    {
        if (
            schema.ValueKind is not JsonValueKind.Object
            || arguments.ValueKind is not JsonValueKind.Object
            || !schema.TryGetProperty("properties"u8, out var properties)
        )
        {
            return;
        }

        foreach (var property in properties.EnumerateObject())
        {
            if (
                property.Value.ValueKind is not JsonValueKind.Object
                || !arguments.TryGetProperty(property.Name, out var value)
                || value.ValueKind is JsonValueKind.Null
            )
            {
                continue;
            }

            Parameters(request, property.Value, value, envelope);
            if (
                property.Value.TryGetProperty("x-mcp-header"u8, out var annotated)
                && annotated.GetString() is { Length: > 0 } suffix
            )
            {
                var header = request.Headers["Mcp-Param-" + suffix];
                if (header.Count != 1)
                {
                    throw Mismatch($"the Mcp-Param-{suffix} header is missing", envelope);
                }

                if (!Same(Decode("Mcp-Param-" + suffix, header[0]!, envelope), value))
                {
                    throw Mismatch($"the Mcp-Param-{suffix} header differs from the argument", envelope);
                }
            }
        }
    }

    private static bool Same(string header, JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.ValueEquals(header),
            // Integers are compared as numbers: 5 and 5.0 are the same argument.
            JsonValueKind.Number => decimal.TryParse(
                header,
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out var number
            )
                && value.TryGetDecimal(out var argument)
                && number == argument,
            JsonValueKind.True => header == "true",
            JsonValueKind.False => header == "false",
            _ => false,
        };

    // Nothing to decode and nothing that is not allowed: what almost every name is.
    private static bool IsPlain(string? value) =>
        !value.AsSpan().ContainsAnyExceptInRange('!', '~') && !value.AsSpan().StartsWith("=?");

    private static string Decode(string name, string value, in JsonRpcEnvelope envelope)
    {
        var trimmed = value.Trim();
        return
            trimmed.All(letter => letter is '\t' or (>= ' ' and <= '~'))
            && McpHeaderEncoder.DecodeValue(trimmed) is { } decoded
            ? decoded
            : throw Mismatch($"the {name} header has characters or an encoding that is not allowed", envelope);
    }

    private static string? Text(JsonElement value) =>
        Mcp.ProtocolRevision.Known(value) ?? (value.ValueKind is JsonValueKind.String ? value.GetString() : null);

    private static JsonRpcException Unsupported(string requested, in JsonRpcEnvelope envelope) =>
        Mcp.ProtocolRevision.Unsupported(requested, envelope.Id);

    private static JsonRpcException Mismatch(string what, in JsonRpcEnvelope envelope) =>
        new(JsonRpcErrorCode.HeaderMismatch, $"Header mismatch: {what}.", envelope.Id);
}
