using System.Buffers.Text;
using Microsoft.Extensions.Primitives;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// What a client asks a person for (RFC 6749 section 4.1.1), as it was checked; kept while the person thinks about it.
/// </summary>
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
    /// Checks everything but the client and where it wants the answer, which must be right before an error may be sent
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
            throw new OAuthException("unauthorized_client", "This client may not ask a person.");
        }

        // an empty parameter is none (RFC 6749 section 3.1)
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

    /// <summary>Where the browser goes with an answer; it always says who answers, errors too (RFC 9207).</summary>
    public static string Answer(
        string redirect,
        string? state,
        Issuer issuer,
        params ReadOnlySpan<(string, string?)> answer
    ) => RedirectAddress.With(redirect, [.. answer, ("state", state), ("iss", issuer.Url)]);

    // RFC 7636: the SHA-256 of the verifier; the method "plain" protects from nobody who can see the request.
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
