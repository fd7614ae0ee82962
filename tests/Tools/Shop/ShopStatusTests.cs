namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>
/// The shop in system_status. Files of this name are left out of a project that leaves out the family Status.
/// </summary>
public sealed class ShopStatusTests
{
    [Fact]
    public async Task The_system_status_is_listed_and_says_whether_the_shop_answers()
    {
        var shop = await FakeShop.StartAsync();
        await using var server = TestServer.Start(("Shop:Url", shop.Url));

        var up = (await server.CallAsync("system_status")).GetProperty("systems")[0];
        await shop.DisposeAsync();
        var down = (await server.CallAsync("system_status")).GetProperty("systems")[0];

        Assert.Equal(
            ("shop", true, true),
            (
                up.GetProperty("name").GetString(),
                up.GetProperty("configured").GetBoolean(),
                up.GetProperty("reachable").GetBoolean()
            )
        );
        Assert.False(down.GetProperty("reachable").GetBoolean());
    }
}
