namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>The products in search and fetch. Files of this name are left out of a project that leaves out the family Documents.</summary>
public sealed class ShopDocumentsTests
{
    [Fact]
    public async Task A_product_is_found_and_fetched_with_a_link()
    {
        await using var server = TestServer.Start(
            ("Documents:Enabled", "true"),
            ("Server:PublicUrl", "https://tools.example")
        );

        var found = (await server.CallAsync("search", new { query = "milk" }))
            .GetProperty("results")
            .EnumerateArray()
            .Select(result => result.GetProperty("id").GetString())
            .ToArray();
        var milk = await server.CallAsync("fetch", new { id = "shop:milk" });

        Assert.Contains("shop:milk", found);
        Assert.Equal("https://tools.example/?product=milk", milk.GetProperty("url").GetString());
        Assert.Contains("4.19", milk.GetProperty("text").GetString());
    }

    [Fact]
    public async Task The_shops_own_server_is_asked_for_its_catalogue()
    {
        await using var shop = await Upstream.StartAsync();
        shop.Answer =
            """{"success":true,"products":[{"id":"apple","price":3.99,"category":"Produce"},{"id":"milk","price":4.19,"category":"Dairy"}]}""";
        await using var server = TestServer.Start(("Documents:Enabled", "true"), ("Shop:Url", shop.Url));

        var found = await server.CallAsync("search", new { query = "dairy" });

        Assert.Equal(
            $$"""{"results":[{"id":"shop:milk","title":"milk","url":"{{shop.Url}}/?product=milk"}]}""",
            found.GetRawText()
        );
        Assert.All(shop.Asked, asked => Assert.StartsWith("GET /api/catalog", asked.Line));
    }
}
