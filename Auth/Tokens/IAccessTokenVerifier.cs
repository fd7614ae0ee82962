using System.Security.Claims;

namespace MinimalMcp.Auth.Tokens;

/// <summary>
/// Verifies bearer tokens and returns their caller. One implementation serves every route, whoever issued the token.
/// </summary>
internal interface IAccessTokenVerifier
{
    /// <summary>
    /// Returns the caller: an authenticated identity with the claims <c>sub</c>, <c>client_id</c> if any, and one
    /// <c>scope</c> claim per scope.
    /// </summary>
    /// <exception cref="TokenRefusedException">The token is not valid for this server.</exception>
    ValueTask<ClaimsPrincipal> CheckAsync(string token, CancellationToken cancellationToken);

    /// <summary>Returns the caller of a cached token without waiting; null for every other token.</summary>
    ClaimsPrincipal? Known(string token) => null;

    /// <summary>
    /// Verifies as <see cref="CheckAsync"/> does, without relying on cached results that may have changed.
    /// </summary>
    /// <exception cref="TokenRefusedException">The token is no longer valid.</exception>
    ValueTask<ClaimsPrincipal> CheckAgainAsync(string token, CancellationToken cancellationToken) =>
        CheckAsync(token, cancellationToken);
}

/// <summary>An invalid token. The message may be shown and logged: it contains nothing of the token.</summary>
internal sealed class TokenRefusedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// The token is valid, but its client may not use this server: 403 and not 401, since another token would not help.
    /// </summary>
    public bool IsForbidden { get; init; }

    /// <summary>Details for the operator; only for the log.</summary>
    public string? Detail { get; init; }
}
