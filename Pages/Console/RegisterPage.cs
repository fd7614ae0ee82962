using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Hub;

namespace MinimalMcp.Pages.Console;

/// <summary>Registers servers: a pasted mcp.json, or a form.</summary>
internal static class RegisterPage
{
    private const string Example = """
        {
          "mcpServers": {
            "memory": {
              "command": "npx",
              "args": ["-y", "@modelcontextprotocol/server-memory@2026.8.31"]
            }
          }
        }
        """;

    public static Task GetAsync(HttpContext http)
    {
        var options = http.RequestServices.GetRequiredService<IOptions<HubOptions>>().Value;
        var isOff = http.RequestServices.GetRequiredService<IOptions<AuthOptions>>().Value.IsOff;
        return ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    {Html.When(isOff && !options.CommandsWithoutAuth, () => Html.Of(
                        $"""
                        <p class="note">Servers with a command are refused while authentication is disabled. Set
                          <code>MCP_AUTH_MODE</code> to <code>api-key</code> and <code>MCP_API_KEY</code>, or
                          <code>Hub:CommandsWithoutAuth</code> to <code>true</code>.</p>
                        """
                    ))}
                    <noscript><p class="note">This page needs JavaScript.</p></noscript>
                    {Paste()}
                    {Form(options)}
                    """
                )
            )
            {
                Title = "Register a server",
                Parent = ("console/servers", "Servers"),
                Lead = Html.Of(
                    $"""
                    Its tools join those of this server as soon as it is active. A command runs on this machine, as
                    this server's user.
                    """
                ),
                Files = ["servers.js"],
            }
        );
    }

    private static Html Paste() =>
        Html.Of(
            $"""
            <section aria-labelledby="paste">
              <h2 id="paste">Paste an mcp.json</h2>
              <form class="fields card" id="import">
                <div class="field">
                  <label for="file">The file</label>
                  <textarea id="file" class="tall" required spellcheck="false" maxlength="1000000"
                    aria-describedby="file-hint" placeholder="{Example}"></textarea>
                  <p class="hint" id="file-hint">In the form of Claude (<code>mcpServers</code>) or VS Code
                    (<code>servers</code>). Placeholders such as <code>$&#123;NAME&#125;</code> are not filled in:
                    write the values. They are stored encrypted.</p>
                </div>
                <p class="wrong" role="alert"></p>
                <div class="buttons"><button>Register</button></div>
              </form>
            </section>
            """
        );

    private static Html Form(HubOptions options) =>
        Html.Of(
            $"""
            <section aria-labelledby="fill">
              <h2 id="fill">Or fill in a form</h2>
              <form class="fields card" id="register">
                <div class="row">
                  <div class="field"><label for="name">Name</label>
                    <input id="name" name="name" required maxlength="40" pattern="[a-z0-9][a-z0-9_\-]*"
                      autocapitalize="none" spellcheck="false" aria-describedby="name-hint">
                    <p class="hint" id="name-hint">Lower-case letters, digits, - and _. It is the prefix of the
                      server's tools.</p></div>
                  <div class="field"><label for="description">Description</label>
                    <input id="description" name="description" maxlength="2000"></div>
                </div>
                <fieldset class="options"><legend>How it is reached</legend>
                  <label><input type="radio" name="kind" value="command" checked> A command on this machine
                    (stdio)</label>
                  <label><input type="radio" name="kind" value="url"> An address (HTTP)</label>
                </fieldset>
                {Command(options)}
                {Address()}
                <div class="row">
                  <div class="field"><label for="risk">Risk of its tools</label>
                    <select id="risk" name="risk" aria-describedby="risk-hint">
                      <option value="">HIGH (the default)</option><option>LOW</option><option>MEDIUM</option>
                      <option>CRITICAL</option></select>
                    <p class="hint" id="risk-hint">It decides budgets, confirmation and approval.</p></div>
                  <fieldset class="options"><legend>Start</legend>
                    <label><input type="checkbox" name="auto_restart" checked> Start it now, and again after a
                      failure</label></fieldset>
                </div>
                <p class="wrong" role="alert"></p>
                <div class="buttons"><button>Register</button></div>
              </form>
            </section>
            """
        );

    private static Html Command(HubOptions options) =>
        Html.Of(
            $"""
            <fieldset data-kind="command">
              <div class="row">
                <div class="field"><label for="command">Command</label>
                  <select id="command" name="command">{Html.Each(options.CommandNames, name =>
                Html.Of($"<option>{name}</option>"))}</select></div>
                <div class="field"><label for="args">Arguments, one to a line</label>
                  <textarea id="args" name="args" spellcheck="false"
                    placeholder="-y&#10;@modelcontextprotocol/server-memory@2026.8.31"></textarea></div>
              </div>
              <div class="field"><label for="env">Environment variables, one NAME=value to a line</label>
                <textarea id="env" name="env" spellcheck="false" autocomplete="off"
                  aria-describedby="env-hint"></textarea>
                <p class="hint" id="env-hint">Stored encrypted, and never shown again.</p></div>
            </fieldset>
            """
        );

    private static Html Address() =>
        Html.Of(
            $"""
            <fieldset data-kind="url" hidden>
              <div class="row">
                <div class="field"><label for="url">Address</label>
                  <input id="url" name="url" type="url" maxlength="2000" placeholder="https://example.com/mcp"></div>
                <div class="field"><label for="transport">Transport</label>
                  <select id="transport" name="transport_type"><option value="streamable_http">Streamable HTTP</option>
                    <option value="sse">HTTP+SSE (2024-11-05)</option></select></div>
              </div>
              <div class="row">
                <div class="field"><label for="auth">Authentication</label>
                  <select id="auth" name="auth_type"><option value="none">None</option>
                    <option value="bearer">Bearer token</option><option value="api_key">API key</option>
                    <option value="oauth">OAuth, signed in with a browser</option>
                    <option value="per_caller">Each caller's own secret</option></select></div>
                <div class="field" data-auth="bearer api_key per_caller" hidden><label for="secret">Token or key</label>
                  <input id="secret" name="secret" type="password" autocomplete="off" maxlength="8192"></div>
                <div class="field" data-auth="api_key per_caller" hidden><label for="header">Header</label>
                  <input id="header" name="header" maxlength="200" aria-describedby="header-hint">
                  <p class="hint" id="header-hint">Empty for the default: <code>X-API-Key</code> of an API key,
                    <code>Authorization: Bearer</code> of callers' secrets.</p></div>
              </div>
              <p class="hint" data-auth="per_caller" hidden>Callers store their secrets at
                <code>/connections</code>. The token or key here is optional: it reads the lists of the server and
                checks its health, and is never used for a call.</p>
            </fieldset>
            """
        );
}
