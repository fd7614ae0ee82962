using System.Globalization;
using System.Text.Json;
using MinimalMcp.Auth.Diagnostics;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// Verifies signed JSON Web Tokens (RFC 7519, following RFC 8725). Everything that is not clearly valid is refused.
/// </summary>
internal static class Jwt
{
    private const double EndOfTime = 253402300800; // the year 10000, where .NET's time ends

    /// <exception cref="TokenRefusedException">With a sentence that may be shown.</exception>
    public static VerifiedToken Verify(string token, JsonWebKeySet keys, TokenValidationRules rules, DateTimeOffset now)
    {
        var signed = SignedToken.Parse(token, rules);
        return Verify(signed, keys.Find(signed.KeyId, signed.Algorithm) ?? throw UnknownKey(), rules, now);
    }

    /// <summary>For callers that find the key themselves.</summary>
    public static VerifiedToken Verify(
        SignedToken token,
        SignatureKey key,
        TokenValidationRules rules,
        DateTimeOffset now
    )
    {
        return Check(token.Open(key), token.Type, rules, now);
    }

    /// <summary>Validates the claims of a token whose signature was verified.</summary>
    /// <exception cref="TokenRefusedException">With a sentence that may be shown.</exception>
    public static VerifiedToken Check(JsonElement payload, string? type, TokenValidationRules rules, DateTimeOffset now)
    {
        var issuer =
            payload.TryGetProperty("iss", out var iss) && iss.ValueKind is JsonValueKind.String ? iss.GetString()! : "";
        if (!rules.Issuers.Contains(issuer))
        {
            throw new TokenRefusedException("The token has another issuer (iss).")
            {
                Detail = $"its issuer (iss) is {List([issuer])}, but this server accepts {List(rules.Issuers)}",
            };
        }

        var expires = Time(payload, "exp") ?? throw SignedToken.Refuse("has no expiry (exp)");
        var verified = new VerifiedToken(payload, issuer, expires, type);
        if (!rules.AnyAudience && !verified.Audiences.Any(rules.Audiences.Contains))
        {
            throw new TokenRefusedException(
                verified.Audiences.Any() ? "The token is for another server (aud)." : "The token has no audience (aud)."
            )
            {
                Detail =
                    $"its audience (aud) is {List(verified.Audiences)}, but this server accepts "
                    + $"{List(rules.Audiences)}",
            };
        }

        CheckTimes(verified, rules, now);
        return verified;
    }

    // For the log. The signature was valid, so these are the issuer's own values; they are truncated all the same.
    private static string List(IEnumerable<string> values) =>
        values.Take(5).Select(value => $"'{RedactedRequest.Text(value, 200)}'").ToArray() is { Length: > 0 } some
            ? string.Join(", ", some)
            : "missing";

    public static TokenRefusedException UnknownKey() =>
        SignedToken.Refuse("is signed with a key that its issuer does not publish, or names none of several keys");

    private static void CheckTimes(VerifiedToken token, TokenValidationRules rules, DateTimeOffset now)
    {
        if (now >= token.Expires + rules.Leeway)
        {
            throw Clock("has expired (exp)", now);
        }

        if (Time(token.Payload, "nbf") > now + rules.Leeway)
        {
            throw Clock("is not valid yet (nbf)", now);
        }

        if (Time(token.Payload, "iat") > now + rules.Leeway)
        {
            throw Clock("was issued in the future (iat)", now);
        }
    }

    private static TokenRefusedException Clock(string why, DateTimeOffset now) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The token {why}. If it should be valid, a clock is wrong: this server's is "
                    + $"{now.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}."
            )
        );

    // A number, optionally with a fraction (RFC 7519 section 2), never a string.
    private static DateTimeOffset? Time(JsonElement payload, string claim)
    {
        if (!payload.TryGetProperty(claim, out var value))
        {
            return null;
        }

        return
            value.ValueKind is JsonValueKind.Number
            && value.TryGetDouble(out var seconds)
            && seconds is >= 0 and < EndOfTime
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : throw SignedToken.Refuse($"has a claim {claim} that is not a timestamp");
    }
}
