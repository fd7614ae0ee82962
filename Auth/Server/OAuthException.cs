namespace MinimalMcp.Auth.Server;

/// <summary>
/// A request that is refused, in the terms of OAuth (RFC 6749 sections 4.1.2.1 and 5.2). The description is shown and
/// logged: it has nothing secret in it.
/// </summary>
internal sealed class OAuthException(string error, string description, int status = StatusCodes.Status400BadRequest)
    : Exception(description)
{
    public string Error { get; } = error;

    public int Status { get; } = status;

    /// <summary>When the same request may succeed.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// The client tried to authenticate in the Authorization header, so it is told how (RFC 6749 section 5.2).
    /// </summary>
    public bool IsBasic { get; init; }

    public static OAuthException BusyFor(TimeSpan retryAfter, string description) =>
        new("temporarily_unavailable", description, StatusCodes.Status429TooManyRequests) { RetryAfter = retryAfter };

    /// <summary>One sentence for whatever was wrong about a grant: nobody learns which tokens exist.</summary>
    public static OAuthException InvalidGrant() =>
        new(
            "invalid_grant",
            "The code or refresh token is unknown, used, expired or revoked, or was given to another client. The "
                + "user has to sign in again."
        );
}
