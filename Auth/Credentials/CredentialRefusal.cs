namespace MinimalMcp.Auth;

/// <summary>Why a credential opens nothing, as it is answered.</summary>
/// <param name="Status">401, unless another credential would not help.</param>
internal sealed record CredentialRefusal(int Status, string Why)
{
    /// <summary>The log has a line of it already.</summary>
    public bool IsLogged { get; init; }

    /// <summary>When the same credential may be good.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>It is no credential of anybody.</summary>
    public static CredentialRefusal Wrong(string why) => new(StatusCodes.Status401Unauthorized, why);

    /// <summary>Its address has sent too many wrong ones to look at this one.</summary>
    public static CredentialRefusal TooMany(TimeSpan wait) =>
        new(StatusCodes.Status429TooManyRequests, "Too many wrong keys came from this address.") { RetryAfter = wait };
}
