namespace MinimalMcp.Auth.Server;

/// <summary>What a person sees while a client asks for access.</summary>
internal interface IAuthorizationPages
{
    /// <summary>The question.</summary>
    Task AskAsync(HttpContext http, ConsentRequest question, int status = StatusCodes.Status200OK);

    /// <summary>Why it does not go on.</summary>
    /// <param name="back">Where the person may go from here.</param>
    Task ExplainAsync(HttpContext http, int status, string title, string text, string? back = null);

    /// <summary>The code of a sign-in that was tried by hand, and the request that redeems it.</summary>
    Task ShowCodeAsync(HttpContext http, ManualCode code);
}

/// <summary>Who asks for what, and how the person signs in.</summary>
/// <param name="Ticket">The form brings it back.</param>
/// <param name="Provider">
/// The name of an identity provider that signs people in; then the page asks for no password.
/// </param>
/// <param name="Targets">
/// Origins that the form may lead to: our own, the client's, the provider's. Browsers look at each step of a redirect.
/// </param>
/// <param name="CanSignIn">False while there are neither keys nor people nor a provider.</param>
/// <param name="Problem">Why the last answer was not taken.</param>
internal sealed record ConsentRequest(
    AuthorizationRequest Request,
    string Ticket,
    string? Provider,
    bool HasUsers,
    bool CanSignIn,
    IReadOnlyList<string> Targets,
    string? Problem = null
);
