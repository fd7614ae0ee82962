using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page at <c>/</c> in a browser: what is seen, read out and reached by keyboard.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class StartPageTests(Browser browser)
{
    // The contrast of each text with what lies behind it (WCAG 2.2, 1.4.3), where it is less than 4.5.
    internal const string Pale = """
        () => {
          const numbers = colour => colour.match(/[\d.]+/g).map(Number);
          const light = colour => numbers(colour).slice(0, 3).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
          const behind = element => {
            const colour = getComputedStyle(element).backgroundColor;
            return numbers(colour)[3] === 0 ? behind(element.parentElement) : colour;
          };
          const contrast = element => {
            const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
          };
          const hasText = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
          const texts = [...document.querySelectorAll('body *')].filter(hasText);
          const describe = element => `${contrast(element).toFixed(2)} ${element.outerHTML}`;
          return [`${texts.length > 20}`, ...texts.filter(element => contrast(element) < 4.5).map(describe)];
        }
        """;

    private const string Outline =
        "() => { const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement); return "
        + "`${outlineStyle} ${outlineWidth}`; }";

    [Theory]
    [InlineData(ColorScheme.Light, 1280, "start-light")]
    [InlineData(ColorScheme.Dark, 1280, "start-dark")]
    [InlineData(ColorScheme.Light, 390, "start-light-narrow")]
    [InlineData(ColorScheme.Dark, 390, "start-dark-narrow")]
    public async Task The_page_is_readable_and_clean(ColorScheme colors, int width, string screenshot)
    {
        await using var server = TestServer.Start(FamilyOff);
        await using var visit = await browser.OpenAsync(server, "/", colors, width);

        await Expect(visit.Page.GetByRole(AriaRole.Button).First).ToBeVisibleAsync();
        await visit.ScreenshotAsync(screenshot);

        Assert.Equal(["true"], await visit.Page.EvaluateAsync<string[]>(Pale));
        Assert.True(
            await visit.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
            "wider than the screen"
        );
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_screen_reader_finds_its_way()
    {
        await using var server = TestServer.Start(FamilyOff);
        await using var visit = await browser.OpenAsync(server, "/");
        var page = visit.Page;

        await Expect(page).ToHaveTitleAsync("MinimalMcp");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "en");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("MinimalMcp");
        await Expect(page.GetByRole(AriaRole.Banner)).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Main)).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Navigation, new() { Name = "Pages of this server" })).ToHaveCountAsync(1);
        await Expect(page.GetByRole(AriaRole.Region)).ToHaveCountAsync(2);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 2 })).ToHaveTextAsync(["Connect", "Tools"]);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 3 }))
            .ToHaveTextAsync([
                "ChatGPT connector",
                "GPT Action",
                "Function calling",
                "Older MCP clients",
                "Desktop clients",
                "notes",
                "weather",
            ]);
        await Expect(page.GetByText("disabled: set Weather:Url")).ToBeVisibleAsync();
        var labels = await page.GetByRole(AriaRole.Button)
            .EvaluateAllAsync<string[]>("buttons => buttons.map(button => button.getAttribute('aria-label'))");
        Assert.Equal(5, labels.Distinct().Count(label => label.StartsWith("Copy: ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_copy_button_works_by_keyboard_and_says_so()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, "/");
        await visit.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        var button = visit.Page.GetByRole(AriaRole.Button, new() { Name = "Copy: ChatGPT connector" });

        await button.FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");

        await Expect(visit.Page.GetByRole(AriaRole.Status))
            .ToHaveTextAsync("Copied the address for ChatGPT connector.");
        await Expect(button).ToHaveTextAsync("Copied");
        Assert.Equal(
            server.BaseUrl + "/mcp",
            await visit.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()")
        );
        await Expect(button).ToHaveTextAsync("Copy");
    }

    [Fact]
    public async Task A_copy_that_the_browser_refuses_is_told()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, "/");
        await visit.Page.EvaluateAsync(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
        );

        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Copy: GPT Action" }).ClickAsync();

        await Expect(visit.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("Select the address for GPT Action");
    }

    [Fact]
    public async Task The_keyboard_reaches_everything_and_shows_where_it_is()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, "/");
        await Expect(visit.Page.GetByRole(AriaRole.Button).First).ToBeVisibleAsync();
        var wanted = await visit
            .Page.Locator("a, button, summary")
            .EvaluateAllAsync<string[]>("all => all.map(one => one.outerHTML)");

        var reached = new List<string>();
        foreach (var _ in wanted)
        {
            await visit.Page.Keyboard.PressAsync("Tab");
            reached.Add(await visit.Page.EvaluateAsync<string>("() => document.activeElement.outerHTML"));
            Assert.Equal("solid 3px", await visit.Page.EvaluateAsync<string>(Outline));
        }

        Assert.Equal(wanted, reached);
        Assert.True(wanted.Length >= 5 + 6 + 1 + 6);
    }

    [Fact]
    public async Task Without_scripts_everything_is_there_but_the_copy_buttons()
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        await using var visit = await browser.OpenAsync(server, "/", scripts: false);

        await Expect(visit.Page.GetByText(server.BaseUrl + "/mcp", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText("find_notes")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task What_an_operator_wrote_is_shown_as_text()
    {
        const string name = "<script>alert(1)</script>\" onload='x' {0}";
        await using var server = TestServer.Start(NotesTools.Alone, ("Server:Name", name));
        foreach (var path in (string[])["/", "/scalar"])
        {
            await using var visit = await browser.OpenAsync(server, path);
            visit.Page.Dialog += (_, _) => Assert.Fail("A script of the name ran.");

            await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(name);
            Assert.Empty(visit.Problems);
        }
    }

    private static void FamilyOff(IServiceCollection services)
    {
        NotesTools.Alone(services);
        services.AddSingleton(new MinimalMcp.Tools.UnconfiguredFamily("weather", "Weather"));
    }
}
