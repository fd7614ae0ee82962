using System.Globalization;
using MinimalMcp.Auth;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Auth.Server;
using MinimalMcp.Hub;
using MinimalMcp.Hub.Callers;
using MinimalMcp.Hub.SignIn;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>
/// <c>/connections</c>: a caller stores, replaces and deletes the own secrets for other MCP servers. It has no script,
/// and never shows a secret.
/// </summary>
internal static class ConnectionsPage
{
    private const string Stored = "stored",
        Deleted = "deleted";

    public static IEndpointConventionBuilder Map(IEndpointRouteBuilder routes, string pattern)
    {
        routes.ServiceProvider.GetRequiredService<HubAddress>().ConnectionsPattern = pattern;
        var group = routes.MapGroup(pattern).AllowCallersInBrowser();
        group.MapMethods("", [HttpMethods.Get, HttpMethods.Head], OAuthResponses.Page(http => ShowAsync(http)));
        group.MapPost("", OAuthResponses.Page(PostAsync));
        return group;
    }

    private static async Task PostAsync(HttpContext http)
    {
        var form = await FormParameters.ReadAsync(http);
        var caller = Caller.From(http.User);
        var action = form["action"];
        try
        {
            if (caller == Caller.Local || Of<OperatorSignIn>(http).ProblemForCallers is not null)
            {
                throw new ServerRefusedException(StatusCodes.Status409Conflict, "Nothing can be stored here now.");
            }

            if (
                action is not ("store" or "delete")
                || !long.TryParse(form["server"], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            )
            {
                throw new ServerRefusedException(StatusCodes.Status400BadRequest, "The form is not one of this page.");
            }

            await Of<HubAudit>(http).RunAsync("connections/" + action, http, ChangeAsync);
            AuthorizeEndpoint.SeeOther(
                http,
                ErrorPages.Root(http.Request)
                    + Of<HubAddress>(http).ConnectionsPattern.Trim('/')
                    + $"?done={(action is "store" ? Stored : Deleted)}"
            );

            async Task<object> ChangeAsync(HttpContext request)
            {
                var server = await Of<ServerRegistry>(http).FindAsync(id, http.RequestAborted)
                    ?? throw ServerRefusedException.NotFound();
                HubAudit.Describe(http, "server", server.Name);
                var secrets = Of<CallerSecrets>(http);
                await (
                    action is "store"
                        ? secrets.SetAsync(server, caller.Subject, form["secret"], http.RequestAborted)
                        : secrets.DeleteAsync(id, caller.Subject, http.RequestAborted)
                );
                return server;
            }
        }
        catch (ServerRefusedException refused)
        {
            await ShowAsync(http, refused);
        }
    }

    private static async Task ShowAsync(HttpContext http, ServerRefusedException? refused = null)
    {
        var (caller, root) = (Caller.From(http.User), ErrorPages.Root(http.Request));
        var closed = Of<OperatorSignIn>(http).ProblemForCallers;
        var all = await Of<ServerRegistry>(http).ListAsync(http.RequestAborted);
        var stored = await Of<CallerSecrets>(http).ListAsync(all, caller.Subject, http.RequestAborted);
        ServerDefinition[] servers =
        [
            .. all.Where(server =>
                    (server.Auth is AuthType.PerCaller && server.Address is not null) || stored.ContainsKey(server.Id)
                )
                .OrderBy(server => server.Name, StringComparer.Ordinal),
        ];
        var action = root + Of<HubAddress>(http).ConnectionsPattern.Trim('/');
        var name = ServerIdentity.Name(Of<IConfiguration>(http));
        await Html.Page(
                $"Your connections: {name}",
                Html.Of(
                    $"""
                    {Html.PersonalHead}
                      <link rel="stylesheet" href="{root}{Of<PageAssets>(http).Address("consent.css")}">
                    """
                ),
                Html.Of(
                    $"""
                    <main>
                      <p class="server">{name}</p>
                      <h1>Your connections</h1>
                      <p>Some servers behind this one work with an account of yours there. Store your token or key of
                        that account: it is encrypted, used for your calls only, and never shown again.</p>
                      {Outcome(http, refused)}
                      {Html.When(closed is not null, () =>
                        Html.Of($"""<p class="problem">Nothing can be stored here now. {closed}</p>"""))}
                      {Html.When(servers.Length == 0, () =>
                        Html.Of($"<p><strong>No server of this kind is registered.</strong></p>"))}
                      {Html.Each(closed is null ? servers : [], server =>
                        Server(server, stored.GetValueOrDefault(server.Id), action))}
                      {Html.When(closed is null, () =>
                        Html.Of(
                            $"""
                            <footer>
                              <p>Signed in as <strong>{caller.Subject}</strong></p>
                              {SignInPage.SignOut(root, $"?return={Uri.EscapeDataString(
                                Of<HubAddress>(http).ConnectionsPattern.Trim('/')
                            )}")}
                            </footer>
                            """
                        ))}
                    </main>
                    """
                ),
                root
            )
            .WriteAsync(http, refused?.Status ?? StatusCodes.Status200OK, forms: "'self'");
    }

    private static Html Outcome(HttpContext http, ServerRefusedException? refused) =>
        refused is not null
            ? Html.Of(
                $"""<p class="problem" role="alert"><strong>Nothing was changed.</strong> {refused.Message}</p>"""
            )
            : http.Request.Query["done"].ToString() switch
            {
                Stored => Html.Of($"""<p role="status"><strong>Your secret was stored.</strong></p>"""),
                Deleted => Html.Of($"""<p role="status"><strong>Your secret was deleted.</strong></p>"""),
                _ => Html.Of($""),
            };

    private static Html Server(ServerDefinition server, StoredCallerSecret? stored, string action)
    {
        var takes = server.Auth is AuthType.PerCaller && server.Address is not null;
        return Html.Of(
            $"""
            <section aria-labelledby="server-{server.Id}">
              <h2 id="server-{server.Id}">{server.Name}</h2>
              {Html.When(server.Description is { Length: > 0 }, () => Html.Of($"<p>{server.Description}</p>"))}
              <p>{State(stored, takes)}</p>
              {Html.When(takes, () => Html.Of(
                $"""
                <form method="post" action="{action}">
                  <input type="hidden" name="server" value="{server.Id}">
                  <p><label for="secret-{server.Id}">Your secret for {server.Name}</label>
                    <input id="secret-{server.Id}" name="secret" type="password" required autocomplete="off"
                      maxlength="{CallerSecrets.MaxLength}"></p>
                  <p class="choice"><button class="allow" name="action" value="store"
                    aria-label="{(stored is null ? "Store" : "Replace")} the secret for {server.Name}">{(
                    stored is null ? "Store" : "Replace"
                )}</button></p>
                </form>
                """
            ))}
              {Html.When(stored is not null, () => Html.Of(
                $"""
                <form method="post" action="{action}">
                  <input type="hidden" name="server" value="{server.Id}">
                  <p class="choice"><button name="action" value="delete"
                    aria-label="Delete the secret for {server.Name}">Delete</button></p>
                </form>
                """
            ))}
            </section>
            """
        );
    }

    private static Html State(StoredCallerSecret? stored, bool takes) =>
        stored is null ? Html.Of($"No secret is stored.")
        : !takes ? Html.Of($"A secret is stored, which this server does not use any more. Delete it.")
        : stored.IsUsable
            ? Html.Of(
                $"A secret is stored, since {stored.StoredAt.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}."
            )
        : Html.Of($"The stored secret cannot be used: this server's address or key changed. Store it again.");

    private static T Of<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();
}
