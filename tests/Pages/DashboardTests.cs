using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tools;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page of approvals, as the person sees it who decides.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class DashboardTests(Browser browser)
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
    [InlineData(ColorScheme.Light, 1280, "dashboard-light")]
    [InlineData(ColorScheme.Dark, 390, "dashboard-dark-narrow")]
    public async Task What_waits_is_approved_by_who_signed_in_with_a_key(
        ColorScheme colors,
        int width,
        string screenshot
    )
    {
        var tools = new GovernedTools();
        await using var server = TestServer.Start(
            services => services.AddSingleton(tools).AddSingleton(new ToolType(typeof(GovernedTools))),
            Keys
        );
        var token = await AskAsync(
            server,
            """{"target":"<img src=x onerror=alert(1)>","options":{"password":"hunter22","fuel":[1,2]}}"""
        );
        await AskAsync(server, """{"target":"moon"}""");
        await using var visit = await browser.OpenAsync(server, "/dashboard", colors, width);
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script of an argument ran.");

        await page.GetByLabel("A key with the scope").FillAsync(Boss);
        await page.Keyboard.PressAsync("Enter");
        var first = page.GetByRole(AriaRole.Listitem).First;
        await Expect(first).ToContainTextAsync("Requested by agent from 127.0.0.1");
        await Expect(first).ToContainTextAsync("<img src=x onerror=alert(1)>");
        await Expect(first).ToContainTextAsync("[REDACTED]");
        await visit.ScreenshotAsync(screenshot);
        Assert.Equal(
            ["true"],
            await page.EvaluateAsync<string[]>(StartPageTests.Pale.Replace("> 20", "> 8", StringComparison.Ordinal))
        );
        Assert.True(
            await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
            "wider than the screen"
        );

        await first.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The call of launch was approved.");
        await Expect(page.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(1);
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
    public async Task The_key_that_asked_cannot_approve_and_a_wrong_one_is_asked_for_again()
    {
        var tools = new GovernedTools();
        await using var server = TestServer.Start(
            services => services.AddSingleton(tools).AddSingleton(new ToolType(typeof(GovernedTools))),
            Keys
        );
        await AskAsync(server, """{"target":"moon"}""");
        await using var visit = await browser.OpenAsync(server, "/dashboard");
        var page = visit.Page;

        await page.GetByLabel("A key with the scope").FillAsync("not-a-key");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByText("The key is not valid.")).ToBeVisibleAsync();
        await page.GetByLabel("A key with the scope").FillAsync(Agent);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Listitem)).ToContainTextAsync("You requested this call yourself");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToBeDisabledAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Deny" })).ToBeEnabledAsync();
        Assert.Empty(tools.Done);
    }

    [Fact]
    public async Task Without_authentication_it_shows_at_once_what_waits_and_what_comes()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Approve", "launch"));
        await using var visit = await browser.OpenAsync(server, "/dashboard");
        await Expect(visit.Page.GetByText("No pending approvals.")).ToBeVisibleAsync();

        await AskAsync(server, """{"target":"moon"}""");

        var deny = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Deny" });
        await Expect(deny).ToBeVisibleAsync();
        await deny.FocusAsync();
        await AskAsync(server, """{"target":"mars"}""");
        await Expect(visit.Page.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(2);
        await Expect(deny.First).ToBeFocusedAsync(); // what comes does not take the button away
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_person_sees_the_very_value_that_the_tool_would_get()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Approve", "launch"));
        await AskAsync(server, """{"target":"a\u202ebc\u3164\udb40\udc41","options":12345678901234567890}""");
        await using var visit = await browser.OpenAsync(server, "/dashboard");

        await Expect(visit.Page.GetByRole(AriaRole.Listitem)).ToContainTextAsync("12345678901234567890");
        await Expect(visit.Page.GetByRole(AriaRole.Listitem))
            .ToContainTextAsync("\"a\\u{202E}bc\\u{3164}\\uDB40\\uDC41\"");
    }

    [Fact]
    public async Task A_server_where_nothing_is_approved_says_how_that_is_set()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/dashboard");

        await Expect(visit.Page.GetByText("Governance:Approve")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Approvals");
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
