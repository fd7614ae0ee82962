using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Auth.Tokens;

namespace MinimalMcp.Auth.Provider;

/// <summary>Reads a user's claims from the provider's UserInfo endpoint (OpenID Connect Core section 5.3).</summary>
internal sealed class UserInfo : IDisposable
{
    private const int MaxBytes = 64 * 1024;

    private static readonly HashSet<string> Email = ["email", "email_verified", "xms_edov"];

    // Claims that UserInfo must not override.
    private static readonly HashSet<string> OfToken =
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "azp",
        "nonce",
        "tid",
        "oid",
        "typ",
        "acr",
        "amr",
        "auth_time",
    ];

    private readonly SafeFetch _fetch = new(UrlSource.Operator);

    /// <summary>Returns the ID token with its missing claims.</summary>
    /// <exception cref="HttpRequestException">The response could not be read.</exception>
    /// <exception cref="TokenRefusedException">The response is about another user.</exception>
    public async Task<VerifiedToken> AddToAsync(
        VerifiedToken person,
        Uri endpoint,
        string accessToken,
        CancellationToken cancellationToken
    )
    {
        JsonElement said;
        try
        {
            said = StrictJson.ParseObject(await _fetch.GetAsync(endpoint, MaxBytes, cancellationToken, accessToken));
        }
        catch (FormatException wrong)
        {
            throw new HttpRequestException($"{endpoint.GetLeftPart(UriPartial.Path)} {wrong.Message}.");
        }

        // Section 5.3.2: the claims must not be used unless the subject matches.
        if (
            !(
                said.TryGetProperty("sub", out var sub)
                && sub.ValueKind is JsonValueKind.String
                && sub.GetString() == person.Subject
            )
        )
        {
            throw new TokenRefusedException("The UserInfo response is about another user (sub).");
        }

        var claims = JsonObject.Create(person.Payload)!;
        var keepsEmail = person.Text("email") is not null;
        foreach (var claim in Email.Where(_ => !keepsEmail))
        {
            claims.Remove(claim); // the verified flag belongs to the other address
        }

        foreach (var claim in said.EnumerateObject())
        {
            if (
                !OfToken.Contains(claim.Name)
                && !(keepsEmail && Email.Contains(claim.Name))
                && !claims.ContainsKey(claim.Name)
            )
            {
                claims[claim.Name] = JsonNode.Parse(claim.Value.GetRawText());
            }
        }

        return person with
        {
            Payload = JsonElement.Parse(claims.ToJsonString()),
        };
    }

    public void Dispose() => _fetch.Dispose();
}
