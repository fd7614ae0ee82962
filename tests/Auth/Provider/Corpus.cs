using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// What must be accepted and what must be refused, each made for every set of keys to which it applies. The table is
/// the promise: a verifier of another make, put in the place of ours, has to give the same verdicts.
/// </summary>
internal static class Corpus
{
    private const bool Good = true,
        Bad = false;

    /// <param name="Sets">The sets of keys to which it applies.</param>
    internal sealed record Row(string Name, bool Accept, Func<Forge, string> Make, string Sets = "RSA EC mixed");

    public static readonly Row[] Rows =
    [
        // What providers send.
        new("plain", Good, f => f.Sign(f.Header(), f.Claims())),
        new("typ at+jwt", Good, f => f.Headed("typ", "at+jwt")),
        new("typ application/at+jwt", Good, f => f.Headed("typ", "application/at+jwt")),
        new("typ in small letters", Good, f => f.Headed("typ", "jwt")),
        new("no typ", Good, f => f.HeadedWithout("typ")),
        new("x5t in the header", Good, f => f.Headed("x5t", "aGVsbG8")),
        new("aud in an array", Good, f => f.With("aud", new JsonArray(Forge.Audience))),
        new("aud last of several", Good, f => f.With("aud", new JsonArray("https://other.example", Forge.Audience))),
        new("the second audience of the settings", Good, f => f.With("aud", Forge.SecondAudience)),
        new("no iat", Good, f => f.Without("iat")),
        new("no nbf", Good, f => f.Without("nbf")),
        new("neither iat nor nbf", Good, f => f.Without("iat", "nbf")),
        new("issued 3 seconds ahead of our clock", Good, f => f.With("iat", Forge.Now + 3)),
        new("valid from 3 seconds ahead of our clock", Good, f => f.With("nbf", Forge.Now + 3)),
        new("expired 3 seconds ago by our clock", Good, f => f.With("exp", Forge.Now - 3)),
        new("exp with a fraction", Good, f => f.With("exp", Forge.Now + 300.25)),
        new("exp with an exponent", Good, f =>
            f.Raw(
                f.Header().ToJsonString(),
                f.Claims().ToJsonString().Replace($"{f.Claims()["exp"]}", "4.1e9", StringComparison.Ordinal)
            )
        ),
        new("scp as text", Good, f => Scoped(f, "scp", "mcp:read")),
        new("scp as array", Good, f => Scoped(f, "scp", new JsonArray("mcp:read"))),
        new("scope as array", Good, f => Scoped(f, "scope", new JsonArray("mcp:read"))),
        new("app role", Good, f => Scoped(f, "roles", new JsonArray("mcp:read"))),
        new("permission", Good, f => Scoped(f, "permissions", new JsonArray("mcp:read"))),
        new("role of the realm", Good, f =>
            Scoped(f, "realm_access", new JsonObject { ["roles"] = new JsonArray("offline_access", "mcp:read") })
        ),
        new("scope with the identifier of the app", Good, f => Scoped(f, "scp", "api://tools/mcp:read")),
        new("scope of another name, which the settings map", Good, f => Scoped(f, "scp", "Mcp.Read")),
        new("client_id instead of azp", Good, f => Client(f, "client_id")),
        new("appid instead of azp", Good, f => Client(f, "appid")),
        new("no client", Good, f => f.Without("azp")),
        new("no sub, which a machine has none of", Good, f => f.Without("sub")),
        new("a name beyond ASCII", Good, f => f.With("name", "Ånna 山田")),
        new("escaped letters", Good, f =>
            f.Raw(
                f.Header().ToJsonString(),
                f.Claims().ToJsonString().Replace("anna", "\\u0061nna", StringComparison.Ordinal)
            )
        ),
        new("spaces in the JSON", Good, f =>
            f.Raw("{ " + f.Header().ToJsonString()[1..], "\n" + f.Claims().ToJsonString() + " \r\n")
        ),
        new("10 KiB", Good, f =>
            f.With(
                "groups",
                new JsonArray([.. Enumerable.Range(0, 250).Select(i => JsonValue.Create(Guid.Empty.ToString()))])
            )
        ),
        new("10 levels deep", Good, f => f.With("deep", JsonNode.Parse(Forge.Deep(10)))),
        new("typ Bearer, in the claims and with nonce: an older Keycloak's access token", Good, f =>
            Claims(f, ("typ", "Bearer"), ("nonce", "n"))
        ),
        new("by its PS256 key", Good, f => f.By("ps"), "mixed"),
        new("by its ES256 key", Good, f => f.By("es"), "mixed"),
        new("by its ES384 key", Good, f => f.By("es384"), "mixed"),
        new("by its ES512 key", Good, f => f.By("es512"), "mixed"),
        new("by its second RS256 key", Good, f => f.By("rs2"), "mixed"),
        new("no kid, and one key", Good, f => f.HeadedWithout("kid"), "RSA EC"),
        new("no kid, and one key of this algorithm", Good, f => f.HeadedWithout("kid", f.Key("es384")), "mixed"),
        new("no kid, and two keys of this algorithm", Bad, f => f.HeadedWithout("kid"), "mixed"),
        // Signatures of others, or none.
        new("alg none", Bad, f => f.Unsigned("""{"alg":"none"}""", [])),
        new("alg None", Bad, f => f.Unsigned("""{"alg":"None"}""", [])),
        new("alg NONE", Bad, f => f.Unsigned("""{"alg":"NONE"}""", [])),
        new("alg nOnE with typ and kid", Bad, f =>
            f.Unsigned($$"""{"alg":"nOnE","typ":"JWT","kid":"{{f.Main.Kid}}"}""", [])
        ),
        new("alg none with a signature", Bad, f => f.Headed("alg", "none")),
        new("alg empty", Bad, f => f.Headed("alg", "")),
        new("HS256 with the public key as PEM", Bad, f =>
            Hmac(f, Encoding.UTF8.GetBytes(f.Main.Key!.ExportSubjectPublicKeyInfoPem()))
        ),
        new("HS256 with the public key as PEM and a line end", Bad, f =>
            Hmac(f, Encoding.UTF8.GetBytes(f.Main.Key!.ExportSubjectPublicKeyInfoPem() + "\n"))
        ),
        new("HS256 with the public key as DER", Bad, f => Hmac(f, f.Main.Key!.ExportSubjectPublicKeyInfo())),
        new("HS256 with the JWK", Bad, f => Hmac(f, Encoding.UTF8.GetBytes(f.Main.Public.ToJsonString()))),
        new("HS256 with no secret", Bad, f => Hmac(f, [])),
        new("HS512 with the public key", Bad, f =>
            Hmac(f, Encoding.UTF8.GetBytes(f.Main.Key!.ExportSubjectPublicKeyInfoPem()), "HS512")
        ),
        new("somebody else's key with our kid", Bad, f => f.Sign(f.Header(), f.Claims(), f.Stolen)),
        new("somebody else's key with a kid of its own", Bad, f => f.Headed("kid", "mine", f.Stolen)),
        new("somebody else's key without kid", Bad, f => f.HeadedWithout("kid", f.Stolen)),
        new("jwk in the header", Bad, f => f.Headed("jwk", f.Stolen.Public, f.Stolen)),
        new("jwk in the header, without kid", Bad, f =>
            f.Sign(new() { ["alg"] = f.Main.Alg, ["jwk"] = f.Stolen.Public }, f.Claims(), f.Stolen)
        ),
        new("jku", Bad, f => f.Headed("jku", "https://attacker.example/jwks.json", f.Stolen)),
        new("x5u", Bad, f => f.Headed("x5u", "https://attacker.example/x5u.pem", f.Stolen)),
        new("x5c", Bad, f =>
            f.Headed("x5c", new JsonArray(Convert.ToBase64String(f.Stolen.Key!.ExportSubjectPublicKeyInfo())), f.Stolen)
        ),
        new("payload swapped", Bad, f =>
            f.Tamper(1, _ => Forge.Encode(f.Claims().ToJsonString().Replace("anna", "root", StringComparison.Ordinal)))
        ),
        new("header swapped", Bad, f =>
            f.Tamper(0, _ => Forge.Encode($$"""{"kid":"{{f.Main.Kid}}","alg":"{{f.Main.Alg}}"}"""))
        ),
        new("no signature", Bad, f => f.Tamper(2, _ => "")),
        new("signature of zeros", Bad, f => f.Tamper(2, signature => new string('A', signature.Length))),
        new("signature one byte short", Bad, f =>
            f.Tamper(2, signature => Forge.Encode(System.Buffers.Text.Base64Url.DecodeFromChars(signature)[..^1]))
        ),
        new("signature one byte long", Bad, f =>
            f.Tamper(2, signature => Forge.Encode([.. System.Buffers.Text.Base64Url.DecodeFromChars(signature), 0]))
        ),
        new("signature with one bit changed", Bad, f =>
            f.Tamper(2, signature => (signature[0] is 'A' ? 'B' : 'A') + signature[1..])
        ),
        new("signature of another token", Bad, f => f.Tamper(2, _ => f.With("sub", "bert").Split('.')[2])),
        new("signature as DER", Bad, f => Der(f), "EC"),
        new(
            "signature larger than the curve",
            Bad,
            f => f.Tamper(2, _ => Forge.Encode([.. Enumerable.Repeat((byte)0xff, 64)])),
            "EC"
        ),
        new("RS256 said to be PS256", Bad, f => f.Sign(f.Header("PS256"), f.Claims(), alg: "RS256"), "RSA mixed"),
        new("PS256 with the RS256 key", Bad, f => f.Sign(f.Header("PS256"), f.Claims(), alg: "PS256"), "RSA mixed"),
        new("RS256 with the PS256 key", Bad, f => f.By("ps", "RS256"), "mixed"),
        new("RS512 with the RS256 key", Bad, f => f.Sign(f.Header("RS512"), f.Claims(), alg: "RS512"), "RSA mixed"),
        new("RS1", Bad, f => f.Headed("alg", "RS1"), "RSA mixed"),
        new("ES256 with kid of an RSA key", Bad, f => f.Sign(f.Header("ES256"), f.Claims(), f.Key("es")), "mixed"),
        new("ES384 said to be ES256", Bad, f => f.Headed("alg", "ES384"), "EC"),
        new("ES256K", Bad, f => f.Headed("alg", "ES256K")),
        new("EdDSA with the Ed25519 key", Bad, f => f.By("ed"), "mixed"),
        new("a key of 1024 bits", Bad, f => f.By("weak"), "mixed"),
        new("a key for encryption", Bad, f => f.By("enc"), "mixed"),
        // Headers.
        new("no alg", Bad, f => f.HeadedWithout("alg")),
        new("alg as number", Bad, f => f.Headed("alg", 256)),
        new("alg as array", Bad, f => f.Headed("alg", new JsonArray(f.Main.Alg))),
        new("alg in small letters", Bad, f => f.Headed("alg", f.Main.Alg.ToLowerInvariant())),
        new("alg with a space", Bad, f => f.Headed("alg", f.Main.Alg + " ")),
        new("kid unknown", Bad, f => f.Headed("kid", "nobody")),
        new("kid in other letters", Bad, f => f.Headed("kid", f.Main.Kid.ToUpperInvariant())),
        new("kid with a space", Bad, f => f.Headed("kid", f.Main.Kid + " ")),
        new("kid with a zero byte", Bad, f => f.Headed("kid", f.Main.Kid + "\0")),
        new("kid empty", Bad, f => f.Headed("kid", "")),
        new("kid null", Bad, f => f.Headed("kid", null)),
        new("kid as number", Bad, f => f.Headed("kid", 1)),
        new("kid as path", Bad, f => f.Headed("kid", "../../../../dev/null")),
        new("kid as query", Bad, f => f.Headed("kid", "x' UNION SELECT 'key'--")),
        new("crit with an unknown extension", Bad, f =>
            f.Sign(Headers(f, ("crit", new JsonArray("exp")), ("exp", 1)), f.Claims())
        ),
        new("crit empty", Bad, f => f.Headed("crit", new JsonArray())),
        new("crit b64", Bad, f => f.Sign(Headers(f, ("crit", new JsonArray("b64")), ("b64", true)), f.Claims())),
        new("b64 without crit", Bad, f => f.Headed("b64", false)),
        new("zip", Bad, f => f.Headed("zip", "DEF")),
        new("enc", Bad, f => f.Headed("enc", "A256GCM")),
        new("typ dpop+jwt", Bad, f => f.Headed("typ", "dpop+jwt")),
        new("typ logout+jwt", Bad, f => f.Headed("typ", "logout+jwt")),
        new("typ secevent+jwt", Bad, f => f.Headed("typ", "secevent+jwt")),
        new("typ application/logout+jwt", Bad, f => f.Headed("typ", "application/logout+jwt")),
        new("typ empty", Bad, f => f.Headed("typ", "")),
        new("typ as number", Bad, f => f.Headed("typ", 5)),
        new("alg twice", Bad, f =>
            f.Raw(
                $$"""{"alg":"{{f.Main.Alg}}","kid":"{{f.Main.Kid}}","alg":"{{f.Main.Alg}}"}""",
                f.Claims().ToJsonString()
            )
        ),
        new("header as array", Bad, f => f.Raw($"[{f.Header().ToJsonString()}]", f.Claims().ToJsonString())),
        new("header as text", Bad, f => f.Raw("\"" + f.Main.Alg + "\"", f.Claims().ToJsonString())),
        new("header with a byte order mark", Bad, f =>
            f.Raw("\ufeff" + f.Header().ToJsonString(), f.Claims().ToJsonString())
        ),
        new("header 5,000 levels deep", Bad, f =>
            f.Raw(f.Header().ToJsonString()[..^1] + ",\"a\":" + Forge.Deep(500) + "}", f.Claims().ToJsonString())
        ),
        // Claims.
        new("no iss", Bad, f => f.Without("iss")),
        new("another iss", Bad, f => f.With("iss", "https://issuer.example")),
        new("iss with a slash", Bad, f => f.With("iss", f.Issuer + "/")),
        new("iss in other letters", Bad, f => f.With("iss", f.Issuer.ToUpperInvariant())),
        new("iss that begins like ours", Bad, f => f.With("iss", f.Issuer + ".attacker.example")),
        new("iss as array", Bad, f => f.With("iss", new JsonArray(f.Issuer))),
        new("iss null", Bad, f => f.With("iss", null)),
        new("no aud", Bad, f => f.Without("aud")),
        new("aud empty", Bad, f => f.With("aud", "")),
        new("aud []", Bad, f => f.With("aud", new JsonArray())),
        new("aud null", Bad, f => f.With("aud", null)),
        new("aud as number", Bad, f => f.With("aud", 5)),
        new("aud as object", Bad, f => f.With("aud", new JsonObject { [Forge.Audience] = true })),
        new("aud true", Bad, f => f.With("aud", true)),
        new("aud in an array in an array", Bad, f => f.With("aud", new JsonArray(new JsonArray(Forge.Audience)))),
        new("aud of others", Bad, f => f.With("aud", new JsonArray("https://a.example", "https://b.example"))),
        new("aud that begins like ours", Bad, f => f.With("aud", Forge.Audience + ".attacker.example")),
        new("aud in other letters", Bad, f => f.With("aud", Forge.Audience.ToUpperInvariant())),
        new("aud with ours and another, as text", Bad, f => f.With("aud", Forge.Audience + " https://other.example")),
        new("no exp", Bad, f => f.Without("exp")),
        new("exp as text", Bad, f => f.With("exp", $"{Forge.Now + 300}")),
        new("exp null", Bad, f => f.With("exp", null)),
        new("exp true", Bad, f => f.With("exp", true)),
        new("exp as array", Bad, f => f.With("exp", new JsonArray(Forge.Now + 300))),
        new("exp 0", Bad, f => f.With("exp", 0)),
        new("exp negative", Bad, f => f.With("exp", -1)),
        new("exp beyond all time", Bad, f =>
            f.Raw(
                f.Header().ToJsonString(),
                f.Claims().ToJsonString().Replace($"{f.Claims()["exp"]}", "1e300", StringComparison.Ordinal)
            )
        ),
        new("exp beyond all numbers", Bad, f =>
            f.Raw(
                f.Header().ToJsonString(),
                f.Claims().ToJsonString().Replace($"{f.Claims()["exp"]}", "1e999", StringComparison.Ordinal)
            )
        ),
        new("expired a minute ago", Bad, f => f.With("exp", Forge.Now - 60)),
        new("expired a day ago", Bad, f => f.With("exp", Forge.Now - 86400)),
        new("exp in milliseconds of the past", Bad, f => f.With("exp", (Forge.Now - 86400) * 1000)),
        new("valid in an hour", Bad, f => f.With("nbf", Forge.Now + 3600)),
        new("nbf as text", Bad, f => f.With("nbf", $"{Forge.Now}")),
        new("nbf as object", Bad, f => f.With("nbf", new JsonObject())),
        new("issued in an hour", Bad, f => f.With("iat", Forge.Now + 3600)),
        new("iat as text", Bad, f => f.With("iat", "now")),
        new("nonce: an ID token", Bad, f => f.With("nonce", "n-0S6_WzA2Mj")),
        new("at_hash: an ID token", Bad, f => f.With("at_hash", "MTIzNDU2Nzg5MDEyMzQ1Ng")),
        new("typ ID, in the claims", Bad, f => f.With("typ", "ID")),
        new("typ Refresh, in the claims", Bad, f => f.With("typ", "Refresh")),
        new("aud twice", Bad, f => Twice(f, "\"aud\":\"https://other.example\"")),
        new("exp twice", Bad, f => Twice(f, "\"exp\":99999999999")),
        new("sub twice", Bad, f => Twice(f, "\"sub\":\"root\"")),
        new("sub twice, once escaped", Bad, f => Twice(f, "\"s\\u0075b\":\"root\"")),
        new("twice the same in an object", Bad, f => Twice(f, "\"act\":{\"a\":1,\"a\":2}")),
        new("5,000 levels deep", Bad, f => Twice(f, "\"a\":" + Forge.Deep(1200))),
        new("17 levels deep", Bad, f => f.With("deep", JsonNode.Parse(Forge.Deep(16)))),
        new("broken UTF-8", Bad, f =>
            f.Raw(
                Encoding.UTF8.GetBytes(f.Header().ToJsonString()),
                [.. Encoding.UTF8.GetBytes(f.Claims().ToJsonString()[..^1] + ",\"a\":\""), 0xc3, 0x28, .. "\"}"u8]
            )
        ),
        new("UTF-8 longer than needed", Bad, f =>
            f.Raw(
                Encoding.UTF8.GetBytes(f.Header().ToJsonString()),
                [.. Encoding.UTF8.GetBytes(f.Claims().ToJsonString()[..^1] + ",\"a\":\""), 0xc0, 0xaf, .. "\"}"u8]
            )
        ),
        new("half a surrogate pair", Bad, f => Twice(f, "\"name\":\"\\ud800\"")),
        new("payload as array", Bad, f => f.Raw(f.Header().ToJsonString(), "[]")),
        new("payload as text", Bad, f => f.Raw(f.Header().ToJsonString(), "\"anna\"")),
        new("payload null", Bad, f => f.Raw(f.Header().ToJsonString(), "null")),
        new("payload of nothing", Bad, f => f.Raw(f.Header().ToJsonString(), "")),
        new("payload with something behind it", Bad, f =>
            f.Raw(f.Header().ToJsonString(), f.Claims().ToJsonString() + "{}")
        ),
        new("payload with a comma at its end", Bad, f =>
            f.Raw(f.Header().ToJsonString(), f.Claims().ToJsonString()[..^1] + ",}")
        ),
        new("payload with a comment", Bad, f =>
            f.Raw(f.Header().ToJsonString(), f.Claims().ToJsonString()[..^1] + "/* */}")
        ),
        new("payload with a byte order mark", Bad, f =>
            f.Raw(f.Header().ToJsonString(), "\ufeff" + f.Claims().ToJsonString())
        ),
        new("payload as UTF-16", Bad, f =>
            f.Raw(
                Encoding.UTF8.GetBytes(f.Header().ToJsonString()),
                Encoding.Unicode.GetBytes(f.Claims().ToJsonString())
            )
        ),
        // The form.
        new("20 KiB", Bad, f => f.With("a", new string('a', 15000))),
        new("1 MiB", Bad, f => f.With("a", new string('a', 1 << 20))),
        new("padding behind the header", Bad, f => Padded(f, 0)),
        new("padding behind the payload", Bad, f => Padded(f, 1)),
        new("padding behind the signature", Bad, f => f.Tamper(2, part => part + "==")),
        new("a plus for a minus", Bad, f => Unsafe(f)),
        new("stray bits in the signature", Bad, f => f.Tamper(2, part => Forge.Stray(part)!)),
        new("stray bits in the payload", Bad, f => StrayPayload(f)),
        new("a space in the signature", Bad, f => f.Tamper(2, part => part.Insert(10, " "))),
        new("a tab in the payload", Bad, f => f.Tamper(1, part => part.Insert(10, "\t"))),
        new("a percent sign", Bad, f => f.Tamper(1, part => "%41" + part)),
        new("one letter too many", Bad, f =>
            f.Tamper(1, part => part + (part.Length % 4 is 0 ? "A" : "AAAAA"[..(5 - (part.Length % 4))]))
        ),
        new("one part", Bad, f => Forge.Encode(f.Claims().ToJsonString())),
        new("two parts", Bad, f => string.Join('.', f.Sign(f.Header(), f.Claims()).Split('.')[..2])),
        new("four parts", Bad, f => f.Sign(f.Header(), f.Claims()) + ".e30"),
        new("five parts, as an encrypted token has", Bad, f => f.Sign(f.Header(), f.Claims()) + ".e30.e30"),
        new("a dot at the end", Bad, f => f.Sign(f.Header(), f.Claims()) + "."),
        new("a dot at the start", Bad, f => "." + f.Sign(f.Header(), f.Claims())),
        new("two dots", Bad, f => ".."),
        new("no header", Bad, f => f.Tamper(0, _ => "")),
        new("no payload", Bad, f => f.Tamper(1, _ => "")),
        new("the JSON form", Bad, f =>
            f.Sign(f.Header(), f.Claims()).Split('.') is var p
                ? $$"""{"payload":"{{p[1]}}","protected":"{{p[0]}}","signature":"{{p[2]}}"}"""
                : ""
        ),
        new("two tokens", Bad, f => f.Sign(f.Header(), f.Claims()) + "," + f.Sign(f.Header(), f.Claims())),
    ];

    private static string Hmac(Forge f, byte[] secret, string alg = "HS256")
    {
        var text = $"{Forge.Encode(f.Header(alg).ToJsonString())}.{Forge.Encode(f.Claims().ToJsonString())}";
        var bytes = Encoding.UTF8.GetBytes(text);
        var mac = alg is "HS256" ? HMACSHA256.HashData(secret, bytes) : HMACSHA512.HashData(secret, bytes);
        return $"{text}.{Forge.Encode(mac)}";
    }

    private static string Der(Forge f)
    {
        var text = $"{Forge.Encode(f.Header().ToJsonString())}.{Forge.Encode(f.Claims().ToJsonString())}";
        var der = f.Main.Sign(Encoding.UTF8.GetBytes(text), format: DSASignatureFormat.Rfc3279DerSequence);
        return $"{text}.{Forge.Encode(der)}";
    }

    private static string Scoped(Forge f, string claim, JsonNode value)
    {
        var claims = f.Claims();
        claims.Remove("scope");
        claims[claim] = value;
        return f.Sign(f.Header(), claims);
    }

    private static string Client(Forge f, string claim)
    {
        var claims = f.Claims();
        claims.Remove("azp");
        claims[claim] = "client-1";
        return f.Sign(f.Header(), claims);
    }

    private static string Claims(Forge f, params (string Name, JsonNode Value)[] more)
    {
        var claims = f.Claims();
        Array.ForEach(more, pair => claims[pair.Name] = pair.Value);
        return f.Sign(f.Header(), claims);
    }

    private static JsonObject Headers(Forge f, params (string Name, JsonNode Value)[] more)
    {
        var header = f.Header();
        Array.ForEach(more, pair => header[pair.Name] = pair.Value);
        return header;
    }

    // Such text a JSON library would not write.
    private static string Twice(Forge f, string member) =>
        f.Raw(f.Header().ToJsonString(), $"{f.Claims().ToJsonString()[..^1]},{member}}}");

    private static string Padded(Forge f, int part)
    {
        var texts = new[] { f.Header().ToJsonString(), f.Claims().ToJsonString() };
        while (texts[part].Length % 3 == 0)
        {
            texts[part] += " ";
        }

        var parts = texts.Select(Forge.Encode).ToArray();
        parts[part] += new string('=', 4 - (parts[part].Length % 4));
        return f.SignText(string.Join('.', parts));
    }

    // With text whose encoding has the letters in which the two alphabets differ.
    private static string Unsafe(Forge f)
    {
        var payload = Forge.Encode(
            f.Claims().ToJsonString()[..^1] + ",\"a\":\"" + string.Concat(Enumerable.Repeat("~?>", 5)) + "\"}"
        );
        payload =
            payload.Contains('-', StringComparison.Ordinal) || payload.Contains('_', StringComparison.Ordinal)
                ? payload
                : Forge.Encode(
                    f.Claims().ToJsonString()[..^1] + ",\"aa\":\"" + string.Concat(Enumerable.Repeat("~?>", 5)) + "\"}"
                );
        return f.SignText($"{Forge.Encode(f.Header().ToJsonString())}.{payload.Replace('-', '+').Replace('_', '/')}");
    }

    private static string StrayPayload(Forge f)
    {
        var text = f.Claims().ToJsonString();
        var payload = Forge.Encode(text.Length % 3 == 0 ? text + " " : text);
        return f.SignText($"{Forge.Encode(f.Header().ToJsonString())}.{Forge.Stray(payload)}");
    }
}
