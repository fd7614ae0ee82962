using System.Text.Json;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>What the embedded shop finds.</summary>
public sealed class ShopSearchTests
{
    [Theory]
    [InlineData("""{"query":"milk"}""", "milk oat-milk")]
    [InlineData("""{"query":"MILK"}""", "milk oat-milk")]
    [InlineData("""{"query":"  oat   milk "}""", "oat-milk")]
    [InlineData("""{"query":"milk","limit":5}""", "milk oat-milk")]
    [InlineData("""{"query":"milk","category":"Dairy","limit":10}""", "milk oat-milk")]
    [InlineData("""{"query":"milk","category":"bakery"}""", "")]
    [InlineData("""{"query":"bakery"}""", "sourdough wheat-bread bagels croissants muffins")]
    [InlineData("""{"query":"apples"}""", "apple")]
    [InlineData("""{"query":"butter"}""", "butter croissants peanut-butter")]
    [InlineData("""{"query":"butter","category":"DAIRY"}""", "butter")]
    [InlineData("""{"query":"anchovies"}""", "")]
    public async Task Search_finds_by_every_word_in_name_category_or_code(string arguments, string codes)
    {
        await using var server = TestServer.Start();

        var found = await server.CallAsync("search_products", JsonElement.Parse(arguments));

        Assert.Equal(
            codes,
            string.Join(
                ' ',
                found
                    .GetProperty("products")
                    .EnumerateArray()
                    .Select(product => product.GetProperty("productCode").GetString())
            )
        );
        Assert.Equal(found.GetProperty("products").GetArrayLength(), found.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Search_lists_at_most_the_limit_and_says_how_many_there_are()
    {
        await using var server = TestServer.Start();

        var ten = await server.CallAsync("search_products", new { query = "e" });
        var two = await server.CallAsync("search_products", new { query = "e", limit = 2 });

        Assert.Equal(
            (10, 2),
            (ten.GetProperty("products").GetArrayLength(), two.GetProperty("products").GetArrayLength())
        );
        Assert.True(two.GetProperty("total").GetInt32() > 10);
        Assert.Contains(
            "Produce, Dairy, Bakery, Pantry, Beverages",
            await server.FailAsync(422, "search_products", new { query = "e", category = "shoes" })
        );
    }

    [Fact]
    public async Task The_original_five_products_have_their_ids_and_prices()
    {
        await using var server = TestServer.Start();

        foreach (
            var (code, price) in new[]
            {
                ("apple", 3.99m),
                ("banana", 1.29m),
                ("carrots", 2.49m),
                ("milk", 4.19m),
                ("cheese", 5.99m),
            }
        )
        {
            var product = (await server.CallAsync("search_products", new { query = code })).GetProperty("products")[0];
            Assert.Equal(
                (code, price, "USD", true),
                (
                    product.GetProperty("productCode").GetString(),
                    product.GetProperty("price").GetDecimal(),
                    product.GetProperty("currency").GetString(),
                    product.GetProperty("inStock").GetBoolean()
                )
            );
        }
    }
}
