namespace MinimalMcp.Auth;

/// <summary>Why a credential was refused, as the response reports it.</summary>
/// <param name="Status">401, or another status when a different credential would not help.</param>
internal sealed record CredentialRefusal(int Status, string Why)
{
    /// <summary>The outcome that is counted; see <see cref="AuthAttempts"/>.</summary>
    public string Outcome { get; init; } =
        Status switch
        {
            StatusCodes.Status400BadRequest => AuthAttempts.Malformed,
            StatusCodes.Status403Forbidden => AuthAttempts.Forbidden,
            StatusCodes.Status429TooManyRequests => AuthAttempts.RateLimited,
            StatusCodes.Status503ServiceUnavailable => AuthAttempts.Unavailable,
            _ => AuthAttempts.InvalidToken,
        };

    /// <summary>The refusal was already logged.</summary>
    public bool IsLogged { get; init; }

    /// <summary>When to try the same credential again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The credential is not valid.</summary>
    public static CredentialRefusal Wrong(string why, string outcome) =>
        new(StatusCodes.Status401Unauthorized, why) { Outcome = outcome };

    /// <summary>The address sent too many invalid credentials, so this one was not checked.</summary>
    public static CredentialRefusal TooMany(TimeSpan wait) =>
        new(StatusCodes.Status429TooManyRequests, "This address sent too many invalid API keys.") { RetryAfter = wait };
}
