namespace MinimalMcp.Auth.Operators;

/// <summary>The pages of the operators' sign-in.</summary>
internal interface IOperatorPages
{
    Task AskAsync(HttpContext http, OperatorQuestion question, int status = StatusCodes.Status200OK);

    /// <summary>
    /// A page that goes on by itself: after a redirect from another site browsers do not send the session's cookie
    /// (SameSite=Strict); after a page of ours they do.
    /// </summary>
    Task ArriveAsync(HttpContext http, string address);
}

/// <summary>The content of the sign-in page.</summary>
/// <param name="Return">The page to go to, from our root.</param>
/// <param name="Provider">The identity provider's name, when operators can sign in there.</param>
/// <param name="ProviderOrigin">Where its form leads.</param>
/// <param name="TakesKeys">Keys are accepted.</param>
/// <param name="HasUsers">Users of this server can sign in.</param>
/// <param name="Missing">How to make a sign-in possible, when none is.</param>
/// <param name="Problem">Why the previous attempt failed.</param>
internal sealed record OperatorQuestion(
    string Return,
    string? Provider,
    string? ProviderOrigin,
    bool TakesKeys,
    bool HasUsers,
    string? Missing,
    string? Problem
)
{
    /// <summary>The page is one of callers: no scope is needed.</summary>
    public bool IsForCallers { get; init; }
}
