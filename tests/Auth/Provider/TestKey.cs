using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>A key that is made for one run, as a provider has it.</summary>
internal sealed class TestKey
{
    private TestKey(string kid, string alg, AsymmetricAlgorithm? key, JsonObject jwk) =>
        (Kid, Alg, Key, Jwk) = (kid, alg, key, jwk);

    public string Kid { get; }

    public string Alg { get; }

    public AsymmetricAlgorithm? Key { get; }

    /// <summary>With its private part.</summary>
    public JsonObject Jwk { get; }

    /// <summary>As it is published.</summary>
    public JsonObject Public =>
        new(
            Jwk.Where(member => member.Key is not ("d" or "p" or "q" or "dp" or "dq" or "qi"))
                .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))
        );

    public static TestKey New(string kid, string alg, int bits = 2048, string use = "sig")
    {
        var jwk = new JsonObject
        {
            ["kid"] = kid,
            ["alg"] = alg,
            ["use"] = use,
        };
        if (alg.StartsWith('E'))
        {
            var ec = ECDsa.Create(
                alg switch
                {
                    "ES256" => ECCurve.NamedCurves.nistP256,
                    "ES384" => ECCurve.NamedCurves.nistP384,
                    _ => ECCurve.NamedCurves.nistP521,
                }
            );
            var point = ec.ExportParameters(true);
            jwk["kty"] = "EC";
            jwk["crv"] = alg switch
            {
                "ES256" => "P-256",
                "ES384" => "P-384",
                _ => "P-521",
            };
            Add(jwk, ("x", point.Q.X), ("y", point.Q.Y), ("d", point.D));
            return new(kid, alg, ec, jwk);
        }

        var rsa = RSA.Create(bits);
        var parts = rsa.ExportParameters(true);
        jwk["kty"] = "RSA";
        Add(
            jwk,
            ("n", parts.Modulus),
            ("e", parts.Exponent),
            ("d", parts.D),
            ("p", parts.P),
            ("q", parts.Q),
            ("dp", parts.DP),
            ("dq", parts.DQ),
            ("qi", parts.InverseQ)
        );
        return new(kid, alg, rsa, jwk);
    }

    /// <summary>A kind of key that .NET cannot check: it is published, and nothing is signed with it.</summary>
    public static TestKey NewEd25519(string kid)
    {
        // RFC 8037 appendix A.1: nobody's secret.
        var jwk = new JsonObject
        {
            ["kid"] = kid,
            ["alg"] = "EdDSA",
            ["use"] = "sig",
            ["kty"] = "OKP",
            ["crv"] = "Ed25519",
        };
        jwk["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        jwk["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
        return new(kid, "EdDSA", null, jwk);
    }

    public byte[] Sign(
        byte[] data,
        string? alg = null,
        DSASignatureFormat format = DSASignatureFormat.IeeeP1363FixedFieldConcatenation
    )
    {
        alg ??= Alg;
        var hash =
            alg.EndsWith("384", StringComparison.Ordinal) ? HashAlgorithmName.SHA384
            : alg.EndsWith("512", StringComparison.Ordinal) ? HashAlgorithmName.SHA512
            : HashAlgorithmName.SHA256;
        return Key switch
        {
            RSA rsa => rsa.SignData(
                data,
                hash,
                alg.StartsWith('P') ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1
            ),
            ECDsa ec => ec.SignData(data, hash, format),
            _ => new byte[64],
        };
    }

    private static void Add(JsonObject jwk, params (string Name, byte[]? Value)[] parts)
    {
        foreach (var (name, value) in parts)
        {
            jwk[name] = Base64Url.EncodeToString(value);
        }
    }
}
