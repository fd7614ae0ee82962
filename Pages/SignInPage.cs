using MinimalMcp.Auth.Operators;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>The sign-in of operators. It has no script.</summary>
internal sealed class SignInPage(PageAssets files, IConfiguration configuration) : IOperatorPages
{
    public Task AskAsync(HttpContext http, OperatorQuestion question, int status = StatusCodes.Status200OK)
    {
        var name = ServerIdentity.Name(configuration);
        var asks = question.TakesKeys || question.HasUsers;
        return PageOf(
                $"Sign in: {name}",
                Html.Of(
                    $"""
                    <main>
                      <p class="server">{name}</p>
                      <h1>{(question.IsForCallers ? "Sign in" : "Sign in as an operator")}</h1>
                      {Html.When(question.Problem is not null, () => Html.Of($"""
                        <p class="problem" role="alert" id="problem">
                          <strong>Not signed in.</strong> {question.Problem}</p>
                        """))}
                      {Html.When(question.Missing is not null, () => Html.Of($"""
                        <p class="problem" role="alert"><strong>Nobody can sign in yet.</strong> {question.Missing}</p>
                        """))}
                      {Html.When(question.Provider is not null, () => Html.Of($"""
                        <form method="post" action="sign-in">
                          <input type="hidden" name="return" value="{question.Return}">
                          <p class="choice"><button class="allow" name="with" value="provider">
                            Sign in with {question.Provider}</button></p>
                        </form>
                        """))}
                      {Html.When(asks, () => Html.Of($"""
                        <form method="post" action="sign-in">
                          <input type="hidden" name="return" value="{question.Return}">
                          {Html.When(question.HasUsers, () => Html.Of($"""
                            <p><label for="username">Your name{Html.When(question.TakesKeys, () =>
                              Html.Of($""" <span class="hint">(leave empty to use a key)</span>"""))}</label>
                              <input id="username" name="username" autocomplete="username" autocapitalize="none"
                                spellcheck="false"></p>
                            """))}
                          <p><label for="password">{Label(question)}</label>
                            <input id="password" name="password" type="password" autocomplete="current-password"
                              required maxlength="512"></p>
                          <p class="choice"><button class="allow">Sign in</button></p>
                        </form>
                        <p class="hint">The session ends after 30 minutes without a request, after 12 hours,
                          and when you sign out.</p>
                        """))}
                    </main>
                    """
                )
            )
            .WriteAsync(http, status, forms: question.ProviderOrigin is { } origin ? $"'self' {origin}" : "'self'");
    }

    public Task ArriveAsync(HttpContext http, string address) =>
        PageOf(
                "Signed in",
                Html.Of(
                    $"""
                    <main>
                      <h1>You are signed in</h1>
                      <p><a href="{address}">Continue</a></p>
                    </main>
                    """
                ),
                Html.Of($"""<meta http-equiv="refresh" content="0; url={address}">""")
            )
            .WriteAsync(http);

    /// <summary>The button that ends the session, on every page of operators.</summary>
    /// <param name="root">The way from the page to our own root.</param>
    /// <param name="to">The page to sign in for again; the console when it is empty.</param>
    public static Html SignOut(string root, string to = "") =>
        Html.Of($"""<form method="post" action="{root}auth/sign-out{to}"><button>Sign out</button></form>""");

    private static string Label(OperatorQuestion question) =>
        (question.HasUsers, question.TakesKeys) switch
        {
            (true, true) when question.IsForCallers => "Your password, or your key of this server",
            (false, _) when question.IsForCallers => "Your key of this server",
            (true, true) => "Your password, or a key with the scope mcp:admin",
            (true, false) => "Your password",
            _ => "A key with the scope mcp:admin",
        };

    private Html PageOf(string title, Html body, Html? head = null) =>
        Html.Page(
            title,
            Html.Of(
                $"""
                {Html.PersonalHead}
                  {head ?? Html.Of($"")}
                  <link rel="stylesheet" href="../{files.Address("consent.css")}">
                """
            ),
            body,
            root: "../"
        );
}
