using System.Text.Json;
using Microsoft.Playwright;
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
