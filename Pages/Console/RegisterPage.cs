using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Hub;

namespace MinimalMcp.Pages.Console;

/// <summary>Registers servers: a pasted mcp.json, a repository on GitHub, or a form.</summary>
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
                    {Repository()}
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

    private static Html Repository() =>
        Html.Of(
            $"""
            <section aria-labelledby="github">
              <h2 id="github">Or name a repository on GitHub</h2>
              <form class="fields card" id="from-github" autocomplete="off">
                <div class="row">
                  <div class="field"><label for="repository">Address of the repository</label>
                    <input id="repository" name="github_url" required maxlength="500" spellcheck="false"
                      aria-describedby="repository-hint" placeholder="https://github.com/OWNER/REPOSITORY"></div>
                  <div class="field"><label for="repository-name">Name here, if another</label>
                    <input id="repository-name" name="name" maxlength="40" pattern="[a-z0-9][a-z0-9_\-]*"
                      autocapitalize="none" spellcheck="false"></div>
                </div>
                <p class="hint" id="repository-hint">Its server.json, mcp.json, package.json or pyproject.toml is read.
                  Nothing is downloaded, and the server is not started.</p>
                <fieldset class="options" id="candidates" hidden><legend></legend></fieldset>
                <p class="wrong" role="alert"></p>
                <div class="buttons"><button>Register</button></div>
              </form>
              <div class="note plain" id="proposed" tabindex="-1" hidden></div>
            </section>
            """
        );

    private static Html Form(HubOptions options) =>
        Html.Of(
            $"""
            <section aria-labelledby="fill">
              <h2 id="fill">Or fill in a form</h2>
              {ServerForm.Of(options)}
            </section>
            """
        );
}
