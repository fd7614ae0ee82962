using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>The shop's resource and prompt, with the SDK's own client, in both eras of the protocol.</summary>
public sealed class ShopPromptTests
{
    [Theory]
    [InlineData("2026-07-28")]
    [InlineData("2025-11-25")]
    public async Task The_catalogue_is_a_resource(string version)
    {
        await using var server = TestServer.Start();
        await using var client = await ConnectAsync(server, version);

        var resource = Assert.Single(
            await client.ListResourcesAsync(cancellationToken: TestContext.Current.CancellationToken)
        );
        var read = await client.ReadResourceAsync(
            resource.Uri,
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal(("shop://catalog", "application/json"), (resource.Uri, resource.MimeType));
        var products = JsonElement
            .Parse(Assert.IsType<TextResourceContents>(Assert.Single(read.Contents)).Text)
            .GetProperty("products");
        Assert.Equal(
            5,
            products.EnumerateArray().Select(product => product.GetProperty("category").GetString()).Distinct().Count()
        );
        Assert.InRange(products.GetArrayLength(), 25, 40);
    }

    [Theory]
    [InlineData("2026-07-28")]
    [InlineData("2025-11-25")]
    public async Task The_prompt_names_the_occasion_and_tools_that_exist(string version)
    {
        await using var server = TestServer.Start();
        await using var client = await ConnectAsync(server, version);

        var prompt = Assert.Single(
            await client.ListPromptsAsync(cancellationToken: TestContext.Current.CancellationToken)
        );
        var text = await TextAsync(new() { ["occasion"] = "breakfast for four" });
        var narrowed = await TextAsync(new() { ["occasion"] = "tea", ["category"] = "bakery" });
        var tools = (await client.ListToolsAsync(cancellationToken: TestContext.Current.CancellationToken)).Select(
            tool => tool.Name
        );

        Assert.Contains("breakfast for four", text);
        Assert.Contains("category bakery", narrowed);
        Assert.Subset(tools.ToHashSet(), text.Split(' ', ',', '\n', '.').Where(word => word.Contains('_')).ToHashSet());

        async Task<string> TextAsync(Dictionary<string, object?> arguments) =>
            (
                (TextContentBlock)
                    (await prompt.GetAsync(arguments, cancellationToken: TestContext.Current.CancellationToken))
                        .Messages.Single()
                        .Content
            ).Text;
    }

    [Theory]
    [InlineData("2026-07-28", "b", "bakery beverages")]
    [InlineData("2025-11-25", "b", "bakery beverages")]
    [InlineData("2025-11-25", "x", "")]
    public async Task The_category_is_completed(string version, string typed, string expected)
    {
        await using var server = TestServer.Start();
        await using var client = await ConnectAsync(server, version);

        var completion = await client.CompleteAsync(
            new PromptReference { Name = "plan_shopping" },
            "category",
            typed,
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal(expected, string.Join(' ', completion.Completion.Values));
    }

    [Theory]
    [InlineData("2026-07-28")]
    [InlineData("2025-11-25")]
    public async Task A_tool_can_be_called_as_the_SDK_calls_it(string version)
    {
        await using var server = TestServer.Start();
        await using var client = await ConnectAsync(server, version);

        var result = await client.CallToolAsync(
            "search_products",
            new Dictionary<string, object?> { ["query"] = "bagels" },
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal(version, client.NegotiatedProtocolVersion);
        Assert.Equal(
            "bagels",
            result.StructuredContent!.Value.GetProperty("products")[0].GetProperty("productCode").GetString()
        );
    }

    [Fact]
    public async Task The_upstream_shops_catalogue_is_read_from_there()
    {
        await using var shop = await FakeShop.StartAsync();
        shop.Answer = """{"success":true,"products":[{"id":"apple"}]}""";
        await using var server = TestServer.Start(("Shop:Url", shop.Url));
        await using var client = await ConnectAsync(server, "2025-11-25");

        var read = await client.ReadResourceAsync(
            "shop://catalog",
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal(shop.Answer, ((TextResourceContents)read.Contents.Single()).Text);
        Assert.StartsWith("GET /api/catalog", Assert.Single(shop.Asked).Line);
    }

    private static Task<McpClient> ConnectAsync(TestServer server, string version) =>
        McpClient.CreateAsync(
            new HttpClientTransport(
                new() { Endpoint = new Uri(server.Url, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp }
            ),
            new() { ProtocolVersion = version },
            cancellationToken: TestContext.Current.CancellationToken
        );
}
