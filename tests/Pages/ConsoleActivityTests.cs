using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Tools;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page of the activity: filtered, paged, and live.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleActivityTests(Browser browser)
{
    // Without a space: the header of test callers has scopes behind one.
    private const string Hostile = "<img/src=x/onerror=alert(1)>";

    [Fact]
    public async Task A_call_made_elsewhere_appears_without_a_reload_and_a_pause_holds_it_back()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/console/activity");
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script of a caller ran.");
        await page.EvaluateAsync("() => { window.same = true; }");
        await Expect(page.GetByText("Nothing happened yet.")).ToBeVisibleAsync();
        await Expect(page.Locator("#feed-state")).ToHaveTextAsync("Live");

        await CallAsync(server, "look", """{"what":"a"}""", Hostile);

        var rows = page.Locator("#events tbody tr");
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows.First).ToContainTextAsync("tool called");
        await Expect(rows.First).ToContainTextAsync(Hostile);
        await CallAsync(server, "look", $$"""{"{{Hostile}}":1}""", "ann");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(rows.First).ToContainTextAsync("error occurred");
        await Expect(rows.First).ToContainTextAsync($"'{Hostile}' is not an argument");
        await Expect(page.Locator("#said")).ToContainTextAsync("new event"); // said, but not each one

        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Expect(page.Locator("#feed-state")).ToHaveTextAsync("Paused");
        await CallAsync(server, "wipe", """{"what":"b"}""", "ann");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Expect(rows.First).ToContainTextAsync("wipe");
        await Expect(rows).ToHaveCountAsync(3);
        await CallAsync(server, "look", "{}", "ann");
        await Expect(rows).ToHaveCountAsync(4);

        Assert.True(await page.EvaluateAsync<bool>("() => window.same === true"), "The page was loaded again.");
        await rows.First.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Call of look");
        Assert.DoesNotContain(visit.Problems, problem => !problem.Contains("/stream", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rows_of_a_page_that_stays_open_are_bounded()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/console/activity");
        var rows = visit.Page.Locator("#events tbody tr");
        await Expect(visit.Page.Locator("#feed-state")).ToHaveTextAsync("Live");

        await CallAsync(server, "look", "{}", "ann");
        await Expect(rows).ToHaveCountAsync(1);
        for (var n = 0; n < 210; n++)
        {
            await CallAsync(server, "look", $$"""{"what":"{{n}}"}""", "ann" + n);
        }

        await Expect(rows.First).ToContainTextAsync("ann209");
        await Expect(rows).ToHaveCountAsync(200);
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task Events_are_filtered_and_paged_also_the_live_ones()
    {
        await using var server = GovernedTools.Start(new());
        for (var n = 0; n < 52; n++)
        {
            await CallAsync(server, "look", "{}", "ann");
        }

        await CallAsync(server, "look", "{}", "bob");
        await CallAsync(server, "look", """{"wrong":1}""", "ann");
        await Wait.Until(async () =>
            (await server.GetJsonAsync("/api/v1/activity?limit=200")).GetProperty("count").GetInt32() == 54
        );
        await using var visit = await browser.OpenAsync(server, "/console/activity");
        var page = visit.Page;
        var rows = page.Locator("#events tbody tr");

        await Expect(rows).ToHaveCountAsync(50);
        await page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(4);
        await Expect(page.Locator(".feed")).ToBeHiddenAsync();

        await page.GetByLabel("User").FillAsync("bob");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(page.Locator("#feed-state")).ToHaveTextAsync("Live");
        await CallAsync(server, "look", "{}", "ann");
        await CallAsync(server, "look", "{}", "bob");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(rows.First).ToContainTextAsync("bob");

        await page.GetByLabel("User").FillAsync("");
        await page.GetByLabel("Type").SelectOptionAsync("error_occurred");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(1);
        await page.GetByLabel("User").FillAsync("nobody");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(page.GetByText("Nothing matches.")).ToBeVisibleAsync();
        Assert.DoesNotContain(visit.Problems, problem => !problem.Contains("/stream", StringComparison.Ordinal));
    }

    private static async Task CallAsync(TestServer server, string tool, string arguments, string caller) =>
        (await server.PostAsync($"/tools/{tool}", arguments, headers: (TestCaller.Header, caller))).Dispose();
}
