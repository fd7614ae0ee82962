using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace MinimalMcp.Surfaces;

/// <summary>
/// A JSON-RPC message, parsed strictly: exact names, no duplicate keys, valid UTF-8, bounded depth. Lenient parsers can
/// read one message in two ways (CVE-2026-27896). Holds the parsed document: dispose it after the response is written.
/// </summary>
internal readonly struct JsonRpcEnvelope : IDisposable
{
    public const int MaxDepth = 64;

    private static readonly JsonDocumentOptions Strict = new()
    {
        MaxDepth = MaxDepth,
        AllowDuplicateProperties = false,
    };

    private readonly JsonDocument? _document;

    private JsonRpcEnvelope(
        JsonDocument? document,
        JsonElement root,
        JsonElement id,
        string? method,
        JsonElement parameters
    )
    {
        _document = document;
        Root = root;
        Id = id;
        Method = method;
        Params = parameters;
    }

    /// <summary>The whole message.</summary>
    public JsonElement Root { get; }

    /// <summary>A string or an integer; undefined for a notification.</summary>
    public JsonElement Id { get; }

    /// <summary>Null when the message is a response to a server request.</summary>
    public string? Method { get; }

    /// <summary>An object, or undefined.</summary>
    public JsonElement Params { get; }

    public bool IsRequest => Method is not null && Id.ValueKind is not JsonValueKind.Undefined;

    public bool IsNotification => Method is not null && Id.ValueKind is JsonValueKind.Undefined;

    public ReadOnlySpan<byte> RawId =>
        Id.ValueKind is JsonValueKind.Undefined ? "null"u8 : JsonMarshal.GetRawUtf8Value(Id);

    /// <summary>
    /// Parses a message. The bytes must outlive it. Throws <see cref="JsonRpcException"/> with the JSON-RPC error code.
    /// </summary>
    public static JsonDocument Parse(ReadOnlySequence<byte> body)
    {
        if (body.IsEmpty)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.ParseError,
                "Parse error: the body is empty; send one JSON-RPC message."
            );
        }

        // Otherwise invalid UTF-8 inside a string would surface later.
        var bytes = body.IsSingleSegment ? body.First : body.ToArray();
        if (!Utf8.IsValid(bytes.Span))
        {
            throw new JsonRpcException(JsonRpcErrorCode.ParseError, "Parse error: the body is not UTF-8.");
        }

        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(bytes, Strict);
            if (MayHaveSurrogates(bytes.Span))
            {
                RequireWholeLetters(document.RootElement);
            }

            return document;
        }
        catch (JsonException error)
        {
            throw new JsonRpcException(JsonRpcErrorCode.ParseError, $"Parse error: {Reason(error)}");
        }
        catch (InvalidOperationException)
        {
            document?.Dispose();
            throw new JsonRpcException(
                JsonRpcErrorCode.ParseError,
                "Parse error: a string has half of a surrogate pair (\\ud800 to \\udfff)."
            );
        }
    }

    private static bool MayHaveSurrogates(ReadOnlySpan<byte> json) =>
        json.IndexOf("\\ud"u8) >= 0 || json.IndexOf("\\uD"u8) >= 0;

    // An escape can encode an unpaired surrogate; reading it throws, which must happen here and not in a tool.
    private static void RequireWholeLetters(JsonElement element)
    {
        if (element.ValueKind is JsonValueKind.String)
        {
            _ = element.GetString();
        }
        else if (element.ValueKind is JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                RequireWholeLetters(item);
            }
        }
        else if (element.ValueKind is JsonValueKind.Object)
        {
            foreach (var member in element.EnumerateObject())
            {
                _ = member.Name;
                RequireWholeLetters(member.Value);
            }
        }
    }

    public static JsonRpcEnvelope Read(ReadOnlySequence<byte> body)
    {
        var document = Parse(body);
        try
        {
            return Read(document.RootElement, document);
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    /// <summary>Reads one message; without a document to own for a message of a batch.</summary>
    public static JsonRpcEnvelope Read(JsonElement message, JsonDocument? owner = null)
    {
        if (message.ValueKind is not JsonValueKind.Object)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                message.ValueKind is JsonValueKind.Array
                    ? "Invalid request: batches exist only in revision 2025-03-26; send one message per request."
                    : "Invalid request: a JSON-RPC message is an object."
            );
        }

        JsonElement version = default,
            id = default,
            method = default,
            parameters = default;
        var isResponse = false;
        foreach (var member in message.EnumerateObject())
        {
            if (member.NameEquals("jsonrpc"u8))
            {
                version = member.Value;
            }
            else if (member.NameEquals("id"u8))
            {
                id = member.Value;
            }
            else if (member.NameEquals("method"u8))
            {
                method = member.Value;
            }
            else if (member.NameEquals("params"u8))
            {
                parameters = member.Value;
            }
            else
            {
                isResponse |= member.NameEquals("result"u8) || member.NameEquals("error"u8);
            }
        }

        // MCP narrows JSON-RPC: an id is a string or an integer, never null.
        var idIsGood =
            id.ValueKind is JsonValueKind.Undefined
            || (id.ValueKind is JsonValueKind.String && JsonMarshal.GetRawUtf8Value(id).Length <= 258)
            || (id.ValueKind is JsonValueKind.Number && id.TryGetInt64(out _));
        if (!idIsGood)
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Invalid request: id must be a string of at most 256 bytes or an integer."
            );
        }

        if (version.ValueKind is not JsonValueKind.String || !version.ValueEquals("2.0"u8))
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Invalid request: \"jsonrpc\" must be \"2.0\".",
                id
            );
        }

        if (method.ValueKind is JsonValueKind.Undefined && isResponse && id.ValueKind is not JsonValueKind.Undefined)
        {
            return new(owner, message, id, null, parameters);
        }

        if (
            method.ValueKind is not JsonValueKind.String
            || isResponse
            || JsonMarshal.GetRawUtf8Value(method).Length is <= 2 or > 130
        )
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Invalid request: \"method\" must be a string of 1 to 128 bytes, and a request has no result or error.",
                id
            );
        }

        if (parameters.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined))
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidParams,
                "Invalid params: \"params\" must be an object.",
                id
            );
        }

        return new(owner, message, id, method.GetString(), parameters);
    }

    /// <summary>A member of params, or undefined.</summary>
    public JsonElement Param(ReadOnlySpan<byte> name) =>
        Params.ValueKind is JsonValueKind.Object && Params.TryGetProperty(name, out var value) ? value : default;

    /// <summary>A member of <c>params._meta</c>, or undefined.</summary>
    public JsonElement Meta(ReadOnlySpan<byte> name) =>
        Param("_meta"u8) is { ValueKind: JsonValueKind.Object } meta && meta.TryGetProperty(name, out var value)
            ? value
            : default;

    public void Dispose() => _document?.Dispose();

    // The reader's messages quote the input and may be long; the broken rule and its position are enough.
    private static string Reason(JsonException error) =>
        error.Message switch
        {
            var text when text.Contains("maximum configured depth", StringComparison.Ordinal) =>
                $"the body is nested deeper than {MaxDepth} levels.",
            var text when text.Contains("uplicate", StringComparison.Ordinal) => "an object has a duplicate key.",
            _ => $"the body is not valid JSON (line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}).",
        };
}
