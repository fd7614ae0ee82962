using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// A JWT in compact form (RFC 7515 section 7.1) with an acceptable header. Nothing in it is trusted yet.
/// </summary>
internal sealed class SignedToken
{
    // Critical extensions, encryption, compression: a recipient that does not support them must refuse the token (RFC
    // 7515 section 4.1.11), and we support none.
    private static readonly string[] Unsupported = ["crit", "zip", "enc", "b64"];

    private readonly string _token;
    private readonly int _signedLength;
    private readonly byte[] _payload,
        _signature;

    private SignedToken(
        string token,
        int payloadStart,
        int signatureStart,
        JsonElement header,
        TokenValidationRules rules
    )
    {
        Algorithm = Text(header, "alg") ?? throw Refuse("has no algorithm (alg)");
        if (!rules.Algorithms.Contains(Algorithm))
        {
            throw Refuse("is signed with an algorithm that is not allowed");
        }

        Type = Text(header, "typ");
        if (
            Type is null
                ? rules.TypeRequired
                : !rules.Types.Contains(
                    Type.StartsWith("application/", StringComparison.OrdinalIgnoreCase) ? Type[12..] : Type
                )
        )
        {
            throw Refuse("has a type that this server does not accept (header typ)");
        }

        KeyId = Text(header, "kid");
        (_token, _signedLength) = (token, signatureStart - 1);
        _payload = Decode(token.AsSpan(payloadStart, _signedLength - payloadStart));
        _signature = Decode(token.AsSpan(signatureStart));
    }

    public string Algorithm { get; }

    public string? KeyId { get; }

    public string? Type { get; }

    public static SignedToken Parse(string token, TokenValidationRules rules)
    {
        if (token.Length > rules.MaxLength)
        {
            throw Refuse($"is longer than {rules.MaxLength} characters");
        }

        var (first, last) = (token.IndexOf('.'), token.LastIndexOf('.'));
        if (first < 0 || first == last || token.AsSpan(first + 1, last - first - 1).Contains('.'))
        {
            throw Refuse("is not a JWT of three parts");
        }

        var header = Json(Decode(token.AsSpan(0, first)), "header");
        return Unsupported.FirstOrDefault(name => header.TryGetProperty(name, out _)) is { } unsupported
            ? throw Refuse($"has the header {unsupported}, which is not supported")
            : new(token, first + 1, last + 1, header, rules);
    }

    /// <summary>Verifies the signature and returns the payload.</summary>
    public JsonElement Open(SignatureKey key)
    {
        var signed = ArrayPool<byte>.Shared.Rent(_signedLength);
        try
        {
            Encoding.ASCII.GetBytes(_token.AsSpan(0, _signedLength), signed); // Decode accepted only ASCII
            return key.Verify(Algorithm, signed.AsSpan(0, _signedLength), _signature)
                ? Json(_payload, "payload")
                : throw Refuse("has an invalid signature");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(signed);
        }
    }

    public static TokenRefusedException Refuse(string why) => new($"The token {why}.");

    // One encoding per value, so that no two strings are the same token: no padding, no spaces, no stray bits at the
    // end.
    private static byte[] Decode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        return
            Base64Url.DecodeFromChars(text, bytes, out _, out var written) is OperationStatus.Done
            && text.SequenceEqual(Base64Url.EncodeToString(bytes.AsSpan(0, written)))
            ? bytes[..written]
            : throw Refuse("is not base64url");
    }

    private static JsonElement Json(byte[] utf8, string part)
    {
        try
        {
            return StrictJson.ParseObject(utf8);
        }
        catch (FormatException wrong)
        {
            throw Refuse($"has a {part} that {wrong.Message}");
        }
    }

    private static string? Text(JsonElement header, string name) =>
        !header.TryGetProperty(name, out var value) ? null
        : value.ValueKind is JsonValueKind.String ? value.GetString()
        : throw Refuse($"has a header {name} that is not a string");
}
