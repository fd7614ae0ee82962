using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Tools;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The first page of the console: what needs attention, figures, charts.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleOverviewTests(Browser browser)
{
    private const string Boss = "boss-0123456789abcdefghijklmnopqrstuvwxyz";

    [Fact]
    public async Task A_new_server_needs_no_attention_and_says_what_to_do()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/console");

        await Expect(visit.Page.Locator(".attention")).ToContainTextAsync("Nothing needs attention.");
        await Expect(visit.Page.GetByText("No tool was called in this time.")).ToBeVisibleAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "All tools" }).ClickAsync();
        await Expect(visit.Page).ToHaveTitleAsync("Tools · MinimalMcp");
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task What_needs_attention_comes_first_with_a_link_to_where_one_acts()
    {
        await using var server = GovernedTools.Start(
            new(),
            ("Governance:Approve", "launch"),
            ("Governance:Levels:HIGH", "5/day"),
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:boss:Key", Boss),
            ("Auth:ApiKeys:boss:Scopes", "mcp:admin")
        );
        (string, string) key = ("Authorization", "Bearer " + Boss);
        using var asked = await server.PostAsync("/tools/launch", """{"target":"moon"}""", headers: key);
        Assert.Equal(202, (int)asked.StatusCode);
        for (var n = 0; n < 4; n++)
        {
            using var wiped = await server.PostAsync("/tools/wipe", $$"""{"what":"{{n}}"}""", headers: key);
            Assert.Equal(200, (int)wiped.StatusCode);
        }

        for (var n = 0; n < 6; n++)
        {
            using var wrong = await server.PostAsync("/tools/look", "{}", headers: ("X-MCP-API-Key", "wrong" + n));
            Assert.Equal(401, (int)wrong.StatusCode);
        }

        using var created = await server.PostAsync(
            "/api/v1/servers",
            """{"name":"away","transport_type":"streamable_http","url":"http://127.0.0.1:9/mcp","auto_restart":true}""",
            headers: key
        );
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
        await using var visit = await browser.OpenAsync(server, "/console");
        var page = visit.Page;
        await page.GetByLabel("A key with the scope").FillAsync(Boss);
        await page.Keyboard.PressAsync("Enter");

        var items = page.Locator(".attention li");
        await Expect(items.Filter(new() { HasText = "Server away is down" })).ToContainTextAsync("problem");
        await Expect(items.Filter(new() { HasText = "1 call awaits approval." })).ToContainTextAsync("waiting");
        await Expect(items.Filter(new() { HasText = "boss has used 4 of 5 per day (risk HIGH)" })).ToHaveCountAsync(1);
        await Expect(items.Filter(new() { HasText = "sign-ins failed" })).ToContainTextAsync("See the requests");
        await Expect(items.First).ToContainTextAsync("problem");
        await Expect(page.Locator(".figures")).ToContainTextAsync("0 of 1");
        await page.GetByRole(AriaRole.Link, new() { Name = "Decide" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Approvals");
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task Figures_and_charts_are_of_the_window_and_read_by_pointer_and_keyboard()
    {
        await using var server = GovernedTools.Start(new());
        for (var n = 0; n < 3; n++)
        {
            await CallAsync(server, "look", "{}", "ann");
        }

        await CallAsync(server, "look", """{"wrong":1}""", "bob");
        await CallAsync(server, "note_that_fails", """{"password":"x"}""", "bob");
        await Wait.Until(async () =>
            (await server.GetJsonAsync("/api/v1/metrics/summary?window=15m"))
                .GetProperty("total")
                .GetProperty("calls")
                .GetInt64() == 5
        );
        await using var visit = await browser.OpenAsync(server, "/console?window=15m");
        var page = visit.Page;

        await Expect(Figure(page, "Calls")).ToHaveTextAsync("5");
        await Expect(Figure(page, "Errors")).ToHaveTextAsync("1");
        await Expect(Figure(page, "Refusals")).ToHaveTextAsync("1");
        await Expect(Figure(page, "Latency p95")).ToContainTextAsync("s");
        await Expect(page.Locator("main tbody").First).ToContainTextAsync("look");
        await Expect(page.Locator("#calls-about")).ToContainTextAsync("Completed: highest 3");

        var tip = page.Locator(".tip");
        await page.Locator("#calls .plot").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await Expect(tip).ToContainTextAsync("Completed: ");
        await Expect(page.Locator("#calls .point.at")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("Home");
        await Expect(tip).ToContainTextAsync("Completed: 0");
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(page.Locator("#calls .point").Nth(1)).ToContainClassAsync("at");
        await page.Keyboard.PressAsync("Escape");
        await Expect(tip).ToBeEmptyAsync();
        await page.Locator("#latency .point").Last.HoverAsync();
        await Expect(tip).ToContainTextAsync("p99: ");

        await page.GetByRole(AriaRole.Link, new() { Name = "7 days" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "7 days" }))
            .ToHaveAttributeAsync("aria-current", "true");
        await Expect(Figure(page, "Calls")).ToHaveTextAsync("5");
        Assert.Empty(visit.Problems);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static ILocator Figure(IPage page, string name) =>
        page.Locator(".figures > div")
            .Filter(new() { Has = page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }) })
            .Locator("strong");

    private static async Task CallAsync(TestServer server, string tool, string arguments, string caller) =>
        (await server.PostAsync($"/tools/{tool}", arguments, headers: (TestCaller.Header, caller))).Dispose();
}
