using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Tools;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages;

/// <summary>The start page at <c>/</c>: what this server is, what is enabled, and how to connect clients.</summary>
internal static class StartPage
{
    // All families are expanded when they fit on a screen or two.
    private const int MaxOpen = 24;

    public static Task GetAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var configuration = services.GetRequiredService<IConfiguration>();
        var files = services.GetRequiredService<PageAssets>();
        var tools = services.GetRequiredService<ToolRegistry>().Current.All;
        var auth = services.GetRequiredService<IOptions<AuthOptions>>().Value;
        var routes = MappedRoutes.Of(http);
        var name = ServerIdentity.Name(configuration);
        var hasExplorer = routes.Contains("/openapi.json");
        var disabled = auth.IsOff
            ? services
                .GetServices<UnconfiguredFamily>()
                .OrderBy(family => family.Section, StringComparer.Ordinal)
                .ToArray()
            : [];
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
                    <span>version {ServerIdentity.VersionOf(configuration)}</span>
                    <span>{Authentication(auth)}</span>
                    <span>{tools.Count} {(tools.Count == 1 ? "tool" : "tools")}</span>
                  </p>
                </div>
              </header>
              <nav aria-label="Pages of this server">
                <ul>
                  {Html.Each(Links(http), Link)}
                </ul>
              </nav>
              <main>
                <section aria-labelledby="connect">
                  <h2 id="connect">Connect</h2>
                  {Guides(http)}
                </section>
                <section aria-labelledby="tools">
                  <h2 id="tools">Tools</h2>
                  {Html.Each(tools.GroupBy(tool => tool.Family), family =>
                    Family(family.Key, [.. family], tools.Count <= MaxOpen, hasExplorer))}
                  {Html.Each(disabled, family => Html.Of($"""
                    <div class="family off"><h3>{family.Family}</h3>
                      <p>disabled: set <code>{EnvironmentNames.Short($"{family.Section}:Url")}</code> to enable it</p>
                    </div>
                    """))}
                  {Html.When(tools.Count == 0, () => Html.Of($"""
                    <p>No tools yet. Add a class with <code>[McpServerToolType]</code> below <code>Tools/</code>.</p>
                    """))}
                </section>
              </main>
              <p id="said" class="unseen" role="status" aria-live="polite"></p>
            """
                )
            )
            .WriteAsync(http);
    }

    /// <summary>The pages and documents that a browser can open.</summary>
    public static IEnumerable<(string Path, string Text)> Links(HttpContext http)
    {
        var auth = http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value;
        var reachable = MappedRoutes.Of(http, withoutKey: !auth.IsOff);
        return AllLinks.Where(link => reachable.Contains(link.Needs)).Select(link => (link.Path, link.Text));
    }

    /// <summary>How clients connect, and what keeps ChatGPT from it.</summary>
    public static Html Guides(HttpContext http)
    {
        var auth = http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value;
        var routes = MappedRoutes.Of(http);
        // tokens are for one address only
        var url = auth.TakesTokens ? PublicUrl.OfDocuments(http) : PublicUrl.Of(http);
        var environment = http.RequestServices.GetRequiredService<IHostEnvironment>();
        var application = ApplicationAssemblies.Application(environment) ?? typeof(StartPage).Assembly;
        var guides = ConnectionGuides
            .To(url, auth, application.GetName().Name!)
            .Where(guide => guide.Route is null || routes.Contains(guide.Route));
        return Html.Of(
            $"""
            {Html.When(!url.StartsWith("https://", StringComparison.OrdinalIgnoreCase), () => Html.Of($"""
                    <p class="note"><strong>ChatGPT needs https.</strong> It calls from the internet, so it cannot use
                      {url}. Run this server behind a tunnel or a reverse proxy with TLS, and set
                      <code>PUBLIC_URL</code> to its URL. Programs on this machine can connect now.</p>
                    """))}
                  <ul class="ways">
                    {Html.Each(guides, Guide)}
                  </ul>
            """
        );
    }

    private static readonly (string Path, string Text, string Needs)[] AllLinks =
    [
        ("scalar", "API explorer", "/openapi.json"),
        ("openapi.json", "OpenAPI", "/openapi.json"),
        ("health", "Health", "/health"),
        ("status", "Status", "/status"),
        ("metrics", "Metrics", "/metrics"),
        ("console", "Console", "/console"),
    ];

    private static string Authentication(AuthOptions auth) =>
        auth.IsOff ? "no authentication" : "authentication: " + auth.Mode.ToLowerInvariant();

    private static Html Link((string Path, string Text) link) =>
        Html.Of($"""<li><a href="{link.Path}">{link.Text}</a></li>""");

    // The script shows the button that it handles.
    private static Html Guide(ConnectionGuide way) =>
        Html.Of(
            $"""
            <li>
              <h3>{way.Title}</h3>
              <p>{way.How}</p>
              <div class="address"><code>{way.Address}</code>
                <button type="button" hidden data-copy="{way.Address}" aria-label="Copy: {way.Title}">Copy</button>
              </div>
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
                <span class="effect">{Effect(tool)} · risk {tool.Risk.ToLowerInvariant()}</span>
                <p>{FirstSentence(tool.Description)}</p>
              </li>
              """))}
          </ul>
        </details>
        """
        );

    // A link to the tool's place in the explorer. The document is narrowed to the family, because it holds no more than
    // a GPT Action takes.
    private static Html Name(Tool tool, bool explorer) =>
        explorer
            ? Html.Of(
                $"""
                <a href="scalar?family={Family(tool)}#tag/{Family(
                    tool
                )}/POST/tools/{tool.Name}"><code>{tool.Name}</code></a>
                """
            )
            : Html.Of($"<code>{tool.Name}</code>");

    private static string Family(Tool tool) => Uri.EscapeDataString(tool.Family);

    private static string Effect(Tool tool) => tool.IsReadOnly ? "reads" : "changes";

    private static string FirstSentence(string text) =>
        text.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? text[..(end + 1)] : text;
}
