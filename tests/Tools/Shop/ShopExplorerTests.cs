using MinimalMcp.Tests.Pages;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>The product as it comes out of the box, in a browser.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class ShopExplorerTests(Browser browser)
{
    [Fact]
    public async Task The_explorer_searches_the_shop_and_the_answer_is_read_on_the_page()
    {
        await using var server = TestServer.Start();
        await using var visit = await browser.OpenAsync(server, "/scalar");

        var answer = await ExplorerTests.TryOutAsync(visit, "Search products"); // with the example, as it is offered

        await Expect(answer).ToContainTextAsync("Milk, whole, 1 gal");
        await visit.ScreenshotAsync("explorer-search-products", fullPage: false);
        Assert.Empty(visit.Problems);
    }
}
