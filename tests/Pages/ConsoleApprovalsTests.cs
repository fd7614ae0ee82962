using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tools;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page of approvals, as the person sees it who decides.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleApprovalsTests(Browser browser)
{
    private const string Agent = "agent-0123456789abcdefghijklmnopqrstuvwxyz",
        Boss = "boss-0123456789abcdefghijklmnopqrstuvwxyz";

    private static (string, string)[] Keys =>
        [
            ("Governance:Approve", "CRITICAL"),
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:agent:Key", Agent),
            ("Auth:ApiKeys:boss:Key", Boss),
            ("Auth:ApiKeys:boss:Scopes", "mcp:admin"),
        ];

    [Theory]
    [InlineData(ColorScheme.Light, 1280, "console-approvals-light")]
    [InlineData(ColorScheme.Dark, 390, "console-approvals-dark-narrow")]
    public async Task What_waits_is_approved_by_who_signed_in_with_a_key(
        ColorScheme colors,
        int width,
        string screenshot
    )
    {
        var tools = new GovernedTools();
        await using var server = Start(tools);
        var token = await AskAsync(
            server,
            """{"target":"<img src=x onerror=alert(1)>","options":{"password":"hunter22","fuel":[1,2]}}"""
        );
        await AskAsync(server, """{"target":"moon"}""");
        await using var visit = await browser.OpenAsync(server, "/console/approvals", colors, width);
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script of an argument ran.");

        await page.GetByLabel("A key with the scope").FillAsync(Boss);
        await page.Keyboard.PressAsync("Enter");
        var calls = Pending(page);
        await Expect(calls.First).ToContainTextAsync("Requested by agent from 127.0.0.1");
        await Expect(calls.First).ToContainTextAsync("<img src=x onerror=alert(1)>");
        await Expect(calls.First).ToContainTextAsync("[REDACTED]");
        await visit.ScreenshotAsync(screenshot);
        Assert.Equal(
            ["true"],
            await page.EvaluateAsync<string[]>(StartPageTests.Pale.Replace("> 20", "> 8", StringComparison.Ordinal))
        );
        Assert.True(
            await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
            "wider than the screen"
        );

        await calls.First.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Expect(page.Locator("#said")).ToHaveTextAsync("The call of launch was approved.");
        await Expect(calls).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Deny" }).ClickAsync();
        await Expect(page.GetByText("No pending approvals.")).ToBeVisibleAsync();

        using var done = await CallAsync(
            server,
            $$$"""{"target":"<img src=x onerror=alert(1)>","options":{"password":"hunter22","fuel":"""
                + $$$"""[1,2]},"confirmation_token":"{{{token}}}"}"""
        );
        Assert.Equal(200, (int)done.StatusCode);
        Assert.Equal(1, tools.Done["launch"]);
        Assert.Equal(
            "0 0 ",
            await page.EvaluateAsync<string>(
                "() => `${localStorage.length} ${sessionStorage.length} ${document.cookie}`"
            )
        );
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task Calls_are_approved_and_denied_by_keyboard_alone_and_the_focus_goes_on()
    {
        var tools = new GovernedTools();
        await using var server = Start(tools);
        var token = await AskAsync(server, """{"target":"moon"}""");
        await AskAsync(server, """{"target":"mars"}""");
        await using var visit = await browser.OpenAsync(server, "/console/approvals");
        var page = visit.Page;
        await TabToAsync(page, "#password");
        await page.Keyboard.TypeAsync(Boss);
        await page.Keyboard.PressAsync("Enter");
        await Expect(Pending(page)).ToHaveCountAsync(2);

        await TabToAsync(page, "[id^=approve-]");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#said")).ToHaveTextAsync("The call of launch was approved.");
        await Expect(Pending(page)).ToHaveCountAsync(1);
        var deny = page.GetByRole(AriaRole.Button, new() { Name = "Deny" });
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Tab");
        await Expect(deny).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Space");

        await Expect(page.GetByText("No pending approvals.")).ToBeVisibleAsync();
        await Expect(page.Locator("#main")).ToBeFocusedAsync();
        using var done = await CallAsync(server, $$"""{"target":"moon","confirmation_token":"{{token}}"}""");
        Assert.Equal(200, (int)done.StatusCode);
        Assert.Equal(1, tools.Done["launch"]);
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task The_key_that_asked_cannot_approve()
    {
        var tools = new GovernedTools();
        await using var server = Start(tools, ("Auth:ApiKeys:agent:Scopes", "mcp:admin"));
        await AskAsync(server, """{"target":"moon"}""");
        await using var visit = await browser.OpenAsync(server, "/console/approvals");
        var page = visit.Page;

        await page.GetByLabel("A key with the scope").FillAsync("not-a-key");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByText("The key is not valid.")).ToBeVisibleAsync();
        await page.GetByLabel("A key with the scope").FillAsync(Agent);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await Expect(Pending(page)).ToContainTextAsync("You requested this call yourself");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToBeDisabledAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Deny" })).ToBeEnabledAsync();
        Assert.Empty(tools.Done);
    }

    [Fact]
    public async Task Without_authentication_it_shows_at_once_what_waits_and_what_comes()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Approve", "launch"));
        await using var visit = await browser.OpenAsync(server, "/dashboard"); // the former address
        await Expect(visit.Page.GetByText("No pending approvals.")).ToBeVisibleAsync();
        Assert.EndsWith("/console/approvals", visit.Page.Url, StringComparison.Ordinal);

        await AskAsync(server, """{"target":"moon"}""");

        var deny = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Deny" });
        await Expect(deny).ToBeVisibleAsync();
        await deny.FocusAsync();
        await AskAsync(server, """{"target":"mars"}""");
        await Expect(Pending(visit.Page)).ToHaveCountAsync(2);
        await Expect(deny.First).ToBeFocusedAsync(); // what comes does not take the button away
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_person_sees_the_very_value_that_the_tool_would_get()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Approve", "launch"));
        await AskAsync(server, """{"target":"a\u202ebc\u3164\udb40\udc41","options":12345678901234567890}""");
        await using var visit = await browser.OpenAsync(server, "/console/approvals");

        await Expect(Pending(visit.Page)).ToContainTextAsync("12345678901234567890");
        await Expect(Pending(visit.Page)).ToContainTextAsync("\"a\\u{202E}bc\\u{3164}\\uDB40\\uDC41\"");
    }

    [Fact]
    public async Task A_server_where_nothing_is_approved_says_how_that_is_set()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/dashboard/");

        await Expect(visit.Page.GetByText("Governance:Approve")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Approvals");
    }

    private static TestServer Start(GovernedTools tools, params (string, string)[] more) =>
        TestServer.Start(
            services => services.AddSingleton(tools).AddSingleton(new ToolType(typeof(GovernedTools))),
            [.. Keys, .. more]
        );

    private static ILocator Pending(IPage page) => page.Locator("#pending .calls > li");

    /// <summary>Presses Tab until that element has the focus.</summary>
    internal static async Task TabToAsync(IPage page, string selector)
    {
        for (var presses = 0; presses < 100; presses++)
        {
            if (await page.EvaluateAsync<bool>("of => document.activeElement.matches(of)", selector))
            {
                return;
            }

            await page.Keyboard.PressAsync("Tab");
        }

        Assert.Fail($"The keyboard does not reach {selector}.");
    }

    private static async Task<string> AskAsync(TestServer server, string arguments)
    {
        using var response = await CallAsync(server, arguments);
        Assert.Equal(202, (int)response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))![
            "confirmation_token"
        ]!.GetValue<string>();
    }

    private static Task<HttpResponseMessage> CallAsync(TestServer server, string arguments) =>
        server.PostAsync("/tools/launch", arguments, headers: ("Authorization", "Bearer " + Agent));
}
