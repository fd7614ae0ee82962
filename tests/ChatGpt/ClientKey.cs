using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.ChatGpt;

/// <summary>
/// The key with which ChatGPT's own client signs in at the token endpoint, and how it spells the assertion.
/// </summary>
internal sealed class ClientKey : IDisposable
{
    private readonly RSA _rsa = RSA.Create(2048);

    public string KeyId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Replaces claims of the assertion, to see it refused.</summary>
    public Dictionary<string, object> Changes { get; } = [];

    /// <summary>Signs with a key that the client's document does not have.</summary>
    public RSA? Foreign { get; set; }

    public object PublicKey
    {
        get
        {
            var key = _rsa.ExportParameters(includePrivateParameters: false);
            return new
            {
                kty = "RSA",
                use = "sig",
                alg = "RS256",
                kid = KeyId,
                n = Base64Url.EncodeToString(key.Modulus),
                e = Base64Url.EncodeToString(key.Exponent),
            };
        }
    }

    public string Assertion(string clientId, string audience)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>
        {
            ["iss"] = clientId,
            ["sub"] = clientId,
            ["aud"] = audience,
            ["jti"] = Guid.NewGuid().ToString(),
            ["iat"] = now,
            ["exp"] = now + 120,
        };
        foreach (var (name, value) in Changes)
        {
            claims[name] = value;
        }

        var signed = $"{Encoded(new { alg = "RS256", kid = KeyId, typ = "JWT" })}.{Encoded(claims)}";
        var bytes = Encoding.ASCII.GetBytes(signed);
        var signature = (Foreign ?? _rsa).SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    public void Dispose() => _rsa.Dispose();

    private static string Encoded(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
