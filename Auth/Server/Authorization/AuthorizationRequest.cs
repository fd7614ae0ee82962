using System.Buffers.Text;
using Microsoft.Extensions.Primitives;

namespace MinimalMcp.Auth.Server;

/// <summary>A validated authorization request (RFC 6749 section 4.1.1), stored until the user decides.</summary>
internal sealed record AuthorizationRequest(
    string ClientId,
    string ClientName,
    ClientOrigin From,
    string RedirectUri,
    string? State,
    string? Challenge,
    string[] Scopes
)
{
    private const int MaxState = 2048;

    /// <summary>
    /// Validates everything except the client and its redirect URI, which must be valid before an error may be sent
    /// there.
    /// </summary>
    public static AuthorizationRequest Parse(IQueryCollection query, Client client, string redirect, Issuer issuer)
    {
        if (query.ContainsKey("request") || query.ContainsKey("request_uri"))
        {
            throw new OAuthException(
                query.ContainsKey("request") ? "request_not_supported" : "request_uri_not_supported",
                "Request objects are not supported; send the parameters themselves."
            );
        }

        if (query["state"].ToString().Length > MaxState)
        {
            throw Invalid($"state may have up to {MaxState} characters.");
        }

        if (query["response_type"] is var type && type != "code")
        {
            throw StringValues.IsNullOrEmpty(type)
                ? Invalid("response_type is missing; it must be code.")
                : new OAuthException("unsupported_response_type", "response_type must be code.");
        }

        if (query["response_mode"].ToString() is not ("" or "query"))
        {
            throw Invalid("response_mode must be query.");
        }

        if (!client.Metadata.Grants.Contains(ClientMetadata.CodeGrant))
        {
            throw new OAuthException("unauthorized_client", "This client may not use the authorization code grant.");
        }

        // an empty parameter counts as absent (RFC 6749 section 3.1)
        if (!query["resource"].All(resource => resource is "" || issuer.IsResource(resource)))
        {
            throw new OAuthException("invalid_target", $"resource must be {issuer.Resource}.");
        }

        return new(
            client.Id,
            client.Metadata.Name,
            client.From,
            redirect,
            StateOf(query),
            ChallengeOf(query, client),
            GrantableScopes.Of(query["scope"].ToString(), client.Metadata.Scopes)
        );
    }

    public static string? StateOf(IQueryCollection query) =>
        query["state"].ToString() is { Length: > 0 and <= MaxState } state ? state : null;

    /// <summary>The redirect to the client. Every response names the issuer, errors included (RFC 9207).</summary>
    public static string Answer(
        string redirect,
        string? state,
        Issuer issuer,
        params ReadOnlySpan<(string, string?)> answer
    ) => RedirectAddress.With(redirect, [.. answer, ("state", state), ("iss", issuer.Url)]);

    // RFC 7636: S256 only. The method "plain" does not protect against anyone who sees the request.
    private static string? ChallengeOf(IQueryCollection query, Client client)
    {
        if (
            !client.NeedsChallenge
            && !query.ContainsKey("code_challenge")
            && !query.ContainsKey("code_challenge_method")
        )
        {
            return null;
        }

        var challenge = query["code_challenge"].ToString();
        return query["code_challenge_method"] != "S256"
                ? throw Invalid("PKCE is required: code_challenge with code_challenge_method=S256.")
            : challenge.Length == 43 && Base64Url.IsValid(challenge) && !challenge.Contains('=') ? challenge
            : throw Invalid("code_challenge must be the SHA-256 of the verifier: 43 characters of base64url.");
    }

    private static OAuthException Invalid(string description) => new("invalid_request", description);
}
