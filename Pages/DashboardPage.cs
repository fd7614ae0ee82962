using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>The approvals page: pending calls, with buttons to approve or deny them.</summary>
internal static class DashboardPage
{
    public static Task GetAsync(HttpContext http)
    {
        if (http.Request.Path.Value!.EndsWith('/'))
        {
            // The page's addresses are relative to the root.
            return Results.Redirect(".." + http.Request.Path.Value.TrimEnd('/')).ExecuteAsync(http);
        }

        var files = http.RequestServices.GetRequiredService<PageAssets>();
        var name = ServerIdentity.Name(http.RequestServices.GetRequiredService<IConfiguration>());
        var auth = http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value;
        var asked =
            http.RequestServices.GetRequiredService<IOptions<GovernanceOptions>>().Value.Approve is { Length: > 0 };
        return Html.Page(
                $"Approvals: {name}",
                Html.Of(
                    $"""
                    <meta name="color-scheme" content="light dark">
                      <meta name="referrer" content="same-origin">
                      <link rel="stylesheet" href="{files.Address("start.css")}">
                      <link rel="stylesheet" href="{files.Address("dashboard.css")}">
                      <script src="{files.Address("dashboard.js")}" defer></script>
                    """
                ),
                Html.Of(
                    $"""
              <header>
                <img src="logo.svg" alt="" width="56" height="56">
                <div>
                  <h1>Approvals</h1>
                  <p class="facts"><a href="./">{name}</a></p>
                </div>
                {Html.When(!auth.IsOff, () => SignInPage.SignOut(""))}
              </header>
              <main>
                <section aria-labelledby="waiting">
                  <h2 id="waiting">Pending approvals</h2>
                  {Html.When(!asked, () => Html.Of($"""
                    <p class="note">No tool needs approval on this server.
                      Set <code>Governance:Approve</code> to tools or risk levels,
                      for example <code>CRITICAL</code>.</p>
                    """))}
                  <p id="state">This page needs JavaScript.</p>
                  <ul id="calls" class="calls"></ul>
                </section>
              </main>
              <p id="said" class="unseen" role="status" aria-live="polite"></p>
            """
                )
            )
            .WriteAsync(http, forms: "'self'");
    }
}
