using System.Security.Claims;

namespace MinimalMcp.Auth.Tokens;

/// <summary>Tells from a bearer token who calls. One stands behind every route, whoever issued the token.</summary>
internal interface IAccessTokenVerifier
{
    /// <summary>
    /// The caller: an authenticated identity with the claims <c>sub</c>, <c>client_id</c> when there is one, and one
    /// <c>scope</c> claim for each scope.
    /// </summary>
    /// <exception cref="TokenRefusedException">The token is not good for this server, now.</exception>
    ValueTask<ClaimsPrincipal> CheckAsync(string token, CancellationToken cancellationToken);

    /// <summary>
    /// The caller of a token that was found to be good a moment ago, at once; null for every other one.
    /// </summary>
    ClaimsPrincipal? Known(string token) => null;

    /// <summary>
    /// The same as <see cref="CheckAsync"/>, without relying on what was found a moment ago, where that could have
    /// changed meanwhile.
    /// </summary>
    /// <exception cref="TokenRefusedException">The token is not good any more.</exception>
    ValueTask<ClaimsPrincipal> CheckAgainAsync(string token, CancellationToken cancellationToken) =>
        CheckAsync(token, cancellationToken);
}

/// <summary>A token that is not good. The message may be shown and logged: it has nothing of the token in it.</summary>
internal sealed class TokenRefusedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// The token is what it should be, but this client may not use this server: 403 and not 401, since another token
    /// would not help.
    /// </summary>
    public bool IsForbidden { get; init; }

    /// <summary>What the operator should know, and a caller need not; for the log only.</summary>
    public string? Detail { get; init; }
}
