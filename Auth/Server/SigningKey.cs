using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>One key. Its header is written one way only, so a token of ours is known by its first part.</summary>
internal sealed class SigningKey
{
    private readonly ECDsa _key = ECDsa.Create();

    public SigningKey(StoredKey stored, byte[] privateKey)
    {
        _key.ImportPkcs8PrivateKey(privateKey, out _);
        Kid = stored.Kid;
        Created = DateTimeOffset.FromUnixTimeMilliseconds(stored.Created);
        Header = Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"ES256","typ":"at+jwt","kid":"{{Kid}}"}"""));
    }

    public string Kid { get; }

    public string Header { get; }

    public DateTimeOffset Created { get; }

    public string Sign(ReadOnlySpan<byte> payload)
    {
        var signed = $"{Header}.{Base64Url.EncodeToString(payload)}";
        lock (_key) // an ECDsa object is not made for several threads
        {
            return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
        }
    }

    public bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        lock (_key)
        {
            return _key.VerifyData(signed, signature, HashAlgorithmName.SHA256);
        }
    }

    public JsonObject ToJwk() => new() { ["kty"] = "EC", ["crv"] = "P-256", ["use"] = "sig", ["alg"] = "ES256", ["kid"] = Kid, ["x"] = Point(_key).X, ["y"] = Point(_key).Y };

    /// <summary>RFC 7638: the members in this order, without spaces.</summary>
    public static string Thumbprint(ECDsa key) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{Point(key).X}}","y":"{{Point(key).Y}}"}""")));

    private static (string X, string Y) Point(ECDsa key) => key.ExportParameters(false).Q is var q ? (Base64Url.EncodeToString(q.X), Base64Url.EncodeToString(q.Y)) : default;
}
