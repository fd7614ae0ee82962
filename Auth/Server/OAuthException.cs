namespace MinimalMcp.Auth.Server;

/// <summary>
/// An OAuth error response (RFC 6749 sections 4.1.2.1 and 5.2). The description is shown and logged, so it must contain
/// no secret.
/// </summary>
internal sealed class OAuthException(string error, string description, int status = StatusCodes.Status400BadRequest)
    : Exception(description)
{
    public string Error { get; } = error;

    public int Status { get; } = status;

    /// <summary>When to repeat the request.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The client authenticated in the Authorization header, so the response challenges there (RFC 6749 section 5.2).
    /// </summary>
    public bool IsBasic { get; init; }

    public static OAuthException BusyFor(TimeSpan retryAfter, string description) =>
        new("temporarily_unavailable", description, StatusCodes.Status429TooManyRequests) { RetryAfter = retryAfter };

    /// <summary>One message for every invalid grant, so that it does not reveal which tokens exist.</summary>
    public static OAuthException InvalidGrant() =>
        new(
            "invalid_grant",
            "The code or refresh token is unknown, used, expired or revoked, or was given to another client. The "
                + "user has to sign in again."
        );
}
