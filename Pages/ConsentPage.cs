using MinimalMcp.Auth.Server;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>The consent page. It has no script: what it does must be plain to see, and work in every browser.</summary>
internal sealed class ConsentPage(PageAssets files, IConfiguration configuration) : IAuthorizationPages
{
    public Task AskAsync(HttpContext http, ConsentRequest question, int status = StatusCodes.Status200OK)
    {
        var request = question.Request;
        var target = new Uri(request.RedirectUri);
        var isLocal = RedirectAddress.IsLoopback(target);
        var name = ServerIdentity.Name(configuration);
        return Page(
            http,
            status,
            $"Allow {request.ClientName}?",
            "'self' " + string.Join(' ', question.Targets),
            Html.Of(
                $"""
                <main>
                  <p class="server">{name}</p>
                  <h1>Allow <q>{request.ClientName}</q> to use this server?</h1>
                  {Html.When(question.Problem is not null, () =>
                    Html.Of(
                        $"""
                        <p class="problem" role="alert" id="problem">
                            <strong>Not signed in.</strong> {question.Problem}</p>
                        """
                    )
                )}
                  {Html.When(!question.CanSignIn, () =>
                    Html.Of(
                        $"""
                        <p class="problem" role="alert"><strong>Nobody can sign in yet.</strong>
                            No API key is configured. {SignInCredentials.HowToAdd}</p>
                        """
                    )
                )}
                  <dl>
                    <dt>Application</dt>
                    <dd><code>{request.ClientId}</code> {Who(request.From)}</dd>
                    <dt>Redirects to</dt>
                    <dd><strong>{target.Authority}</strong>{Html.When(isLocal, () =>
                    Html.Of($", a program on this computer. Allow it only if you started it yourself.")
                )}</dd>
                    <dt>Permissions</dt>
                    <dd><ul>{Html.Each(request.Scopes, scope =>
                    Html.Of($"<li>{GrantableScopes.InWords(scope)} <code>{scope}</code></li>")
                )}</ul></dd>
                  </dl>
                  <form method="post" action="authorize">
                    <input type="hidden" name="ticket" value="{question.Ticket}">
                    {SignIn(question)}
                    <p class="choice">
                      <button class="allow" name="decision" value="allow">{(
                    question.Provider is { } provider ? $"Allow, and sign in with {provider}" : "Allow"
                )}</button>
                      <button name="decision" value="deny" formnovalidate>Cancel</button>
                    </p>
                  </form>
                  <p class="hint">The application gets no more access than you have.
                    You can revoke it in the application.
                    The operator of this server can revoke it by removing the key or password.</p>
                </main>
                """
            )
        );
    }

    public Task ExplainAsync(HttpContext http, int status, string title, string text, string? back = null) =>
        Page(
            http,
            status,
            title,
            "'none'",
            Html.Of(
                $"""
                <main>
                  <p class="server">{ServerIdentity.Name(configuration)}</p>
                  <h1>{title}</h1>
                  <p>{text}</p>
                  {Html.When(back is not null, () =>
                    Html.Of($"""<p><a href="{back}">Back to the application</a></p>""")
                )}
                </main>
                """
            )
        );

    public Task ShowCodeAsync(HttpContext http, ManualCode code) =>
        Page(
            http,
            StatusCodes.Status200OK,
            "The sign-in works",
            "'none'",
            Html.Of(
                $"""
                <main>
                  <p class="server">{ServerIdentity.Name(configuration)}</p>
                  <h1>The sign-in works</h1>
                  <p>This was a manual test: no application receives the code at this URL, so it is shown here.</p>
                  <p><code id="code">{code.Code}</code></p>
                  <p>It works once, within {Grants.CodeLifetime.TotalSeconds} seconds.
                    This command exchanges it for a token:</p>
                  <pre><code>curl -X POST {code.TokenEndpoint} \
                      -d "grant_type=authorization_code" \
                      -d "code={code.Code}" \
                      -d "client_id={code.ClientId}" \
                      -d "redirect_uri={code.RedirectUri}" \
                      -d "client_secret=$OAUTH_CLIENT_SECRET"</code></pre>
                  <p class="hint">The secret is required: it authenticates the client (RFC 6749, section 3.2.1).
                    Without it, anybody who finds the code in a browser's history or a proxy's log could redeem it.</p>
                </main>
                """
            )
        );

    private Task Page(HttpContext http, int status, string title, string forms, Html body)
    {
        http.Response.Headers.XFrameOptions = "DENY"; // for browsers without frame-ancestors
        return Html.Page(
                title,
                Html.Of(
                    $"""
                    {Html.PersonalHead}
                      <link rel="stylesheet" href="../{files.Address("consent.css")}">
                    """
                ),
                body,
                root: "../"
            )
            .WriteAsync(http, status, forms: forms);
    }

    private static Html Who(ClientOrigin from) =>
        from switch
        {
            ClientOrigin.Settings => Html.Of($"<span>registered by the operator of this server</span>"),
            ClientOrigin.Document => Html.Of($"<span>identified by its URL; the name is not verified</span>"),
            _ => Html.Of($"""<span class="caution">registered itself; the name is not verified</span>"""),
        };

    private static readonly Html Invalid = Html.Of($""" aria-invalid="true" aria-describedby="problem" """);

    private static string Label(ConsentRequest question) =>
        question.HasUsers ? "Your password, or a key of this server" : "The key of this server";

    private static Html SignIn(ConsentRequest question) =>
        question.Provider is not null
            ? Html.Of($"")
            : Html.Of(
                $"""
        {Html.When(question.HasUsers, () => Html.Of($"""
            <p><label for="username">Your name <span class="hint">(leave empty to use a key)</span></label>
              <input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false"></p>
            """))}
        <p><label for="password">{Label(question)}</label>
          <input id="password" name="password" type="password" autocomplete="current-password" required
            maxlength="512"{Html.When(question.Problem is not null, () => Invalid)}></p>
        """
            );
}
