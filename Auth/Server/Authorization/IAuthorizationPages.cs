namespace MinimalMcp.Auth.Server;

/// <summary>The pages of the authorization endpoint.</summary>
internal interface IAuthorizationPages
{
    /// <summary>Shows the consent page.</summary>
    Task AskAsync(HttpContext http, ConsentRequest question, int status = StatusCodes.Status200OK);

    /// <summary>Shows why the sign-in cannot continue.</summary>
    /// <param name="back">A link back to the application.</param>
    Task ExplainAsync(HttpContext http, int status, string title, string text, string? back = null);

    /// <summary>Shows the code of a manual sign-in test, and the request that redeems it.</summary>
    Task ShowCodeAsync(HttpContext http, ManualCode code);
}

/// <summary>The content of the consent page: client, scopes, and how the user signs in.</summary>
/// <param name="Ticket">Returned by the form.</param>
/// <param name="Provider">The name of the identity provider. Null when the page asks for a key or password.</param>
/// <param name="Targets">
/// Origins that the form may redirect to: ours, the client's, the provider's. Browsers check every step of a redirect.
/// </param>
/// <param name="CanSignIn">False when no key, user or provider is configured.</param>
/// <param name="Problem">Why the previous attempt failed.</param>
internal sealed record ConsentRequest(
    AuthorizationRequest Request,
    string Ticket,
    string? Provider,
    bool HasUsers,
    bool CanSignIn,
    IReadOnlyList<string> Targets,
    string? Problem = null
);
