using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The API explorer, used as a person uses it.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class ExplorerTests(Browser browser)
{
    [Theory]
    [InlineData("/scalar", ColorScheme.Light, 1280, "explorer-light")]
    [InlineData("/docs", ColorScheme.Dark, 1280, "explorer-dark")]
    [InlineData("/scalar", ColorScheme.Light, 390, "explorer-light-narrow")]
    public async Task The_explorer_opens_without_an_error_and_asks_no_other_origin(
        string path,
        ColorScheme colors,
        int width,
        string screenshot
    )
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, path, colors, width);

        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "MinimalMcp" }))
            .ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Find notes" })).ToBeVisibleAsync();
        await Expect(visit.Page).ToHaveTitleAsync("MinimalMcp: API explorer");
        await Expect(visit.Page.Locator("body"))
            .ToContainClassAsync(colors == ColorScheme.Dark ? "dark-mode" : "light-mode");
        await visit.ScreenshotAsync(screenshot, fullPage: false);

        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_tool_is_tried_out_and_its_answer_is_read_on_the_page()
    {
        // the document names it, the page calls its own origin
        await using var server = TestServer.Start(NotesTools.Alone, ("Server:PublicUrl", "https://mcp.example.com"));
        await using var visit = await browser.OpenAsync(server, "/scalar");

        var answer = await TryOutAsync(visit, "Find notes", """{"query":"milk"}""");

        await Expect(answer).ToContainTextAsync("Buy milk for 4.19");
        await visit.ScreenshotAsync("explorer-answer", fullPage: false);
        Assert.Empty(visit.Problems);
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "")]
    [InlineData(true, "https://mcp.example.com/base")]
    public async Task Below_the_path_of_a_proxy_it_opens_and_calls_tools(bool tellsPrefix, string publicUrl)
    {
        await using var server = TestServer.Start(NotesTools.Alone, ("Server:PublicUrl", publicUrl));
        await using var proxy = await PathProxy.StartAsync(server, tellsPrefix);
        await using var visit = await browser.OpenAsync(proxy.Origin, PathProxy.Path + "/docs?family=notes");

        var answer = await TryOutAsync(visit, "Find notes", """{"query":"milk"}""");

        await Expect(answer).ToContainTextAsync("Buy milk for 4.19");
        Assert.StartsWith($"{proxy.Origin}{PathProxy.Path}/scalar/?family=notes", visit.Page.Url);
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_family_has_its_tools_only()
    {
        await using var server = TestServer.Start();
        await using var visit = await browser.OpenAsync(server, "/scalar?family=shop");

        await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "Search products" })).ToBeVisibleAsync();
        // of the family documents
        await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "Fetch" })).ToHaveCountAsync(0);
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_script_that_is_not_the_pages_own_does_not_run()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, "/scalar");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Find notes" })).ToBeVisibleAsync();
        Assert.Empty(visit.Problems);

        var ran = await visit.Page.EvaluateAsync<bool>(
            """
            () => {
              const script = document.createElement('script');
              script.textContent = 'window.ran = true';
              document.body.append(script);
              return window.ran === true;
            }
            """
        );

        Assert.False(ran);
        Assert.Contains(visit.Problems, problem =>
            problem.Contains("Content Security Policy", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_link_of_the_start_page_leads_to_its_tool()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, "/");

        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "list_picked" }).ClickAsync();

        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "List picked notes" }))
            .ToBeInViewportAsync();
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task With_keys_the_explorer_takes_one_and_forgets_it_with_the_page()
    {
        const string key = "0123456789abcdefghijklmnopqrstuvwxyz";
        await using var server = TestServer.Start(NotesTools.Alone, ("Auth:Mode", "api-key"), ("Auth:ApiKey", key));
        await using var visit = await browser.OpenAsync(server, "/scalar");
        var token = visit.Page.GetByPlaceholder("Token");

        await token.First.FillAsync(key);
        var answer = await TryOutAsync(visit, "Get topics");

        await Expect(answer).ToContainTextAsync("topics");
        Assert.Empty(visit.Problems);
        await visit.Page.ReloadAsync();
        await Expect(token.First).ToBeEmptyAsync();
    }

    [Fact]
    public async Task Without_scripts_the_page_leads_to_the_document()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, "/scalar", scripts: false);

        await Expect(visit.Page.Locator("noscript")).ToBeVisibleAsync();
        await Expect(visit.Page.Locator("noscript a")).ToHaveAttributeAsync("href", "../openapi.json");
    }

    /// <summary>What a person does: opens the tool, writes its arguments, sends the request.</summary>
    /// <param name="name">The tool's name, where it is not its title with underscores.</param>
    /// <returns>The place of the answer.</returns>
    internal static async Task<ILocator> TryOutAsync(
        Visit visit,
        string tool,
        string? arguments = null,
        string? name = null
    )
    {
        name ??= tool.Replace(' ', '_').ToLowerInvariant();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = tool }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = $"Test Request (post /tools/{name})" }).ClickAsync();
        if (arguments is not null)
        {
            await visit.Page.GetByRole(AriaRole.Dialog).Locator(".cm-content").First.ClickAsync();
            await visit.Page.Keyboard.PressAsync("ControlOrMeta+a");
            await visit.Page.Keyboard.InsertTextAsync(arguments);
        }

        await visit.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Send post request") }).First.ClickAsync();
        return visit.Page.GetByRole(AriaRole.Dialog).GetByLabel(new Regex("^Response")).First;
    }
}
