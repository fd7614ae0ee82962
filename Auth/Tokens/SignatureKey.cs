using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// A public key that verifies signatures: RSA of at least 2048 bits, or one of three NIST curves (RFC 7518 section 3).
/// </summary>
internal sealed class SignatureKey
{
    // Larger keys are not in use, except to make each verification slow.
    private const int MinRsaBits = 2048,
        MaxRsaBits = 8192;

    private readonly Func<AsymmetricAlgorithm> _create;
    private readonly string? _algorithm;
    private readonly int _rsaBytes;

    // Key instances are not thread-safe. Those of replaced keys are left to the finalizer.
    private readonly ConcurrentBag<AsymmetricAlgorithm> _idle = [];

    private SignatureKey(string? id, string? algorithm, Func<AsymmetricAlgorithm> create, int rsaBytes = 0)
    {
        (Id, _algorithm, _create, _rsaBytes) = (id, algorithm, create, rsaBytes);
        _idle.Add(create()); // a point off the curve is refused now
    }

    /// <summary><c>kid</c>.</summary>
    public string? Id { get; }

    /// <summary>
    /// Reads a JWK (RFC 7517). Returns null when it is of another kind or use, too weak, or malformed.
    /// </summary>
    public static SignatureKey? Read(JsonElement jwk)
    {
        if (
            jwk.ValueKind is not JsonValueKind.Object
            || (jwk.TryGetProperty("use", out _) && Text(jwk, "use") != "sig")
            || (jwk.TryGetProperty("key_ops", out var uses) && !VerifiedToken.Texts(uses).Contains("verify"))
        )
        {
            return null;
        }

        try
        {
            return Text(jwk, "kty") switch
            {
                "RSA" => Rsa(jwk),
                "EC" => Ec(jwk),
                _ => null,
            };
        }
        catch (Exception broken) when (broken is FormatException or CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Whether the key verifies this algorithm. A key that names its algorithm serves only that one.</summary>
    public bool Serves(string algorithm) =>
        _algorithm is null ? algorithm is ['R' or 'P', 'S', ..] : algorithm == _algorithm;

    public bool Verify(string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        var hash = algorithm[2..] switch
        {
            "256" => HashAlgorithmName.SHA256,
            "384" => HashAlgorithmName.SHA384,
            _ => HashAlgorithmName.SHA512,
        };
        var key = _idle.TryTake(out var idle) ? idle : _create();
        try
        {
            return key switch
            {
                RSA rsa => signature.Length == _rsaBytes
                    && rsa.VerifyData(
                        signed,
                        signature,
                        hash,
                        algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1
                    ),
                ECDsa curve => curve.VerifyData(
                    signed,
                    signature,
                    hash,
                    DSASignatureFormat.IeeeP1363FixedFieldConcatenation
                ),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            _idle.Add(key);
        }
    }

    private static SignatureKey? Rsa(JsonElement jwk)
    {
        var modulus = Number(jwk, "n").AsSpan().TrimStart((byte)0).ToArray();
        var exponent = Number(jwk, "e").AsSpan().TrimStart((byte)0).ToArray();
        if (
            modulus.Length * 8 < MinRsaBits
            || modulus[0] < 0x80
            || modulus.Length * 8 > MaxRsaBits
            || exponent is [] or [1] or { Length: > 4 }
        )
        {
            return null; // with the exponent 1 anybody can sign
        }

        var parameters = new RSAParameters { Modulus = modulus, Exponent = exponent };
        return new(Text(jwk, "kid"), Text(jwk, "alg"), () => RSA.Create(parameters), modulus.Length);
    }

    private static SignatureKey? Ec(JsonElement jwk)
    {
        var (curve, algorithm) = Text(jwk, "crv") switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, "ES256"),
            "P-384" => (ECCurve.NamedCurves.nistP384, "ES384"),
            "P-521" => (ECCurve.NamedCurves.nistP521, "ES512"),
            _ => (default, null),
        };
        if (algorithm is null || (Text(jwk, "alg") ?? algorithm) != algorithm)
        {
            return null;
        }

        var parameters = new ECParameters
        {
            Curve = curve,
            Q = new() { X = Number(jwk, "x"), Y = Number(jwk, "y") },
        };
        return new(Text(jwk, "kid"), algorithm, () => ECDsa.Create(parameters));
    }

    private static byte[] Number(JsonElement jwk, string name) => Base64Url.DecodeFromChars(Text(jwk, name));

    private static string? Text(JsonElement jwk, string name) =>
        jwk.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
