using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Monitoring;
using MinimalMcp.WellKnown;

namespace MinimalMcp.Pages.Console;

/// <summary>What a page of the console has within its frame.</summary>
/// <param name="Body">What stands below the heading.</param>
internal sealed record ConsoleContent(Html Body)
{
    /// <summary>The heading; that of the navigation when it is not set.</summary>
    public string? Title { get; init; }

    /// <summary>A sentence or two below the heading.</summary>
    public Html? Lead { get; init; }

    /// <summary>Buttons and links beside the heading.</summary>
    public Html? Actions { get; init; }

    /// <summary>The page above this one: the page of all servers above that of one.</summary>
    public (string Path, string Title)? Parent { get; init; }

    /// <summary>Scripts and styles of this page, beside those of the frame.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    public int Status { get; init; } = StatusCodes.Status200OK;
}

/// <summary>
/// The frame of all pages of the console: navigation, who is signed in, and which server and replica it speaks for.
/// </summary>
internal static class ConsolePage
{
    /// <summary>
    /// The way from the page to this server's root: addresses are relative, for proxies with a prefix.
    /// </summary>
    public static string Root(HttpContext http) => ErrorPages.Root(http.Request);

    public static Task WriteAsync(HttpContext http, ConsoleContent content)
    {
        var (services, root) = (http.RequestServices, Root(http));
        var files = services.GetRequiredService<PageAssets>();
        var configuration = services.GetRequiredService<IConfiguration>();
        var name = ServerIdentity.Name(configuration);
        var current = http.GetEndpoint()?.Metadata.GetMetadata<ConsoleLink>();
        var title = content.Title ?? current?.Title ?? "Console";
        return Html.Page(
                $"{title} · {name}",
                Html.Of(
                    $"""
                    {Html.PersonalHead}
                      {Html.Each(["console.css", "start.js", "console.js", .. content.Files], file =>
                    File(root + files.Address(file)))}
                    """
                ),
                Html.Of(
                    $"""
                    <a class="skip" href="#main">Skip to the content</a>
                    <header class="side">
                      <a class="brand" href="{root}console">
                        <img src="{root}logo.svg" alt="" width="32" height="32">
                        <span><strong>{name}</strong> <small>version {ServerIdentity.VersionOf(
                        configuration
                    )}</small></span>
                      </a>
                      <button type="button" class="menu" popovertarget="menu">Menu</button>
                      <nav id="menu" aria-label="Console" popover>
                        {Html.Each(ConsoleLink.All.GroupBy(link => link.Group), group => Group(group, root, current))}
                        <div class="about">
                          <p>Replica <strong>{Replica.Name}</strong></p>
                          {Operator(http, root)}
                        </div>
                      </nav>
                    </header>
                    <main id="main" tabindex="-1">
                      {Heading(content, title, root)}
                      {content.Body}
                    </main>
                    <p id="said" role="status" aria-live="polite"></p>
                    """
                ),
                root
            )
            .WriteAsync(http, content.Status, forms: "'self'");
    }

    /// <summary>What a page shows when the thing that it is about is not there.</summary>
    public static Task NotFoundAsync(HttpContext http, string what) =>
        WriteAsync(
            http,
            new(Html.Of($"""<p class="empty">{what}</p>"""))
            {
                Title = "Not found",
                Status = StatusCodes.Status404NotFound,
            }
        );

    private static Html Heading(ConsoleContent content, string title, string root) =>
        Html.Of(
            $"""
            <div class="heading">
                  <div>
                    {Html.When(content.Parent is not null, () => Html.Of(
                    $"""<p class="parent"><a href="{root}{content.Parent!.Value.Path}">{
                        content.Parent.Value.Title
                    }</a></p>"""
                ))}
                    <h1>{title}</h1>
                    {Html.When(content.Lead is not null, () => Html.Of($"""<p class="lead">{content.Lead}</p>"""))}
                  </div>
                  {Html.When(content.Actions is not null, () =>
                    Html.Of($"""<div class="actions">{content.Actions}</div>"""))}
                </div>
            """
        );

    private static Html Group(IGrouping<string, ConsoleLink> group, string root, ConsoleLink? current) =>
        Html.Of(
            $"""
            <h2 id="nav-{group.Key}">{group.Key}</h2>
                  <ul aria-labelledby="nav-{group.Key}">
                    {Html.Each(group, link => Html.Of(
                $"""
                <li><a href="{root}console{link.Path}"{Html.When(link == current, () =>
                    Html.Of($""" aria-current="page" """))}><svg viewBox="0 0 24 24" aria-hidden="true"><path
                      d="{link.Icon}"/></svg>{link.Title}</a></li>
                """
            ))}
                  </ul>
            """
        );

    private static Html Operator(HttpContext http, string root) =>
        http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value.IsOff
            ? Html.Of($"<p>Authentication is disabled</p>")
            : Html.Of(
                $"""
                <p>Signed in as <strong>{Caller.From(http.User).Subject}</strong></p>
                    {SignInPage.SignOut(root)}
                """
            );

    private static Html File(string address) =>
        address.Contains(".css", StringComparison.Ordinal)
            ? Html.Of($"""<link rel="stylesheet" href="{address}">""")
            : Html.Of($"""<script src="{address}" defer></script>""");
}
