using Microsoft.Playwright;
using MinimalMcp.Tests.Auth.Provider;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>Operators sign in once, in a real browser.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class SignInPageTests(Browser browser)
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    [Theory]
    [InlineData(ColorScheme.Light, 1280, "sign-in-light")]
    [InlineData(ColorScheme.Dark, 390, "sign-in-dark-narrow")]
    public async Task A_key_opens_every_page_in_every_tab_until_the_sign_out(
        ColorScheme colors,
        int width,
        string screenshot
    )
    {
        await using var server = TestServer.Start(("Auth:Mode", "api-key"), ("Auth:ApiKey", Key));
        await using var visit = await browser.OpenAsync(server, "/diagnostics", colors, width);
        var page = visit.Page;
        await page.GetByLabel("A key with the scope mcp:admin").FillAsync("not-a-key");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The key is not valid.");
        await visit.ScreenshotAsync(screenshot);

        await page.GetByLabel("A key with the scope mcp:admin").FillAsync(Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Diagnostics");
        var second = await page.Context.NewPageAsync();
        await second.GotoAsync("/dashboard");
        await Expect(second.GetByText("No pending approvals.")).ToBeVisibleAsync();
        Assert.Equal("", await second.EvaluateAsync<string>("() => document.cookie"));

        if (width < 960)
        {
            await second.GetByRole(AriaRole.Button, new() { Name = "Menu" }).ClickAsync();
        }

        await second.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(second.GetByLabel("A key with the scope mcp:admin")).ToBeVisibleAsync();
        // The first tab finds out by itself: what it shows is asked for every five seconds.
        await page.BringToFrontAsync();
        await Expect(page.GetByLabel("A key with the scope mcp:admin")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData("Operators", true)]
    [InlineData("Readers", false)]
    public async Task A_person_of_the_identity_provider_with_an_admin_role_comes_in(string role, bool isAdmin)
    {
        await using var entra = await FakeEntra.StartAsync();
        entra.IdToken = claims => claims["roles"] = new System.Text.Json.Nodes.JsonArray(role);
        await using var server = entra.StartServer(out var here);
        await using var visit = await browser.OpenAsync(here, "/diagnostics");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with Contoso" }).ClickAsync();
        if (isAdmin)
        {
            await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Diagnostics");
            await page.GotoAsync("/dashboard");
            await Expect(page.GetByText("No pending approvals.")).ToBeVisibleAsync();
        }
        else
        {
            await Expect(page.GetByText("your account has no role of operators")).ToBeVisibleAsync();
            await page.GotoAsync("/dashboard");
            await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Sign in with Contoso" })).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task Where_nobody_can_sign_in_the_page_names_the_settings()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = TestServer.Start(
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Issuer", FakeEntra.V2),
            ("Auth:Provider:ConfigUrl", entra.V2Config),
            ("Auth:Provider:Audience", FakeEntra.ClientId)
        );
        await using var visit = await browser.OpenAsync(server, "/dashboard");
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("OAUTH2_CLIENT_ID");
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Auth:Provider:AdminRoles");
    }
}
