using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Tools;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>The page at <c>/</c>: what this server is, what is on, and which address goes where in ChatGPT.</summary>
internal static class StartPage
{
    // All families are open when they fit on a screen or two.
    private const int MaxOpen = 24;

    public static Task GetAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var configuration = services.GetRequiredService<IConfiguration>();
        var files = services.GetRequiredService<PageFiles>();
        var tools = services.GetRequiredService<ToolRegistry>().Current.All;
        var auth = services.GetRequiredService<IOptions<AuthOptions>>().Value;
        var routes = Routes.Of(http);
        var reachable = Routes.Of(http, withoutKey: !auth.IsOff);
        var name = Identity.Name(configuration);
        var url = auth.TakesTokens ? PublicUrl.OfDocuments(http) : PublicUrl.Of(http); // tokens are for one address only
        return Html.Page(
                name,
                Html.Of(
                    $"""
                    <meta name="color-scheme" content="light dark">
                      <link rel="stylesheet" href="{files.Address("start.css")}">
                      <script src="{files.Address("start.js")}" defer></script>
                    """
                ),
                Html.Of(
                    $"""
              <header>
                <img src="logo.svg" alt="" width="56" height="56">
                <div>
                  <h1>{name}</h1>
                  <p class="facts">
                    <span>version {Identity.VersionOf(configuration)}</span>
                    <span>{(auth.IsOff ? "no authentication" : "authentication: " + auth.Mode.ToLowerInvariant())}</span>
                    <span>{tools.Count} {(tools.Count == 1 ? "tool" : "tools")}</span>
                  </p>
                </div>
              </header>
              <nav aria-label="Pages of this server">
                <ul>
                  {Html.Each(Links.Where(link => reachable.Contains(link.Needs)), link => Html.Of($"""<li><a href="{link.Path}">{link.Text}</a></li>"""))}
                </ul>
              </nav>
              <main>
                <section aria-labelledby="connect">
                  <h2 id="connect">Connect</h2>
                  {Html.When(!url.StartsWith("https://", StringComparison.OrdinalIgnoreCase), () => Html.Of($"""
                    <p class="note"><strong>ChatGPT needs https.</strong> It calls from the internet, so it cannot use {url}. Put a tunnel or a reverse proxy with TLS
                      before this server, and set <code>PUBLIC_URL</code> to its address: then this page names that one. Programs on this machine can connect now.</p>
                    """))}
                  <ul class="ways">
                    {Html.Each(Connections.To(url, auth).Where(way => way.Route is null || routes.Contains(way.Route)), Way)}
                  </ul>
                </section>
                <section aria-labelledby="tools">
                  <h2 id="tools">Tools</h2>
                  {Html.Each(tools.GroupBy(tool => tool.Family), family => Family(family.Key, [.. family], tools.Count <= MaxOpen, routes.Contains("/openapi.json")))}
                  {Html.Each(auth.IsOff ? services.GetServices<FamilyOff>().OrderBy(off => off.Section, StringComparer.Ordinal).AsEnumerable() : [], off => Html.Of($"""
                    <div class="family off"><h3>{off.Family}</h3> <p>off: nothing is configured under <code>{off.Section}</code>; <code>{EnvironmentNames.Short($"{off.Section}:Url")}</code> enables it</p></div>
                    """))}
                  {Html.When(tools.Count == 0, () => Html.Of($"<p>There are none yet. A class with <code>[McpServerToolType]</code> below <code>Tools/</code> adds some.</p>"))}
                </section>
              </main>
              <p id="said" class="unseen" role="status" aria-live="polite"></p>
            """
                )
            )
            .WriteAsync(http);
    }

    private static readonly (string Path, string Text, string Needs)[] Links =
    [
        ("scalar", "API explorer", "/openapi.json"),
        ("openapi.json", "OpenAPI", "/openapi.json"),
        ("health", "Health", "/health"),
        ("status", "Status", "/status"),
        ("metrics", "Metrics", "/metrics"),
        ("dashboard", "Approvals", "/dashboard"),
        ("diagnostics", "Diagnostics", "/diagnostics"),
    ];

    // The button is shown by the script that makes it work.
    private static Html Way(Connection way) =>
        Html.Of(
            $"""
            <li>
              <h3>{way.Title}</h3>
              <p>{way.How}</p>
              <div class="address"><code>{way.Address}</code><button type="button" hidden data-copy="{way.Address}" aria-label="Copy: {way.Title}">Copy</button></div>
            </li>
            """
        );

    private static Html Family(string name, Tool[] tools, bool open, bool explorer) =>
        Html.Of(
            $"""
        <details class="family"{Html.When(open, () => Html.Of($" open"))}>
          <summary><h3>{name}</h3> <span>{tools.Length} {(tools.Length == 1 ? "tool" : "tools")}</span></summary>
          <ul>
            {Html.Each(tools, tool => Html.Of($"""
              <li>
                {Name(tool, explorer)}
                <span class="effect">{(tool.IsReadOnly ? "reads" : "changes")} · risk {tool.Risk.ToLowerInvariant()}</span>
                <p>{FirstSentence(tool.Description)}</p>
              </li>
              """))}
          </ul>
        </details>
        """
        );

    // A link to the tool's place in the explorer. The document is narrowed to the family, because it holds no more than a GPT Action takes.
    private static Html Name(Tool tool, bool explorer) =>
        explorer
            ? Html.Of(
                $"""<a href="scalar?family={Uri.EscapeDataString(tool.Family)}#tag/{Uri.EscapeDataString(tool.Family)}/POST/tools/{tool.Name}"><code>{tool.Name}</code></a>"""
            )
            : Html.Of($"<code>{tool.Name}</code>");

    private static string FirstSentence(string text) =>
        text.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? text[..(end + 1)] : text;
}
