using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Tests.Auth.Tokens;

/// <summary>
/// What the verifier's rules can be set to. The tokens themselves, good and forged, go through the front door: see the
/// corpus.
/// </summary>
public sealed class JwtTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly TokenValidationRules Rules = new()
    {
        Issuers = new HashSet<string> { "https://issuer" },
        Audiences = new HashSet<string> { "us" },
    };

    [Fact]
    public void A_good_token_gives_what_it_says()
    {
        var token = Jwt.Verify(Sign(Good(), type: "at+jwt"), Keys(), Rules, Now);

        Assert.Equal(
            ("https://issuer", "anna", "client-1", "id-1", "at+jwt"),
            (token.Issuer, token.Subject, token.ClientId, token.Id, token.Type)
        );
        Assert.Equal(["mcp:execute", "mcp:read", "mcp:write"], token.Scopes.Order());
        Assert.Equal(Now.AddMinutes(5), token.Expires);
    }

    [Theory]
    [InlineData("at+jwt", "at+jwt", null)]
    [InlineData("at+jwt", "application/at+jwt", null)]
    [InlineData("at+jwt", "AT+JWT", null)]
    [InlineData("at+jwt", "JWT", "a type that this server does not accept")]
    [InlineData("at+jwt", null, "a type that this server does not accept")]
    public void A_type_can_be_required(string allowed, string? type, string? refusal) =>
        Judge(
            Sign(Good(), type),
            Rules with
            {
                Types = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { allowed },
                TypeRequired = true,
            },
            refusal
        );

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, "has no audience (aud)")]
    public void Only_on_request_a_token_may_be_for_nobody(bool anyAudience, string? refusal)
    {
        var claims = Good();
        claims.Remove("aud");
        Judge(Sign(claims), Rules with { AnyAudience = anyAudience }, refusal);
    }

    [Theory]
    [InlineData("exp", -31, "has expired (exp)")]
    [InlineData("exp", -29, null)]
    [InlineData("nbf", 31, "not valid yet (nbf)")]
    [InlineData("nbf", 29, null)]
    [InlineData("iat", 600, "issued in the future (iat)")]
    [InlineData("iat", 29, null)]
    public void A_token_of_another_time_is_refused_and_the_clocks_are_named(string claim, int seconds, string? refusal)
    {
        var claims = Good();
        claims[claim] = Now.AddSeconds(seconds).ToUnixTimeSeconds();
        Judge(
            Sign(claims),
            Rules,
            refusal is null
                ? null
                : refusal + ". If it should be valid, a clock is wrong: this server's is 2026-01-01T00:00:00Z."
        );
    }

    [Theory]
    [InlineData("""{"keys":[],"keys":[]}""", "The key set is not JSON, has a duplicate name, or is nested too deeply.")]
    [InlineData("""[]""", "The key set is not a JSON object.")]
    [InlineData("""{"keys":{}}""", "The key set has no array 'keys'.")]
    [InlineData("<html>", "The key set is not JSON, has a duplicate name, or is nested too deeply.")]
    public void What_is_no_key_set_is_refused_in_words(string document, string sentence) =>
        Assert.Equal(
            sentence,
            Assert.Throws<FormatException>(() => JsonWebKeySet.Parse(Encoding.UTF8.GetBytes(document))).Message
        );

    [Fact]
    public void Keys_that_nothing_can_be_checked_with_are_left_out()
    {
        var usable = Jwk(Key);
        string[] others =
        [
            """{"kty":"oct","k":"c2VjcmV0"}""",
            """{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""",
            "{}",
            "5",
            "null",
            usable.Replace("\"kty\"", "\"use\":\"enc\",\"kty\"", StringComparison.Ordinal),
            usable.Replace("\"kty\"", "\"use\":5,\"kty\"", StringComparison.Ordinal),
            usable.Replace("\"kty\"", "\"key_ops\":[\"sign\"],\"kty\"", StringComparison.Ordinal),
            usable.Replace("\"kty\"", "\"alg\":\"ES384\",\"kty\"", StringComparison.Ordinal),
            usable.Replace("P-256", "secp256k1", StringComparison.Ordinal),
            """{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""",
            $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(128))}}","e":"AQAB"}""",
            $$"""{"kty":"RSA","n":"{{Modulus(256)}}","e":"AQ"}""",
            $$"""{"kty":"RSA","n":"{{Modulus(1026)}}","e":"AQAB"}""",
        ];

        Assert.Equal(
            1,
            JsonWebKeySet
                .Parse(Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', others)}},{{usable}}]}"""))
                .Count
        );
    }

    [Fact]
    public void Only_so_many_keys_are_read()
    {
        Assert.Equal(
            64,
            JsonWebKeySet
                .Parse(
                    Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', Enumerable.Repeat(Jwk(Key), 100))}}]}""")
                )
                .Count
        );
        Assert.Contains(
            "larger than",
            Assert.Throws<FormatException>(() => JsonWebKeySet.Parse(new byte[JsonWebKeySet.MaxBytes + 1])).Message
        );
    }

    [Theory]
    [InlineData("""{"iss":"https://issuer","aud":"us","exp":99999999999,"sub":"\ud800"}""")]
    [InlineData("""{"iss":"https://issuer","aud":"us","exp":99999999999,"\udc00":1}""")]
    public void Half_a_letter_is_a_refusal_and_no_crash(string payload) =>
        Judge(Sign(Encoding.UTF8.GetBytes(payload)), Rules, "has a payload that is not JSON");

    private static void Judge(string token, TokenValidationRules rules, string? refusal)
    {
        if (refusal is null)
        {
            Assert.Equal("anna", Jwt.Verify(token, Keys(), rules, Now).Subject);
        }
        else
        {
            Assert.Contains(
                refusal,
                Assert.Throws<TokenRefusedException>(() => Jwt.Verify(token, Keys(), rules, Now)).Message
            );
        }
    }

    private static Dictionary<string, object> Good() =>
        new()
        {
            ["iss"] = "https://issuer",
            ["aud"] = new[] { "others", "us" },
            ["sub"] = "anna",
            ["azp"] = "client-1",
            ["jti"] = "id-1",
            ["scope"] = "mcp:read mcp:write",
            ["scp"] = new[] { "mcp:execute" },
            ["exp"] = Now.AddMinutes(5).ToUnixTimeSeconds(),
        };

    private static string Sign(Dictionary<string, object> claims, string? type = "JWT") =>
        Sign(JsonSerializer.SerializeToUtf8Bytes(claims), type);

    private static string Sign(byte[] payload, string? type = "JWT")
    {
        var header = type is null ? """{"alg":"ES256"}""" : $$"""{"alg":"ES256","typ":"{{type}}"}""";
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(payload)}";
        var signature = Key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static JsonWebKeySet Keys() => JsonWebKeySet.Parse(Encoding.UTF8.GetBytes($$"""{"keys":[{{Jwk(Key)}}]}"""));

    private static string Jwk(ECDsa key)
    {
        var point = key.ExportParameters(false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        return $$"""{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}"}""";
    }

    // A random RSA modulus of so many bytes, whose first bit is set.
    private static string Modulus(int bytes) =>
        Base64Url.EncodeToString([0xff, .. RandomNumberGenerator.GetBytes(bytes - 1)]);
}
