using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Hub;

namespace MinimalMcp.Pages.Console;

/// <summary>One server: its state, definition, tools, changed definitions, and log.</summary>
internal static class ServerPage
{
    private const int MaxText = 4_000;
    private const int LastLines = 50;

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the page encodes it
    };

    public static async Task GetAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var id = long.Parse((string)http.Request.RouteValues["id"]!, CultureInfo.InvariantCulture);
        var server = await services.GetRequiredService<ServerRegistry>().FindAsync(id, http.RequestAborted);
        if (server is null)
        {
            await ConsolePage.NotFoundAsync(http, "There is no such server. It may have been deleted.");
            return;
        }

        var supervisor = services.GetRequiredService<Supervisor>();
        var (state, root) = (supervisor.State(id), ConsolePage.Root(http));
        var tools = await supervisor.ToolsAsync(id, http.RequestAborted) ?? [];
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <div id="server" data-live="3000">
                      {Alerts(http, server, state, tools)}
                      {Changes(server, [.. tools.Where(tool => tool.Replaces is not null)])}
                      <section aria-labelledby="state">
                        <h2 id="state">State on this replica</h2>
                        {Facts(services, state)}
                      </section>
                      <section aria-labelledby="definition">
                        <h2 id="definition">Definition</h2>
                        {Definition(server)}
                      </section>
                      <section aria-labelledby="tools">
                        <h2 id="tools">Tools</h2>
                        {Tools(tools)}
                      </section>
                    </div>
                    {Log(supervisor, server)}
                    """
                )
            )
            {
                Title = server.Name,
                Parent = ("console/servers", "Servers"),
                Lead = server.Description is { Length: > 0 } text ? Html.Of($"{text}") : null,
                Actions = Html.Of(
                    $"""
                    <div class="actions" id="actions" data-live="3000">
                      {ServerStates.Buttons(server, state, root)}
                      {Html.When(!server.IsConfigured, () => Html.Of(
                        $"""
                        <a class="button plain" href="{root}console/servers/{id}/edit"
                          aria-label="Edit {server.Name}">Edit</a>
                        <button type="button" class="harmful" data-path="api/v1/servers/{id}" data-method="DELETE"
                          data-title="Delete {server.Name}?" data-then="{root}console/servers"
                          data-confirm="{Consequence}">Delete</button>
                        """
                    ))}
                    </div>
                    """
                ),
                Files = ["servers.js"],
            }
        );
    }

    private const string Consequence =
        "It is stopped on every replica, and its tools go. Its definition, its secrets and what was approved of it are "
        + "deleted.";

    private static Html Alerts(
        HttpContext http,
        ServerDefinition server,
        ServerState state,
        IReadOnlyList<ServerTool> tools
    )
    {
        var services = http.RequestServices;
        string[] notices =
        [
            .. server.IsConfigured
                ? (string[])["It comes from the configuration, and is changed and removed there."]
                : [],
            .. PackageVersions.Warnings(server),
            .. services
                .GetRequiredService<JoinedTools>()
                .Notices(server.Id)
                .Except(tools.Where(tool => tool.Replaces is not null).Select(tool => tool.Notice))
                .OfType<string>(), // shown below
            .. services.GetRequiredService<JoinedPrompts>().Notices(server.Id),
        ];
        return Html.Of(
            $"""
            {Html.When(state.Reason is not null, () => Html.Of(
                $"""<p class="note bad">{SupervisedServer.Away(
                    server.Name,
                    state,
                    services.GetRequiredService<TimeProvider>().GetUtcNow()
                )}</p>"""
            ))}
            {Html.When(notices.Length > 0, () => Html.Of(
                $"""
                <div class="note plain"><ul>{Html.Each(notices, one => Html.Of($"<li>{one}</li>"))}</ul></div>
                """
            ))}
            """
        );
    }

    private static Html Facts(IServiceProvider services, ServerState state) =>
        Html.Of(
            $"""
            <dl class="facts card">
              <dt>State</dt><dd>{ServerStates.State(state)}</dd>
              <dt>Uptime</dt><dd>{ServerStates.Uptime(state, services.GetRequiredService<TimeProvider>())}</dd>
              <dt>Restarts</dt><dd>{state.RestartCount}</dd>
              <dt>Last health check</dt><dd>{ConsoleTable.Time(state.LastHealthCheck)} {Html.When(
                state.ResponseTimeMs is not null,
                () => Html.Of($"({state.ResponseTimeMs!.Value.ToString("0.0", CultureInfo.InvariantCulture)} ms)")
            )}</dd>
              <dt>Last error</dt><dd>{(
                state.LastError is { } error
                    ? Html.Of($"{ConsoleTable.Time(state.LastErrorAt)}: {error}")
                    : Html.Of($"""<span class="quiet">none since it was started</span>""")
            )}</dd>
            </dl>
            """
        );

    private static Html Definition(ServerDefinition server) =>
        Html.Of(
            $"""
            <dl class="facts card">
              <dt>{(server.Address is null ? "Command" : "Address")}</dt>
              <dd><code>{ServerStates.Target(server)}</code></dd>
              <dt>Transport</dt><dd>{ServerBody.Shown(server.Transport)}</dd>
              {Secrets("Environment", server.Env)}
              {Html.When(server.Address is not null, () =>
                Html.Of($"<dt>Authentication</dt><dd>{ServerBody.Shown(server.Auth)}</dd>"))}
              {Secrets("Credentials", server.AuthConfig)}
              <dt>Risk of its tools</dt><dd>{server.Risk ?? "HIGH"}</dd>
              <dt>Names of its tools</dt>
              <dd>{(server.OwnNames ? "its own" : $"with the prefix {server.Name}_")}</dd>
              <dt>After a failure</dt>
              <dd>{(server.AutoRestart ? $"restarts, at most {server.MaxRestarts} times in a row" : "stays down")}</dd>
              <dt>Health check</dt><dd>every {server.HealthCheckInterval} seconds</dd>
              {Html.When(server.GithubUrl is { Length: > 0 }, () =>
                Html.Of($"<dt>Repository</dt><dd><code>{server.GithubUrl}</code></dd>"))}
              <dt>Registered</dt><dd>{ConsoleTable.Time(DateTimeOffset.FromUnixTimeMilliseconds(server.CreatedAt))}</dd>
            </dl>
            """
        );

    // Names only.
    private static Html Secrets(string title, IReadOnlyDictionary<string, string> secrets) =>
        Html.When(secrets.Count > 0, () => Html.Of(
                $"""
                <dt>{title}</dt>
                <dd>{Html.Each(secrets.Keys.Order(), name => Html.Of($"<code>{name}={ServerBody.Masked}</code> "))}</dd>
                """
            ));

    private static Html Tools(IReadOnlyList<ServerTool> tools) =>
        ConsoleTable.Of(
            "Tools of the server",
            ["Tool", "State", "Risk", "Description"],
            tools,
            tool =>
                [
                    Html.Of(
                        $"""
                        <code>{tool.Name ?? tool.Definition.Name}</code>
                        {Html.When(tool.Name is not null && tool.Name != tool.Definition.Name, () =>
                            Html.Of($"""<span class="more">own name {tool.Definition.Name}</span>"""))}
                        """
                    ),
                    Html.Of(
                        $"""
                        {(
                            tool.Replaces is not null ? ConsoleTable.State("warn", "Withheld")
                            : tool.Notice is null ? ConsoleTable.State("good", "Listed")
                            : ConsoleTable.State("idle", "Not listed")
                        )}
                        {Html.When(tool.Notice is not null && tool.Replaces is null, () =>
                            Html.Of($"""<span class="more">{tool.Notice}</span>"""))}
                        """
                    ),
                    Html.Of($"{tool.Risk ?? "–"}"),
                    Html.Of($"{ConsoleTable.Short(tool.Definition.Description ?? "", 400)}"),
                ],
            Html.Of($"<strong>No tools yet</strong> <p>Start the server: its tools are listed when it is active.</p>")
        );

    private static Html Changes(ServerDefinition server, IReadOnlyList<ServerTool> withheld) =>
        Html.When(withheld.Count > 0, () => Html.Of(
                $"""
                <section aria-labelledby="changes">
                  <h2 id="changes">Changed definitions</h2>
                  <p class="note">The server describes these tools in another way than what was approved. They are not
                    offered to clients until somebody approves the change. Read it: a model will read it too.</p>
                  {Html.Each(withheld, tool => Change(server, tool))}
                </section>
                """
            ));

    private static Html Change(ServerDefinition server, ServerTool tool) =>
        Html.Of(
            $"""
            <article class="card">
              <div class="title"><h3><code>{tool.Definition.Name}</code></h3>
                <button type="button" aria-label="Approve {tool.Definition.Name}" data-title="Approve the change?"
                  data-path="api/v1/servers/{server.Id}/tools/{Uri.EscapeDataString(tool.Definition.Name)}/approve"
                  data-body="{new JsonObject { ["hash"] = tool.Hash }.ToJsonString()}"
                  data-done="The definition of {tool.Definition.Name} was approved.">Approve</button></div>
              {Html.Each(ServerToolRoutes.Differences(tool.Replaces!, tool), one => Html.Of(
                $"""
                <p><code>{one.Path}</code></p>
                <p class="hint">Approved</p><pre class="text" tabindex="0"><del>{Text(one.Approved)}</del></pre>
                <p class="hint">Now</p><pre class="text" tabindex="0"><ins>{Text(one.Now)}</ins></pre>
                """
            ))}
            </article>
            """
        );

    private static Html Log(Supervisor supervisor, ServerDefinition server)
    {
        // The script reads all of them.
        var lines = supervisor.Log(server.Id).Lines().TakeLast(LastLines).ToArray();
        return Html.Of(
            $"""
            <section aria-labelledby="log">
              <div class="title"><h2 id="log">Log</h2>
                <label><input type="checkbox" id="follow" checked> Follow the end</label></div>
              <p class="hint">The newest lines that the server wrote beside its answers, on this replica.
                They are the server's own text.</p>
              <pre class="log" id="lines" tabindex="0" aria-labelledby="log" role="log"
                data-log="api/v1/servers/{server.Id}/logs">{string.Join('\n', lines)}</pre>
              <p class="hint" id="no-lines"{Html.When(lines.Length > 0, () => Html.Of($" hidden"))}>No lines yet.</p>
            </section>
            """
        );
    }

    private static string Text(JsonNode? part) =>
        part switch
        {
            null => "(nothing)",
            JsonValue value when value.TryGetValue<string>(out var text) => ConsoleTable.Short(text, MaxText),
            _ => ConsoleTable.Short(part.ToJsonString(Readable), MaxText),
        };
}
