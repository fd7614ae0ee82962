using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Hub;

namespace MinimalMcp.Pages.Console;

/// <summary>
/// The form of a server's definition: empty to register one, filled in to change one. The script sends what differs
/// from what the form came with. Stored secrets are <see cref="ServerBody.Masked"/>, which the API keeps.
/// </summary>
internal static class ServerForm
{
    private static readonly string[] Credentials =
    [
        "token",
        "api_key",
        "header",
        "prefix",
        "client_id",
        "client_secret",
        "scope",
    ];

    /// <param name="server">The server to change; null to register one.</param>
    public static Html Of(HubOptions options, ServerDefinition? server = null)
    {
        var shown = server ?? new() { Name = "" };
        return Html.Of(
            $"""
            <form class="fields card" autocomplete="off" id="{(server is null ? "register" : "change")}"{Html.When(
                server is not null,
                () => Html.Of($""" data-path="api/v1/servers/{server!.Id}" """)
            )}>
              {About(shown)}
              <fieldset class="options"><legend>How it is reached</legend>
                {Kind("command", "A command on this machine (stdio)", shown.Transport is TransportType.Stdio)}
                {Kind("url", "An address (HTTP)", shown.Transport is not TransportType.Stdio)}
              </fieldset>
              {Command(options, shown)}
              {Address(shown)}
              {Tools(shown)}
              {Supervision(shown, isNew: server is null)}
              <p class="wrong" role="alert"></p>
              <div class="buttons"><button>{(server is null ? "Register" : "Save")}</button></div>
            </form>
            """
        );
    }

    private static Html About(ServerDefinition server) =>
        Html.Of(
            $"""
            <div class="row">
              <div class="field"><label for="name">Name</label>
                <input id="name" name="name" required maxlength="40" pattern="[a-z0-9][a-z0-9_\-]*"
                  autocapitalize="none" spellcheck="false" aria-describedby="name-hint" value="{server.Name}">
                <p class="hint" id="name-hint">Lower-case letters, digits, - and _. It is the prefix of the
                  server's tools.</p></div>
              <div class="field"><label for="description">Description</label>
                <input id="description" name="description" maxlength="2000" value="{server.Description}"></div>
              <div class="field"><label for="github-url">Repository</label>
                <input id="github-url" name="github_url" maxlength="500" value="{server.GithubUrl}"></div>
            </div>
            """
        );

    private static Html Kind(string value, string text, bool isChecked) =>
        Html.Of(
            $"""
            <label><input type="radio" name="kind" value="{value}"{Html.When(isChecked, () =>
                Html.Of($" checked"))}> {text}</label>
            """
        );

    private static Html Command(HubOptions options, ServerDefinition server) =>
        Html.Of(
            $"""
            <fieldset data-kind="command"{Hidden(server.Transport is not TransportType.Stdio)}>
              <div class="row">
                <div class="field"><label for="command">Command</label>
                  <select id="command" name="command">{Html.Each(Commands(options, server), name =>
                Option(name, name, name == server.Command))}</select></div>
                <div class="field"><label for="args">Arguments, one to a line</label>
                  <textarea id="args" name="args" spellcheck="false"
                    placeholder="-y&#10;@modelcontextprotocol/server-memory@2026.8.31">{Lines(server.Args)}</textarea>
                </div>
              </div>
              <div class="field"><label for="env">Environment variables, one NAME=value to a line</label>
                <textarea id="env" name="env" spellcheck="false" aria-describedby="env-hint">{string.Join(
                '\n',
                server.Env.Keys.Select(name => $"{name}={ServerBody.Masked}")
            )}</textarea>
                <p class="hint" id="env-hint">Stored encrypted, and never shown again.{Html.When(
                server.Env.Count > 0,
                () => Html.Of($" A value that stays {ServerBody.Masked} is kept.")
            )}</p></div>
            </fieldset>
            """
        );

    // One that Hub:Commands no longer has is shown too.
    private static IEnumerable<string> Commands(HubOptions options, ServerDefinition server) =>
        server.Command is { Length: > 0 } command ? options.CommandNames.Union([command]) : options.CommandNames;

    // As a JSON array where a line cannot hold what an argument has.
    private static string Lines(IReadOnlyList<string> args) =>
        args.Any(arg => arg.Trim() != arg || arg.Length == 0 || arg.Contains('\n') || SanitizedText.Show(arg) != arg)
            ? JsonSerializer.Serialize(args, RecordJson.Default.IReadOnlyListString)
            : string.Join('\n', args);

    private static Html Address(ServerDefinition server) =>
        Html.Of(
            $"""
            <fieldset data-kind="url"{Hidden(server.Transport is TransportType.Stdio)}>
              <div class="row">
                <div class="field"><label for="url">Address</label>
                  <input id="url" name="url" type="url" maxlength="2000" placeholder="https://example.com/mcp"
                    value="{server.Url}"></div>
                <div class="field"><label for="transport">Transport</label>
                  <select id="transport" name="transport_type">
                    {Option(
                server.Transport is TransportType.Http ? "http" : "streamable_http",
                "Streamable HTTP",
                server.Transport is not TransportType.Sse
            )}
                    {Option("sse", "HTTP+SSE (2024-11-05)", server.Transport is TransportType.Sse)}</select></div>
              </div>
              <div class="row">
                <div class="field"><label for="host">Or host</label>
                  <input id="host" name="host" maxlength="255" placeholder="localhost" spellcheck="false"
                    value="{(server.Port is null ? "" : server.Host)}"></div>
                <div class="field"><label for="port">and port</label>
                  <input id="port" name="port" type="number" min="1" max="65535" value="{server.Port}"></div>
              </div>
              <div class="row">
                <div class="field"><label for="auth">Authentication</label>
                  <select id="auth" name="auth_type">
                    {Option("none", "None", server.Auth is AuthType.None)}
                    {Option("bearer", "Bearer token", server.Auth is AuthType.Bearer)}
                    {Option("api_key", "API key", server.Auth is AuthType.ApiKey)}
                    {Option("oauth", "OAuth, signed in with a browser", server.Auth is AuthType.Oauth)}
                    {Option("per_caller", "Each caller's own secret", server.Auth is AuthType.PerCaller)}
                  </select></div>
                {Credential(server, "bearer", "token", "Token")}
                {Credential(server, "api_key", "api_key", "API key")}
                {Credential(server, "api_key", "header", "Header", "X-API-Key")}
                {Credential(server, "oauth", "client_id", "Client id", "registered automatically")}
                {Credential(server, "oauth", "client_secret", "Client secret")}
                {Credential(server, "oauth", "scope", "Scopes", "those that the server names")}
                {Credential(server, "per_caller", "token", "Secret for its lists", "none")}
                {Credential(server, "per_caller", "header", "Name of the header", "Authorization")}
                {Credential(server, "per_caller", "prefix", "Prefix", "Bearer")}
              </div>
              <p class="hint" data-auth="per_caller"{Hidden(server.Auth is not AuthType.PerCaller)}>Callers store their
                secrets at <code>/connections</code>. The secret here reads the server's lists and checks its health; it
                is never used for a call.</p>
              {Html.Each(server.AuthConfig.Keys.Except(Credentials), name => Html.Of(
                $"""<input type="hidden" name="auth_config.{name}" value="{ServerBody.Masked}">"""
            ))}
              <p class="hint" data-auth="bearer api_key oauth per_caller"{Hidden(server.Auth is AuthType.None)}>
                Stored encrypted, and never shown again.{Html.When(
                server.AuthConfig.Count > 0,
                () => Html.Of($" What you leave unchanged is kept.")
            )}</p>
            </fieldset>
            """
        );

    private static Html Credential(
        ServerDefinition server,
        string auth,
        string name,
        string label,
        string placeholder = ""
    )
    {
        var isSecret = name is "token" or "api_key" or "client_secret";
        return Html.Of(
            $"""
            <div class="field" data-auth="{auth}"{Hidden(
                ServerBody.Shown(server.Auth) != auth
            )}><label for="{auth}-{name}">{label}</label>
              <input id="{auth}-{name}" name="auth_config.{name}" type="{(isSecret ? "password" : "text")}"
                autocomplete="{(isSecret ? "new-password" : "off")}" spellcheck="false" maxlength="16384"
                placeholder="{placeholder}"
                value="{(server.AuthConfig.ContainsKey(name) ? ServerBody.Masked : "")}"></div>
            """
        );
    }

    private static Html Tools(ServerDefinition server) =>
        Html.Of(
            $"""
            <div class="row">
              <div class="field"><label for="risk">Risk of its tools</label>
                <select id="risk" name="risk" aria-describedby="risk-hint">
                  {Option("", "HIGH (the default)", server.Risk is null)}
                  {Html.Each((string[])["LOW", "MEDIUM", "HIGH", "CRITICAL"], level =>
                Html.When(level != "HIGH" || server.Risk == level, () => Option(level, level, level == server.Risk)))}
                </select>
                <p class="hint" id="risk-hint">It decides budgets, confirmation and approval.</p></div>
              <div class="field"><label for="names">Names of its tools</label>
                <select id="names" name="names">
                  {Option("prefixed", "With the server's name as prefix", !server.OwnNames)}
                  {Option("own", "Its own names", server.OwnNames)}</select></div>
            </div>
            """
        );

    private static Html Supervision(ServerDefinition server, bool isNew) =>
        Html.Of(
            $"""
            <fieldset class="options"><legend>Start</legend>
              <label><input type="checkbox" name="auto_restart"{Html.When(server.AutoRestart, () =>
                Html.Of($" checked"))}> {(
                isNew ? "Start it now, and again after a failure" : "Start it again after a failure"
            )}</label></fieldset>
            <div class="row">
              <div class="field"><label for="restarts">Restarts in a row, at most</label>
                <input id="restarts" name="max_restarts" type="number" required min="0" max="1000"
                  value="{server.MaxRestarts}"></div>
              <div class="field"><label for="interval">Seconds between health checks</label>
                <input id="interval" name="health_check_interval" type="number" required min="5" max="86400"
                  value="{server.HealthCheckInterval}"></div>
            </div>
            """
        );

    private static Html Hidden(bool isHidden) => Html.When(isHidden, () => Html.Of($" hidden"));

    private static Html Option(string value, string text, bool isSelected) =>
        Html.Of(
            $"""
            <option value="{value}"{Html.When(isSelected, () => Html.Of($" selected"))}>{text}</option>
            """
        );
}
