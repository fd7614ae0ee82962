using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Auth.Server;

/// <summary>Writes tokens as a client does, and as a forger would.</summary>
internal static class Jwt
{
    public static string Sign(JsonObject header, JsonObject claims, ECDsa key)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    public static string Encode(JsonObject json) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    public static JsonObject Decode(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part))!.AsObject();

    public static string PublicKey(ECDsa key, string kid)
    {
        var point = key.ExportParameters(false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        return $$"""{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"{{kid}}","x":"{{x}}","y":"{{y}}"}""";
    }

    public static JsonObject Assertion(string client, string audience, string id) =>
        new()
        {
            ["iss"] = client,
            ["sub"] = client,
            ["aud"] = audience,
            ["jti"] = id,
            ["iat"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            ["exp"] = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds(),
        };
}
