using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>A signing key: the private key signs, the public key is published and verifies.</summary>
internal sealed class SigningKey
{
    public const string Algorithm = "ES256",
        Type = "at+jwt";

    private readonly ECDsa _key = ECDsa.Create();
    private readonly string _header;

    public SigningKey(StoredKey stored, byte[] privateKey)
    {
        _key.ImportPkcs8PrivateKey(privateKey, out _);
        Kid = stored.Kid;
        Created = DateTimeOffset.FromUnixTimeMilliseconds(stored.Created);
        Public = SignatureKey.Read(JsonElement.Parse(ToJwk().ToJsonString()))!;
        _header = Base64Url.EncodeToString(
            Encoding.ASCII.GetBytes($$"""{"alg":"{{Algorithm}}","typ":"{{Type}}","kid":"{{Kid}}"}""")
        );
    }

    public string Kid { get; }

    public SignatureKey Public { get; }

    public DateTimeOffset Created { get; }

    public string Sign(ReadOnlySpan<byte> payload)
    {
        var signed = $"{_header}.{Base64Url.EncodeToString(payload)}";
        lock (_key) // ECDsa instances are not thread-safe
        {
            var signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
            return $"{signed}.{Base64Url.EncodeToString(signature)}";
        }
    }

    public JsonObject ToJwk() =>
        new()
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["use"] = "sig",
            ["alg"] = Algorithm,
            ["kid"] = Kid,
            ["x"] = Point(_key).X,
            ["y"] = Point(_key).Y,
        };

    /// <summary>The thumbprint of RFC 7638: members in this order, without spaces.</summary>
    public static string Thumbprint(ECDsa key) =>
        Base64Url.EncodeToString(
            SHA256.HashData(
                Encoding.ASCII.GetBytes(
                    $$"""{"crv":"P-256","kty":"EC","x":"{{Point(key).X}}","y":"{{Point(key).Y}}"}"""
                )
            )
        );

    private static (string X, string Y) Point(ECDsa key) =>
        key.ExportParameters(false).Q is var q
            ? (Base64Url.EncodeToString(q.X), Base64Url.EncodeToString(q.Y))
            : default;
}
