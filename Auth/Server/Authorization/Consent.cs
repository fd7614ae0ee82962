namespace MinimalMcp.Auth.Server;

/// <summary>Completes an authorization request after the user's decision.</summary>
internal sealed partial class Consent(
    AuthorizationTickets tickets,
    SignInCredentials credentials,
    Grants grants,
    IAuthorizationPages pages,
    Issuer issuer,
    ManualCallback callback,
    AuthAttempts attempts,
    ILogger<Consent> log,
    IExternalSignIn? signIn = null
)
{
    public async Task<ConsentRequest> QuestionAsync(
        AuthorizationRequest request,
        string ticket,
        CancellationToken cancellationToken,
        string? problem = null
    )
    {
        var client = new Uri(request.RedirectUri).GetLeftPart(UriPartial.Authority);
        string[] targets = signIn is null ? [client] : [client, await signIn.OriginAsync(cancellationToken)];
        var canSignIn = signIn is not null || credentials.AreThere;
        return new(request, ticket, signIn?.Name, credentials.HasUsers, canSignIn, targets, problem);
    }

    public async Task DenyAsync(HttpContext http, string ticket)
    {
        if (await tickets.RedeemAsync(http, ticket) is { } request)
        {
            Answer(http, request, ("error", "access_denied"), ("error_description", "The user denied the request."));
        }
        else
        {
            await ExpiredAsync(http);
        }
    }

    public async Task AllowAsync(HttpContext http, AuthorizationRequest request, string ticket, FormParameters form)
    {
        if (signIn is not null)
        {
            // Consent was given; the user is not known yet. The state is a ticket too: it works once and in this
            // browser.
            if (await tickets.RedeemAsync(http, ticket) is null)
            {
                await ExpiredAsync(http);
                return;
            }

            var state = await tickets.OpenAsync(http, request);
            AuthorizeEndpoint.SeeOther(http, (await signIn.StartAsync(state, http.RequestAborted)).AbsoluteUri);
            return;
        }

        var (person, problem) = await credentials.CheckAsync(form["username"], form["password"] ?? "", http);
        if (person is null)
        {
            await pages.AskAsync(
                http,
                await QuestionAsync(request, ticket, http.RequestAborted, problem),
                StatusCodes.Status403Forbidden
            );
        }
        else if (await tickets.RedeemAsync(http, ticket) is null)
        {
            await ExpiredAsync(http);
        }
        else
        {
            await GrantAsync(http, request, person);
        }
    }

    /// <summary>
    /// Handles the return from the identity provider, with a state that is one of our tickets. Or shows the code of a
    /// manual sign-in test, whose state, if any, belongs to the tester.
    /// </summary>
    public async Task FinishAsync(HttpContext http)
    {
        var state = http.Request.Query["state"].ToString();
        if (callback.Find(http) is { } code && !(signIn is not null && ReferenceTokens.IsWellFormed(state)))
        {
            await pages.ShowCodeAsync(http, code);
            return;
        }

        if (signIn is null || state.Length == 0)
        {
            await pages.ExplainAsync(
                http,
                StatusCodes.Status400BadRequest,
                "Nothing to do",
                signIn is null
                    ? "This server signs users in itself. If an application sent you here, its redirect URI is "
                        + "wrong: it must be the application's own."
                    : "The identity provider redirects to this page. Start from the application."
            );
            return;
        }

        if (!ReferenceTokens.IsWellFormed(state) || await tickets.RedeemAsync(http, state) is not { } request)
        {
            await ExpiredAsync(http);
            return;
        }

        try
        {
            var who = await signIn.FinishAsync(state, http.Request.Query, http.RequestAborted);
            await GrantAsync(http, request, credentials.Of(who));
        }
        catch (SignInException refused)
        {
            attempts.Refuse(AuthAttempts.ProviderRefused, http.Connection.RemoteIpAddress, client: request.ClientId);
            LogRefused(refused.Reason);
            await pages.ExplainAsync(
                http,
                StatusCodes.Status403Forbidden,
                "You are not signed in",
                refused.Message,
                AuthorizationRequest.Answer(
                    request.RedirectUri,
                    request.State,
                    issuer,
                    ("error", "access_denied"),
                    ("error_description", "The user could not sign in.")
                )
            );
        }
    }

    private async Task GrantAsync(HttpContext http, AuthorizationRequest request, SignedInUser person)
    {
        var scopes = GrantableScopes.OfPerson(request.Scopes, person.Scopes);
        if (!scopes.Any(GrantableScopes.IsForTools))
        {
            attempts.Refuse(AuthAttempts.Forbidden, http.Connection.RemoteIpAddress, person.Subject, request.ClientId);
            Answer(
                http,
                request,
                ("error", "access_denied"),
                ("error_description", "The user has none of the requested scopes.")
            );
            return;
        }

        var code = await grants.OpenAsync(request, person, scopes, http.RequestAborted);
        callback.Remember(http, request, code);
        attempts.SignIn(person.Subject, request.ClientId, person.Name, http.Connection.RemoteIpAddress);
        LogAllowed(person.Described, request.ClientId, string.Join(' ', scopes), http.Connection.RemoteIpAddress);
        Answer(http, request, ("code", code));
    }

    private void Answer(
        HttpContext http,
        AuthorizationRequest request,
        params ReadOnlySpan<(string, string?)> answer
    ) =>
        AuthorizeEndpoint.SeeOther(
            http,
            AuthorizationRequest.Answer(request.RedirectUri, request.State, issuer, answer)
        );

    private Task ExpiredAsync(HttpContext http) =>
        pages.ExplainAsync(
            http,
            StatusCodes.Status403Forbidden,
            "This page has expired",
            "It was already used, is older than ten minutes, or belongs to another browser. Start again from the "
                + "application."
        );

    [LoggerMessage(LogLevel.Information, "Client access granted {User} {Client} {Scopes} {Address}")]
    private partial void LogAllowed(string user, string client, string scopes, System.Net.IPAddress? address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sign-in refused {Reason}")]
    private partial void LogRefused(string reason);
}
