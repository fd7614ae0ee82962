using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Tools;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page of the audit log: search, the story of a call, export, verification.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleAuditTests(Browser browser)
{
    private const string Hostile = "<img src=x onerror=alert(1)>";

    [Fact]
    public async Task Entries_are_searched_paged_and_shown_as_text()
    {
        await using var server = GovernedTools.Start(new());
        for (var n = 0; n < 55; n++)
        {
            await CallAsync(server, "look", $$"""{"what":"{{n}}"}""", "bob");
        }

        await CallAsync(server, "look", $$"""{"{{Hostile}}":"{{Hostile}}"}""", "<b>ann</b>");
        await CallAsync(server, "wipe", $$"""{"what":"{{Hostile}}"}""", "<b>ann</b>");
        await WaitForEntriesAsync(server, 58);
        await using var visit = await browser.OpenAsync(server, "/console/audit");
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script of an argument ran.");
        var rows = page.Locator("tbody tr");

        await Expect(rows).ToHaveCountAsync(50);
        await Expect(rows.Nth(2)).ToContainTextAsync("<b>ann</b>");
        await Expect(rows.Nth(2)).ToContainTextAsync($"'{Hostile}' is not an argument");
        await page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(8);
        await page.GetByRole(AriaRole.Link, new() { Name = "Newest" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(50);

        await page.GetByLabel("Subject").FillAsync("<b>ann</b>");
        await page.GetByLabel("Risk").SelectOptionAsync("HIGH");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(page.GetByLabel("Subject")).ToHaveValueAsync("<b>ann</b>");
        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "Export CSV" }).ClickAsync()
        );
        Assert.Equal("audit-log.csv", download.SuggestedFilename);
        Assert.Equal(3, (await File.ReadAllLinesAsync(await download.PathAsync(), Stop)).Length);

        await page.GetByLabel("From (UTC)").FillAsync("2100-01-01T00:00");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await Expect(page.GetByText("No entry matches.")).ToBeVisibleAsync();
        Assert.DoesNotContain(visit.Problems, problem => !problem.Contains("ERR_ABORTED", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_story_of_a_call_has_everything_and_leads_to_the_request_for_its_approval()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Approve", "launch"));
        using var asked = await server.PostAsync(
            "/tools/launch",
            $$"""{"target":"{{Hostile}}"}""",
            headers: (TestCaller.Header, "ann")
        );
        var token = System
            .Text.Json.JsonElement.Parse(await asked.Content.ReadAsStringAsync(Stop))
            .GetProperty("confirmation_token")
            .GetString();
        var id = (await server.GetJsonAsync("/api/v1/approvals"))
            .GetProperty("approvals")[0]
            .GetProperty("id")
            .GetString();
        using var decided = await server.PostAsync(
            $"/api/v1/approvals/{id}/approve",
            "{}",
            headers: (TestCaller.Header, "boss mcp:admin")
        );
        await CallAsync(
            server,
            "launch",
            $$"""{"target":"{{Hostile}}","confirmation_token":"{{token}}"}""",
            "ann",
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        );
        await using var visit = await browser.OpenAsync(server, "/console/audit?subject=ann&outcome=ok");
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script of an argument ran.");

        await page.Locator("tbody tr a").First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Call of launch");
        var story = page.Locator(".story");
        await Expect(story).ToHaveCountAsync(2);
        await Expect(story.First).ToContainTextAsync("Preview, nothing was done");
        await Expect(story.First).ToContainTextAsync("to approve the call of ann");
        await Expect(story.Last).ToContainTextAsync("Intent, stored before the call");
        await Expect(story.Last).ToContainTextAsync("approved by boss; requested as call");
        await Expect(story.Last).ToContainTextAsync(Hostile);
        await Expect(story.Last.Locator("li")).ToHaveCountAsync(2);
        await Expect(page.Locator("dl.facts")).ToContainTextAsync("127.0.0.1");
        await Expect(page.Locator("dl.facts")).ToContainTextAsync("0af7651916cd43dd8448eb211c80319c");
        await visit.ScreenshotAsync("console-audit-story");
        await page.GotoAsync("/console/audit?call=none");
        await Expect(page.GetByText("The audit log has no call with this id.")).ToBeVisibleAsync();
        Assert.DoesNotContain(visit.Problems, problem => !problem.Contains("404", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_chain_is_verified_by_a_button_and_the_page_is_printed_without_the_frame()
    {
        await using var server = GovernedTools.Start(new());
        await CallAsync(server, "wipe", """{"what":"it"}""", "ann");
        await using var visit = await browser.OpenAsync(server, "/console/audit");
        var page = visit.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Verify the chain" }).ClickAsync();
        await Expect(page.Locator("#verdict")).ToContainTextAsync("The audit log is intact: 2 entries");
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(page.GetByRole(AriaRole.Navigation, new() { Name = "Console" })).ToBeHiddenAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Search" })).ToBeHiddenAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        await visit.ScreenshotAsync("console-audit-print");
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_filter_that_is_wrong_is_told()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/console/audit?from=<b>soon", status: 400);
        await Expect(visit.Page.GetByText("'from' must be a time")).ToBeVisibleAsync();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task CallAsync(
        TestServer server,
        string tool,
        string arguments,
        string caller,
        params (string, string)[] headers
    ) =>
        (
            await server.PostAsync($"/tools/{tool}", arguments, headers: [(TestCaller.Header, caller), .. headers])
        ).Dispose();

    // Entries of calls that only read are written beside them.
    private static Task WaitForEntriesAsync(TestServer server, int count) =>
        Wait.Until(async () =>
            (await server.GetJsonAsync("/api/v1/audit?limit=1000")).GetProperty("count").GetInt32() >= count
        );
}
