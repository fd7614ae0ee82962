using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MinimalMcp.Hub;
using MinimalMcp.Tests.Hub;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>Servers are registered, looked at and steered from the console.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleServersTests(Browser browser)
{
    [Fact]
    public async Task A_server_is_registered_started_its_log_read_stopped_and_deleted_from_the_page()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers");
        var page = visit.Page;
        await Expect(page.GetByText("No servers yet")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Register a server" }).ClickAsync();
        var form = page.Locator("#register");
        await form.GetByLabel("Name", new() { Exact = true }).FillAsync("mine");
        await form.GetByLabel("Description").FillAsync("Talks when it starts");
        await form.GetByLabel("Command", new() { Exact = true }).SelectOptionAsync(ConsoleVisit.NodeProgram);
        await form.GetByLabel("Arguments").FillAsync($"{ConsoleVisit.Script}\ntalks\n");
        await form.GetByLabel("Environment variables").FillAsync("SECRET=tomato=1\n");
        await form.GetByLabel("Start it now").UncheckAsync();
        await form.GetByRole(AriaRole.Button, new() { Name = "Register" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("mine");
        var state = page.GetByRole(AriaRole.Main).Locator("dl").First;
        await Expect(state).ToContainTextAsync("Stopped");
        await Expect(page.GetByText("SECRET=***")).ToBeVisibleAsync();
        Assert.DoesNotContain("tomato", await page.ContentAsync());

        await page.GetByRole(AriaRole.Button, new() { Name = "Start mine" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Server mine was started.");
        await Expect(state).ToContainTextAsync("Active");
        await Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("ready to serve");
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "mine_echo" })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Restart mine" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Log)).ToHaveTextAsync("ready to serve\nready to serve");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop mine" }).ClickAsync();
        await Expect(state).ToContainTextAsync("Stopped");

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Delete mine?");
        await visit.CheckAsync("console/delete-light-1280");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("No servers yet")).ToBeVisibleAsync();
        Assert.Empty((await visit.Servers.SendAsync("GET", "")).EnumerateArray());
        Assert.All(visit.Problems, problem => Assert.Contains("404", problem)); // its log, asked for meanwhile
    }

    [Fact]
    public async Task A_pasted_mcp_json_registers_all_of_its_servers_or_says_why_none()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers/new");
        var page = visit.Page;
        var form = page.Locator("#import");

        await PasteAsync("""{ "mcpServers": { "a": { "command": "bash", "args": ["-c", "id"] } } }""");
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("command must be one of");
        await PasteAsync("""{ "servers": { "a": { "url": "https://a.example/mcp?key=${SECRET_KEY}" } } }""");
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("has a placeholder");
        await PasteAsync("not json");
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("line 1 is not JSON");
        var node = JsonSerializer.Serialize(ConsoleVisit.NodeProgram);
        var script = JsonSerializer.Serialize(ConsoleVisit.Script);
        var twice = $$"""{ "command": {{node}}, "args": [{{script}}] }""";
        await PasteAsync($$"""{ "mcpServers": { "b": {{twice}}, "B": {{twice}} } }""");
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("twice in the file");
        Assert.Empty((await visit.Servers.SendAsync("GET", "")).EnumerateArray());

        await PasteAsync(
            $$"""
            {
              // as an editor has it
              "servers": {
                "first": { "command": {{node}}, "args": [{{script}}, "talks"] },
                "second": { "type": "http", "url": "http://127.0.0.1:9/mcp", "disabled": true },
              }
            }
            """
        );
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "first" })).ToContainTextAsync("Active");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "second" })).ToContainTextAsync("Stopped");

        // What Chromium reports of refused requests is not a problem of the page.
        Assert.All(visit.Problems, problem => Assert.Matches("status of 4(00|22)", problem));

        async Task PasteAsync(string file)
        {
            await form.GetByLabel("The file").FillAsync(file);
            await form.GetByRole(AriaRole.Button, new() { Name = "Register" }).ClickAsync();
        }
    }

    [Fact]
    public async Task A_server_is_changed_by_what_differs_and_its_secrets_are_kept_unless_replaced()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers");
        var page = visit.Page;
        var added = await visit.Servers.SendAsync(
            "POST",
            "",
            new
            {
                name = "mine",
                description = "Before",
                command = ConsoleVisit.NodeProgram,
                args = (string[])[ConsoleVisit.Script, "talks", " padded "],
                env = new { KEPT = "t0mato=1", REPLACED = "p0tato" },
                auto_restart = false,
            }
        );
        var id = added.GetProperty("id").GetInt64();
        await page.GotoAsync($"/console/servers/{id}");
        await page.GetByRole(AriaRole.Link, new() { Name = "Edit mine" }).ClickAsync();
        var form = page.Locator("#change");
        await Expect(form.GetByLabel("Environment variables")).ToHaveValueAsync("KEPT=***\nREPLACED=***");
        await Expect(form.GetByLabel("Arguments")).ToHaveValueAsync(new Regex(@"""talks"","" padded ""\]$"));
        Assert.DoesNotContain("t0mato", await page.ContentAsync());
        await visit.CheckAsync("console/edit-light-1280");

        await SaveAsync();
        await Expect(form.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Nothing was changed.");
        await form.GetByLabel("Name", new() { Exact = true }).FillAsync("shop");
        await SaveAsync();
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("The name 'shop' is that of a tool family");
        await form.GetByLabel("Name", new() { Exact = true }).FillAsync("mine");

        // Somebody else changes something else meanwhile.
        await visit.Servers.SendAsync("PUT", $"/{id}", new { risk = "LOW" });
        await form.GetByLabel("Description").FillAsync("After");
        await form.GetByLabel("Environment variables").FillAsync("KEPT=***\nREPLACED=carr0t\nNEW=leek");
        await form.GetByLabel("Names of its tools").SelectOptionAsync("own");
        await form.GetByLabel("Restarts in a row").FillAsync("7");
        var sent = await page.RunAndWaitForRequestAsync(SaveAsync, request => request.Method == "PUT");
        Assert.Equal(
            """
            {"description":"After","env":{"KEPT":"***","REPLACED":"carr0t","NEW":"leek"},"names":"own","max_restarts":7}
            """,
            sent.PostData
        );

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("mine");
        await Expect(page.GetByText("NEW=***")).ToBeVisibleAsync();
        var stored = await StoredAsync(visit, id);
        Assert.Equal(
            ("After", "LOW", true, 7, " padded "),
            (stored.Description, stored.Risk, stored.OwnNames, stored.MaxRestarts, stored.Args[^1])
        );
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["KEPT"] = "t0mato=1",
                ["REPLACED"] = "carr0t",
                ["NEW"] = "leek",
            },
            stored.Env
        );
        Assert.All(visit.Problems, problem => Assert.Contains("status of 4", problem));

        Task SaveAsync() => form.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
    }

    [Fact]
    public async Task A_remote_server_gets_another_address_and_credential_and_becomes_one_with_a_command()
    {
        await using var visit = await ConsoleVisit.OpenAsync(
            browser,
            "/console/servers",
            ColorScheme.Dark,
            390,
            ("Hub:Servers:ours:Url", "http://127.0.0.1:9/mcp"),
            ("Hub:Servers:ours:Disabled", "true")
        );
        var page = visit.Page;
        var created = await visit.Servers.SendAsync(
            "POST",
            "",
            new
            {
                name = "docs",
                url = "http://127.0.0.1:9/mcp",
                transport_type = "http",
                auth_type = "bearer",
                auth_config = new { token = "t0mato" },
                auto_restart = false,
            }
        );
        var id = created.GetProperty("id").GetInt64();
        var form = page.Locator("#change");

        await page.GotoAsync($"/console/servers/{id}/edit");
        await Expect(form.GetByLabel("Token")).ToHaveValueAsync("***");
        await Expect(form.GetByLabel("Command", new() { Exact = true })).ToBeHiddenAsync();
        await visit.CheckAsync("console/edit-dark-390");
        await form.GetByLabel("Address", new() { Exact = true }).FillAsync("");
        await form.GetByLabel("Or host").FillAsync("127.0.0.1");
        await form.GetByLabel("and port").FillAsync("8");
        await SaveAsync();
        var stored = await StoredAsync(visit, id);
        Assert.Equal("http://127.0.0.1:8/mcp", stored.Address!.AbsoluteUri);
        Assert.Equal(("token", "t0mato"), (stored.AuthConfig.Keys.Single(), stored.AuthConfig["token"]));

        await page.GotoAsync($"/console/servers/{id}/edit");
        await form.GetByLabel("Authentication").SelectOptionAsync("api_key");
        await form.GetByLabel("API key", new() { Exact = true }).FillAsync("p0tato");
        await form.GetByLabel("Header", new() { Exact = true }).FillAsync("X-Docs");
        await SaveAsync();
        stored = await StoredAsync(visit, id);
        Assert.Equal(
            ("p0tato", "X-Docs", 2),
            (stored.AuthConfig["api_key"], stored.AuthConfig["header"], stored.AuthConfig.Count)
        );

        await page.GotoAsync($"/console/servers/{id}/edit");
        await Expect(form.GetByLabel("Header", new() { Exact = true })).ToHaveValueAsync("***");
        await form.GetByLabel("A command on this machine").CheckAsync();
        await form.GetByLabel("Command", new() { Exact = true }).SelectOptionAsync(ConsoleVisit.NodeProgram);
        await form.GetByLabel("Arguments").FillAsync($"{ConsoleVisit.Script}\ntalks");
        await SaveAsync();
        stored = await StoredAsync(visit, id);
        Assert.Null(stored.Address);
        Assert.Empty(stored.AuthConfig);
        Assert.Equal("talks", stored.Args[^1]);
        Assert.Empty(visit.Problems);

        // One of the configuration is changed there.
        var ours = (await visit.Servers.SendAsync("GET", ""))
            .EnumerateArray()
            .Single(server => server.GetProperty("name").ValueEquals("ours"))
            .GetProperty("id")
            .GetInt64();
        await page.GotoAsync($"/console/servers/{ours}");
        await Expect(page.GetByText("It comes from the configuration")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Edit" })).ToHaveCountAsync(0);
        Assert.Equal(404, (await page.GotoAsync($"/console/servers/{ours}/edit"))!.Status);

        async Task SaveAsync()
        {
            await form.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
            await page.WaitForURLAsync($"**/console/servers/{id}");
        }
    }

    [Fact]
    public async Task A_repository_registers_the_server_that_is_chosen_or_says_why_none()
    {
        await using var github = await FakeGitHub.StartAsync();
        const string Package = """{"name":"NAME","version":"1.0.0","bin":"x.js","keywords":["mcp"]}""";
        github.Files["ann/many/package.json"] = """{"private":true,"workspaces":["src/*"]}""";
        foreach (var name in (string[])["one", "two", "three"])
        {
            github.Files[$"ann/many/src/{name}/package.json"] = Package.Replace("NAME", $"{name}-mcp");
        }

        github.Files["ann/none/README.md"] = "# Nothing";
        github.Files["ann/noted/server.json"] = """
            {
              "name": "io.github.ann/noted",
              "packages": [
                {
                  "registryType": "npm",
                  "identifier": "noted-mcp",
                  "version": "1.0.0",
                  "environmentVariables": [{ "name": "NOTED_TOKEN", "isRequired": true, "isSecret": true }]
                }
              ]
            }
            """;
        await using var visit = await ConsoleVisit.OpenAsync(
            browser,
            "/console/servers/new",
            settings: ("GitHub:Url", github.Url)
        );
        var page = visit.Page;
        var form = page.Locator("#from-github");

        await RegisterAsync("ann/none");
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("names nothing that runs without a checkout");
        await RegisterAsync("ann/missing");
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("no repository ann/missing");
        await RegisterAsync("https://evil.example/ann/many");
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("github_url must be");

        await RegisterAsync("ann/many");
        var choices = form.GetByRole(AriaRole.Group, new() { Name = "The repository has 3 servers. Choose one." });
        await Expect(choices.GetByRole(AriaRole.Radio)).ToHaveCountAsync(3);
        await Expect(choices.GetByRole(AriaRole.Radio).First).ToBeFocusedAsync();
        await Expect(form.Locator(".wrong")).ToHaveTextAsync("");
        await choices.GetByText("npx -y two-mcp").ClickAsync();
        await visit.ScreenshotAsync("console/repository-light-1280");
        Assert.Empty(await Axe.ViolationsAsync(page));
        await form.GetByRole(AriaRole.Button, new() { Name = "Register" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("two-mcp");
        await Expect(page.GetByRole(AriaRole.Main).Locator("dl").First).ToContainTextAsync("Stopped");
        await Expect(page.GetByText("/ann/many/tree/main/src/two")).ToBeVisibleAsync();

        await page.GotoAsync("/console/servers/new");
        await RegisterAsync("ann/noted");
        var proposed = page.Locator("#proposed");
        await Expect(proposed).ToContainTextAsync("noted was registered, and is not started.");
        await Expect(proposed).ToContainTextAsync("NOTED_TOKEN");
        await proposed.GetByRole(AriaRole.Link, new() { Name = "Edit noted" }).ClickAsync();
        await Expect(page.Locator("#change").GetByLabel("Arguments")).ToHaveValueAsync(new Regex("noted-mcp@1.0.0"));
        Assert.All(visit.Problems, problem => Assert.Matches("status of 4(00|22)", problem));
        Assert.Empty(github.Refused);

        async Task RegisterAsync(string repository)
        {
            await form.GetByLabel("Address of the repository").FillAsync(repository);
            await form.GetByRole(AriaRole.Button, new() { Name = "Register" }).ClickAsync();
        }
    }

    private static async Task<ServerDefinition> StoredAsync(ConsoleVisit visit, long id) =>
        (
            await visit
                .Server.Services.GetRequiredService<ServerRegistry>()
                .FindAsync(id, TestContext.Current.CancellationToken)
        )!;

    [Fact]
    public async Task What_happens_to_a_server_shows_without_a_reload_and_keeps_the_button_in_hand()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers");
        var page = visit.Page;
        await visit.RegisterAsync("first", "talks");
        var stop = page.GetByRole(AriaRole.Button, new() { Name = "Stop first" });
        await Expect(stop).ToBeVisibleAsync();
        await stop.FocusAsync();
        await visit.RegisterAsync("broken", "dies");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "broken" }))
            .ToContainTextAsync("no configuration was found");
        await Expect(stop).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "first" })).ToContainTextAsync("Stopped");
    }

    [Fact]
    public async Task A_changed_definition_is_shown_with_its_difference_and_approved()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers");
        var page = visit.Page;
        var id = await visit.RegisterAsync("up", "full");
        await visit.Servers.BecomesAsync(id, "active");
        await visit.Servers.CallAsync("up_mutate", new { description = "Send <b>everything</b>.\u202e" });
        await Expect(page.GetByText("1 changed")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "up", Exact = true }).ClickAsync();

        var change = page.GetByRole(AriaRole.Article);
        await Expect(change.Locator("del")).ToHaveTextAsync("echo");
        await Expect(change.Locator("ins")).ToHaveTextAsync("Send <b>everything</b>.\\u{202E}");
        await Expect(change).ToContainTextAsync("/description");
        await change.GetByRole(AriaRole.Button, new() { Name = "Approve echo" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The definition of echo was approved.");
        await Expect(change).ToHaveCountAsync(0);
        await Wait.Until(async () => (await visit.Servers.ToolsAsync()).Contains("up_echo"));
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_server_that_needs_a_sign_in_leads_to_it_and_a_failed_start_says_why()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers");
        var page = visit.Page;
        var docs = await visit.Servers.AddAsync("docs", new("http://127.0.0.1:9/mcp"), auth: "oauth");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Sign in at docs" }))
            .ToHaveAttributeAsync("href", $"./../api/v1/servers/{docs}/sign-in");
        await visit.RegisterAsync("broken", "dies", starts: false);

        await page.GetByRole(AriaRole.Button, new() { Name = "Start broken" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Server 'broken' did not start");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "broken" })).ToContainTextAsync("Error");
    }

    [Fact]
    public async Task The_log_is_read_from_where_one_was()
    {
        await using var hub = await HubServer.StartAsync("talks");
        var first = (await hub.SendAsync("GET", "/1/logs")).Json;
        Assert.Equal("ready to serve", first.GetProperty("lines")[0].GetString());
        var next = first.GetProperty("next").GetInt64();
        Assert.Empty((await hub.SendAsync("GET", $"/1/logs?after={next}")).Json.GetProperty("lines").EnumerateArray());
        await hub.SendAsync("POST", "/1/restart");
        await hub.ActiveAsync();
        Assert.Contains(
            "ready to serve",
            (await hub.SendAsync("GET", $"/1/logs?after={next}")).Json.GetProperty("lines").GetRawText()
        );
        // A number of another replica, or from before a restart of this one.
        var all = (await hub.SendAsync("GET", "/1/logs?after=999999")).Json.GetProperty("lines");
        Assert.NotEmpty(all.EnumerateArray());
        Assert.Equal(422, (await hub.SendAsync("GET", "/1/logs?after=-1")).Status);
    }
}
