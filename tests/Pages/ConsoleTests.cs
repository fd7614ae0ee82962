using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The console's frame, and what holds for every page in it.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleTests(Browser browser)
{
    [Theory]
    [InlineData(ColorScheme.Light, 1280, true)]
    [InlineData(ColorScheme.Dark, 390, true)]
    [InlineData(ColorScheme.Dark, 1280, false)]
    [InlineData(ColorScheme.Light, 390, false)]
    public async Task Every_page_fits_and_breaks_no_rule_of_accessibility(ColorScheme colors, int width, bool hasData)
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, colors: colors, width: width);
        var form = $"{(hasData ? "" : "-empty")}{(colors is ColorScheme.Dark ? "-dark" : "-light")}-{width}";
        List<string> paths = [.. ConsoleVisit.Paths, "/servers/new"];
        if (hasData)
        {
            paths.Add($"/servers/{await FillAsync(visit)}");
        }

        foreach (var path in paths)
        {
            await visit.Page.GotoAsync("/console" + path);
            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
            await visit.CheckAsync($"console/{(path.Length == 0 ? "overview" : path[1..].Replace('/', '-'))}{form}");
        }
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task The_open_pages_break_no_rule_of_accessibility(ColorScheme colors, int width)
    {
        await using var server = TestServer.Start(("Auth:Mode", "api-key"), ("Auth:ApiKey", Hub.RegisteredServers.Key));
        foreach (var path in (string[])["/", "/auth/sign-in"])
        {
            await using var visit = await browser.OpenAsync(server, path, colors, width);
            var violations = await Axe.ViolationsAsync(visit.Page);
            Assert.True(violations.Length == 0, $"{path}\n{string.Join('\n', violations)}");
        }
    }

    [Fact]
    public async Task The_frame_says_whose_page_it_is_and_where_one_is()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/settings");
        var page = visit.Page;
        var links = page.GetByRole(AriaRole.Navigation, new() { Name = "Console" }).GetByRole(AriaRole.Link);

        await Expect(page).ToHaveTitleAsync("Settings · MinimalMcp");
        await Expect(links).ToHaveCountAsync(ConsoleVisit.Paths.Length);
        await Expect(page.Locator("[aria-current=page]")).ToHaveTextAsync("Settings");
        await Expect(page.GetByText($"Replica {Environment.MachineName}/{Environment.ProcessId}")).ToBeVisibleAsync();
        await Expect(page.GetByText("Signed in as default")).ToBeVisibleAsync();
        for (var i = 0; i < ConsoleVisit.Paths.Length; i++)
        {
            await links.Nth(i).ClickAsync();
            await page.WaitForURLAsync($"**/console{ConsoleVisit.Paths[i]}");
            await Expect(page.Locator("[aria-current=page]")).ToHaveCountAsync(1);
        }

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("A key with the scope mcp:admin")).ToBeVisibleAsync();
        await page.GotoAsync("/console/keys");
        await Expect(page.GetByLabel("A key with the scope mcp:admin")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_keyboard_skips_to_the_content_and_opens_the_menu_of_a_small_screen()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers", width: 390);
        var page = visit.Page;
        var nav = page.GetByRole(AriaRole.Navigation, new() { Name = "Console" });
        await Expect(nav).ToBeHiddenAsync();

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByText("Skip to the content")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Main)).ToBeFocusedAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Menu" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(nav).ToBeVisibleAsync();
        await visit.CheckAsync("console/menu-light-390");
        await page.Keyboard.PressAsync("Escape");
        await Expect(nav).ToBeHiddenAsync();
    }

    [Theory]
    [InlineData(1920)]
    [InlineData(1024)]
    public async Task A_wide_screen_is_used(int width)
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers", width: width);
        await FillAsync(visit);
        await visit.Page.ReloadAsync();
        await visit.CheckAsync($"console/servers-light-{width}");
    }

    [Fact]
    public async Task Without_authentication_the_console_is_open_on_this_machine()
    {
        await using var server = TestServer.Start();
        await using var visit = await browser.OpenAsync(server, "/console/servers/new");
        await Expect(visit.Page.GetByText("Authentication is disabled", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText("Servers with a command are refused")).ToBeVisibleAsync();
        await visit.Page.GotoAsync("/console/keys");
        await Expect(visit.Page.GetByText("This server accepts no API keys")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToHaveCountAsync(0);
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task Below_a_path_of_a_proxy_every_address_works()
    {
        await using var server = TestServer.Start();
        await using var proxy = await PathProxy.StartAsync(server, tellsPrefix: false);
        await using var visit = await browser.OpenAsync(proxy.Origin, PathProxy.Path + "/console/servers/new");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Settings" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Settings");
        await page.GotoAsync(PathProxy.Path + "/diagnostics");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Diagnostics");
        Assert.Empty(visit.Problems);
    }

    // Servers in several states, a changed definition, keys, and what a client asked.
    private static async Task<long> FillAsync(ConsoleVisit visit)
    {
        var up = await visit.RegisterAsync("up", "full", "A stand-in with everything that a server may have");
        await visit.RegisterAsync("broken", "dies");
        await visit.RegisterAsync("stopped", "talks", starts: false);
        await visit.Servers.AddAsync("docs", new("http://127.0.0.1:9/mcp"), auth: "oauth");
        await visit.Servers.BecomesAsync(up, "active");
        await visit.Servers.CallAsync("up_mutate", new { description = "Another description." });
        await Wait.Until(async () =>
            (await visit.Servers.SendAsync("GET", $"/{up}/tools")).GetRawText().Contains("withheld")
        );
        await visit.KeysAsync(HttpMethod.Post, "", new { name = "ci", permissions = (string[])["mcp:read"] });
        using var unknown = await visit.Server.Http.GetAsync(
            new Uri("/.well-known/oauth-protected-resource/mcp", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        return up;
    }
}
