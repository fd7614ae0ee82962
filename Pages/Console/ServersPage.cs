using System.Globalization;
using MinimalMcp.Hub;

namespace MinimalMcp.Pages.Console;

/// <summary>
/// Servers: the registered MCP servers, what they do on this replica, and buttons to start and stop them.
/// </summary>
internal static class ServersPage
{
    private static readonly string[] Columns =
    [
        "Server",
        "State",
        "Tools",
        "Restarts",
        "Uptime",
        "Last error",
        "Actions",
    ];

    public static async Task GetAsync(HttpContext http)
    {
        var servers = await http.RequestServices.GetRequiredService<ServerRegistry>().ListAsync(http.RequestAborted);
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <div id="servers" data-live="3000">
                      {ConsoleTable.Of(
                        "Registered servers",
                        Columns,
                        servers,
                        server => Row(http, server),
                        Html.Of(
                            $"""
                            <strong>No servers yet</strong>
                            <p>Register an MCP server, and its tools join those of this one.</p>
                            """
                        ),
                        server => $"server-{server.Id.ToString(CultureInfo.InvariantCulture)}"
                    )}
                    </div>
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"""
                    Other MCP servers whose tools this server offers to its own clients. States are those of this
                    replica.
                    """
                ),
                Actions = Html.Of(
                    $"""<a class="button" href="{ConsolePage.Root(http)}console/servers/new">Register a server</a>"""
                ),
            }
        );
    }

    private static Html[] Row(HttpContext http, ServerDefinition server)
    {
        var (services, root) = (http.RequestServices, ConsolePage.Root(http));
        var state = services.GetRequiredService<Supervisor>().State(server.Id);
        var tools = services.GetRequiredService<JoinedTools>().Tools(server.Id);
        var withheld = tools?.Count(tool => tool.Replaces is not null) ?? 0;
        return
        [
            Html.Of(
                $"""
                <a href="{root}console/servers/{server.Id}"><strong>{server.Name}</strong></a>
                {Html.When(server.Description is { Length: > 0 }, () =>
                    Html.Of($"""<span class="more">{Short(server.Description!)}</span>"""))}
                <code class="more">{Short(ServerStates.Target(server))}</code>
                """
            ),
            ServerStates.State(state),
            Html.Of(
                $"""
                <span class="number">{(
                    tools is null ? "–" : tools.Count.ToString(CultureInfo.InvariantCulture)
                )}</span>
                {Html.When(withheld > 0, () => ConsoleTable.State("warn", $"{withheld} changed"))}
                """
            ),
            Html.Of($"""<span class="number">{state.RestartCount}</span>"""),
            Html.Of(
                $"""
                <span class="number">{ServerStates.Uptime(
                    state,
                    services.GetRequiredService<TimeProvider>()
                )}</span>
                """
            ),
            state.LastError is { } error
                ? Html.Of($"""<span class="sentence">{Short(error)}</span>""")
                : Html.Of($"""<span class="quiet">–</span>"""),
            Html.Of($"""<div class="actions">{ServerStates.Buttons(server, state, root)}</div>"""),
        ];
    }

    private static string Short(string text) => ConsoleTable.Short(text, 120);
}
