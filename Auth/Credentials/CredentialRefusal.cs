namespace MinimalMcp.Auth;

/// <summary>Why a credential was refused, as the response reports it.</summary>
/// <param name="Status">401, or another status when a different credential would not help.</param>
internal sealed record CredentialRefusal(int Status, string Why)
{
    /// <summary>The refusal was already logged.</summary>
    public bool IsLogged { get; init; }

    /// <summary>When to try the same credential again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The credential is not valid.</summary>
    public static CredentialRefusal Wrong(string why) => new(StatusCodes.Status401Unauthorized, why);

    /// <summary>The address sent too many invalid credentials, so this one was not checked.</summary>
    public static CredentialRefusal TooMany(TimeSpan wait) =>
        new(StatusCodes.Status429TooManyRequests, "This address sent too many invalid API keys.") { RetryAfter = wait };
}
