using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page of sessions.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleSessionsTests(Browser browser)
{
    private const string Hostile = "<img src=x onerror=alert(1)>";

    [Fact]
    public async Task A_session_is_listed_and_ended_after_a_question()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/console/sessions");
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script of a client's name ran.");
        await Expect(page.GetByText("No client is connected.")).ToBeVisibleAsync();

        var session = (
            await server.McpAsync(
                "initialize",
                new
                {
                    protocolVersion = "2025-11-25",
                    capabilities = new { },
                    clientInfo = new { name = Hostile, version = "1.0" },
                },
                accept: "application/json, text/event-stream"
            )
        ).Session;
        Assert.NotNull(session);
        await server.McpAsync("tools/call", new { name = "look", arguments = new { } }, session: session);

        var row = page.Locator("tbody tr").Filter(new() { HasText = Hostile });
        await Expect(row).ToContainTextAsync("2025-11-25"); // it appears by itself
        await visit.ScreenshotAsync("console-sessions");
        var end = row.GetByRole(AriaRole.Button);
        await end.ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("End this session?");
        await page.Keyboard.PressAsync("Escape");
        await Expect(row).ToHaveCountAsync(1);
        await end.ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "End session" }).ClickAsync();

        await Expect(page.Locator("#said")).ToHaveTextAsync("The session has ended.");
        await Expect(row.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        var after = await server.McpAsync("tools/call", new { name = "look", arguments = new { } }, session: session);
        Assert.Equal(404, after.Status);
        Assert.Empty(visit.Problems);
    }
}
