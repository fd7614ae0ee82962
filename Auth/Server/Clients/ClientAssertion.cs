using System.Buffers.Text;
using System.Text.Json;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Client authentication by <c>private_key_jwt</c> (RFC 7523): the client signs with a key of its metadata document, so
/// this server stores no secret of it.
/// </summary>
internal sealed class ClientAssertion(ClientMetadataDocuments documents, Store store, Issuer issuer, TimeProvider time)
{
    private const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>The claimed client id, which is not verified yet.</summary>
    public static string? IssuerOf(string? assertion)
    {
        try
        {
            return
                assertion?.Split('.') is [_, var payload, _]
                && StrictJson.ParseObject(Base64Url.DecodeFromChars(payload)).TryGetProperty("iss", out var iss)
                && iss.ValueKind is JsonValueKind.String
                ? iss.GetString()
                : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public async Task<bool> IsGoodAsync(Client client, FormParameters form, HttpContext http)
    {
        var rules = new TokenValidationRules
        {
            Issuers = new HashSet<string>(StringComparer.Ordinal) { client.Id },
            Audiences = new HashSet<string>(StringComparer.Ordinal)
            {
                issuer.Url,
                issuer.Url + "/",
                issuer.Url + "/auth/token",
            },
            Types = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "JWT", "client-authentication+jwt" },
        };
        try
        {
            if (form["client_assertion_type"] != Type || form["client_assertion"] is not { } assertion)
            {
                return false;
            }

            var signed = SignedToken.Parse(assertion, rules);
            var key = (await documents.KeysAsync(client, newer: false, http))?.Find(signed.KeyId, signed.Algorithm)
                ?? (await documents.KeysAsync(client, newer: true, http))?.Find(signed.KeyId, signed.Algorithm)
                ?? throw Jwt.UnknownKey();
            var verified = Jwt.Verify(signed, key, rules, time.GetUtcNow());
            return verified.Subject == client.Id
                && verified.Expires <= time.GetUtcNow() + Longest + rules.Leeway
                && verified.Id is { Length: > 0 } id
                && await store.UseAssertionAsync(
                    ReferenceTokens.Hash($"{client.Id} {id}"),
                    (verified.Expires + rules.Leeway).ToUnixTimeMilliseconds(),
                    http.RequestAborted
                );
        }
        catch (Exception refused) when (refused is TokenRefusedException or FormatException)
        {
            return false;
        }
    }
}
