using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tests.Tools.Documents.Films;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>
/// The products in search and fetch. Files of this name are left out of a project that leaves out the family Documents.
/// </summary>
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
        Assert.StartsWith("# Milk, whole, 1 gal\n\n- productCode: milk\n", milk.GetProperty("text").GetString());
        Assert.Contains("- price: 4.19\n", milk.GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_code_that_works_in_the_cart_works_in_search_and_fetch_too()
    {
        await using var server = TestServer.Start(("Documents:Enabled", "true"));

        var found = await server.CallAsync("search_products", new { query = "milk-001" });
        var milk = await server.CallAsync("fetch", new { id = "shop:milk-001" });

        Assert.Equal("milk", found.GetProperty("products")[0].GetProperty("productCode").GetString());
        Assert.Equal("Milk, whole, 1 gal", milk.GetProperty("title").GetString());
    }

    [Fact]
    public async Task Over_stdio_the_link_is_a_resource_that_can_be_read()
    {
        using var stdio = StdioClient.Start(new Dictionary<string, string> { ["Documents__Enabled"] = "true" });
        await stdio.AskAsync("initialize", JsonSerializer.SerializeToNode(Way.Hello("2025-11-25"))!.AsObject());

        var call = new JsonObject
        {
            ["name"] = "fetch",
            ["arguments"] = new JsonObject { ["id"] = "shop:milk" },
        };
        var milk = await stdio.AskAsync("tools/call", call);
        var url = (string)milk["result"]!["structuredContent"]!["url"]!;
        var read = await stdio.AskAsync("resources/read", new JsonObject { ["uri"] = url });

        Assert.Equal("shop://catalog", url);
        Assert.Contains("Milk, whole", read["result"]!["contents"]![0]!["text"]!.ToString());
    }

    [Fact]
    public async Task The_sample_shop_neither_appears_beside_a_configured_system_nor_hides_that_it_failed()
    {
        await using var server = TestServer.Start(DocumentsOf<FilmsTools>, ("Documents:Enabled", "true"));

        Assert.DoesNotContain("shop:", (await server.CallAsync("search", new { query = "milk" })).GetRawText());
        Assert.Contains("Films are cut", await server.FailAsync(502, "search", new { query = "down" }));
    }

    private static void DocumentsOf<T>(IServiceCollection services) => services.AddSingleton(new ToolType(typeof(T)));

    [Fact]
    public async Task The_shops_own_server_is_asked_for_its_catalogue()
    {
        await using var shop = await Upstream.StartAsync();
        shop.Answer = """
            {"success":true,"products":[
              {"id":"apple","price":3.99,"category":"Produce"},
              {"id":"milk","price":4.19,"category":"Dairy"}]}
            """;
        await using var server = TestServer.Start(("Documents:Enabled", "true"), ("Shop:Url", shop.Url));

        var found = await server.CallAsync("search", new { query = "dairy" });

        Assert.Equal(
            $$"""{"results":[{"id":"shop:milk","title":"milk","url":"{{shop.Url}}/?product=milk"}]}""",
            found.GetRawText()
        );
        Assert.All(shop.Asked, asked => Assert.StartsWith("GET /api/catalog", asked.Line));
    }
}
