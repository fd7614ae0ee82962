using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// Makes tokens of an issuer, good ones and others, with keys that the issuer publishes, and with one that it does not.
/// </summary>
internal sealed class Forge(string issuer, params TestKey[] keys)
{
    public const string Audience = "https://tools.example",
        SecondAudience = "api://tools";

    public string Issuer => issuer;

    /// <summary>The key that the set is about.</summary>
    public TestKey Main => keys[0];

    /// <summary>Looks like the main one, and is the forger's.</summary>
    public TestKey Stolen => field ??= TestKey.New(keys[0].Kid, keys[0].Alg);

    public TestKey Key(string kid) => keys.First(key => key.Kid == kid);

    public static long Now => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public JsonObject Header(string? alg = null, string? kid = null) =>
        new()
        {
            ["alg"] = alg ?? Main.Alg,
            ["kid"] = kid ?? Main.Kid,
            ["typ"] = "JWT",
        };

    public JsonObject Claims() =>
        new()
        {
            ["iss"] = issuer,
            ["aud"] = Audience,
            ["sub"] = "anna",
            ["azp"] = "client-1",
            ["scope"] = "mcp:read mcp:write",
            ["iat"] = Now - 5,
            ["nbf"] = Now - 5,
            ["exp"] = Now + 300,
        };

    /// <summary>A good token but for one claim.</summary>
    public string With(string claim, JsonNode? value)
    {
        var claims = Claims();
        claims[claim] = value;
        return Sign(Header(), claims);
    }

    public string Without(params string[] left)
    {
        var claims = Claims();
        Array.ForEach(left, claim => claims.Remove(claim));
        return Sign(Header(), claims);
    }

    /// <summary>A good token but for one member of its header.</summary>
    public string Headed(string name, JsonNode? value, TestKey? key = null)
    {
        var header = Header();
        header[name] = value;
        return Sign(header, Claims(), key);
    }

    public string HeadedWithout(string name, TestKey? key = null)
    {
        var header = Header(key?.Alg);
        header.Remove(name);
        return Sign(header, Claims(), key);
    }

    /// <summary>With another of the issuer's keys.</summary>
    public string By(string kid, string? alg = null) => Sign(Header(alg ?? Key(kid).Alg, kid), Claims(), Key(kid), alg);

    public string Sign(JsonObject header, JsonObject claims, TestKey? key = null, string? alg = null) =>
        Raw(header.ToJsonString(), claims.ToJsonString(), key, alg);

    public string Raw(string header, string payload, TestKey? key = null, string? alg = null) =>
        Raw(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload), key, alg);

    public string Raw(byte[] header, byte[] payload, TestKey? key = null, string? alg = null) =>
        SignText($"{Encode(header)}.{Encode(payload)}", key, alg);

    public string SignText(string text, TestKey? key = null, string? alg = null) =>
        $"{text}.{Encode((key ?? Main).Sign(Encoding.UTF8.GetBytes(text), alg))}";

    public string Unsigned(string header, byte[] signature) =>
        string.Join(
            '.',
            Encode(Encoding.UTF8.GetBytes(header)),
            Encode(Encoding.UTF8.GetBytes(Claims().ToJsonString())),
            Encode(signature)
        );

    /// <summary>A good token with a part replaced after it was signed.</summary>
    public string Tamper(int part, Func<string, string> change)
    {
        var parts = Sign(Header(), Claims()).Split('.');
        parts[part] = change(parts[part]);
        return string.Join('.', parts);
    }

    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);

    public static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    public static string Deep(int levels) =>
        string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels);

    /// <summary>
    /// The same bytes in the same number of letters, with a bit set that means nothing. Null when no bit is left over.
    /// </summary>
    public static string? Stray(string part)
    {
        const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return part.Length % 4 is 0 ? null : part[..^1] + Letters[Letters.IndexOf(part[^1]) ^ 1];
    }
}
