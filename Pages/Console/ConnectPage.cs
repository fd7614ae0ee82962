namespace MinimalMcp.Pages.Console;

/// <summary>Connect: how clients reach this server, as on the start page.</summary>
internal static class ConnectPage
{
    public static Task GetAsync(HttpContext http)
    {
        var root = ConsolePage.Root(http);
        var links = StartPage.Links(http).Where(link => link.Path != "console");
        return ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <section aria-labelledby="clients">
                      <h2 id="clients">Clients</h2>
                      {StartPage.Guides(http)}
                    </section>
                    <section aria-labelledby="documents">
                      <h2 id="documents">Documents and endpoints</h2>
                      <div class="actions">{Html.Each(links, link => Link(root, link.Path, link.Text))}</div>
                    </section>
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"""
                    How ChatGPT and other clients reach this server. The <a href="{root}">start page</a> shows the same
                    to everybody.
                    """
                ),
            }
        );
    }

    private static Html Link(string root, string path, string text) =>
        Html.Of($"""<a class="button plain" href="{root}{path}">{text}</a>""");
}
