using System.Net.Http.Headers;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>API keys in the console.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleKeysTests(Browser browser)
{
    [Fact]
    public async Task A_key_is_created_shown_once_copied_and_revoked()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/keys");
        var page = visit.Page;
        await page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "default" }))
            .ToContainTextAsync("from the configuration");
        await page.GetByLabel("Name").FillAsync("ci");
        await page.GetByLabel("mcp:write").CheckAsync();
        await page.GetByLabel("Expires").SelectOptionAsync("30");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create the key" }).ClickAsync();

        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Copy the key now" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Copy: API key" }).ClickAsync();
        await Expect(dialog.GetByText("Copied")).ToBeVisibleAsync();
        var key = await page.EvaluateAsync<string>("() => navigator.clipboard.readText()");
        Assert.StartsWith("mcp_", key);
        Assert.Equal(key, await dialog.Locator("#key").InnerTextAsync());
        await Expect(dialog.GetByText("Copied")).ToHaveCountAsync(0); // the word goes after a moment
        await visit.CheckAsync("console/key-light-1280");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        Assert.DoesNotContain(key, await page.ContentAsync());
        Assert.Equal(200, await AskAsync(visit, key));

        var row = page.GetByRole(AriaRole.Row, new() { Name = "ci" });
        await Expect(row).ToContainTextAsync("mcp:read mcp:write");
        await Expect(row).ToContainTextAsync("Active");
        await row.GetByRole(AriaRole.Button, new() { Name = "Revoke ci" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Revoke ci?");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The key ci was revoked.");
        await Expect(row).ToHaveCountAsync(0);
        Assert.Equal(401, await AskAsync(visit, key));
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_in_the_form()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/keys");
        var page = visit.Page;
        await page.GetByLabel("Name").FillAsync("default");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create the key" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("API key name already exists");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_session_ends_with_its_key_on_an_open_page_too()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers");
        var page = visit.Page;
        var created = await visit.KeysAsync(
            HttpMethod.Post,
            "",
            new { name = "second", permissions = (string[])["mcp:admin"] }
        );
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.GotoAsync("/console/servers");
        await visit.SignInAsync(created.GetProperty("api_key").GetString()!);
        await Expect(page.GetByText("Signed in as second")).ToBeVisibleAsync();

        await visit.KeysAsync(HttpMethod.Delete, $"/{created.GetProperty("id")}");
        // Nobody reloads: the page asks by itself.
        await Expect(page.GetByLabel("A key with the scope mcp:admin")).ToBeVisibleAsync();
        Assert.EndsWith("return=console%2Fservers", page.Url);
    }

    private static async Task<int> AskAsync(ConsoleVisit visit, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/servers");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await visit.Server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }
}
