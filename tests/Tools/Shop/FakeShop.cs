namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>The shop's own server, which answers in the words of its agents.</summary>
internal static class FakeShop
{
    public static async Task<Upstream> StartAsync()
    {
        var shop = await Upstream.StartAsync();
        shop.Answer = """{"messages":[{"kwargs":{"content":"hello"}},{"kwargs":{"content":"Milk is 4.19."}}]}""";
        return shop;
    }
}
