using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>The shop when its own server is configured: what is sent there, and what becomes of its answers.</summary>
public sealed class UpstreamShopTests
{
    [Theory]
    [InlineData(
        "search_products",
        """{"query":"milk","category":"dairy","limit":3}""",
        "catalog",
        """{"action":"search","query":"milk","category":"dairy","limit":3}"""
    )]
    [InlineData(
        "search_products",
        """{"query":"milk"}""",
        "catalog",
        """{"action":"search","query":"milk","limit":10}"""
    )]
    [InlineData(
        "add_to_cart",
        """{"productCode":"milk-001"}""",
        "cart",
        """{"action":"add","productCode":"milk-001","quantity":1}"""
    )]
    [InlineData("view_cart", "{}", "cart", """{"action":"view"}""")]
    [InlineData("checkout", """{"cartSummary":"all"}""", "cart", """{"action":"checkout","cartSummary":"all"}""")]
    [InlineData("checkout", "{}", "cart", """{"action":"checkout"}""")]
    [InlineData(
        "add_payment_method",
        """{"type":"credit_card"}""",
        "payment",
        """{"action":"add","type":"credit_card"}"""
    )]
    [InlineData("get_deals", """{"category":"dairy"}""", "deals", """{"action":"get","category":"dairy"}""")]
    public async Task Each_tool_posts_its_question_to_its_agent(
        string tool,
        string arguments,
        string agent,
        string body
    )
    {
        await using var shop = await FakeShop.StartAsync();
        await using var server = TestServer.Start(("Shop:Url", shop.Url));

        var answer = await server.CallAsync(tool, JsonElement.Parse(arguments));

        Assert.Equal("""{"answer":"Milk is 4.19."}""", answer.GetRawText());
        var asked = Assert.Single(shop.Asked);
        Assert.Equal("POST /api/mcp/agents/" + agent, asked.Line);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(body), JsonNode.Parse(asked.Body)), asked.Body);
    }

    [Fact]
    public async Task What_a_caller_wrote_is_sent_as_it_is()
    {
        await using var shop = await FakeShop.StartAsync();
        await using var server = TestServer.Start(("Shop:Url", shop.Url));

        await server.CallAsync("checkout", new { cartSummary = "Käse + 'Tee' & <Milch>" });

        Assert.Contains("Käse + 'Tee' & <Milch>", Assert.Single(shop.Asked).Body);
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"human","content":"?"},{"role":"ai","content":"plain"}]}""", "plain")]
    [InlineData(
        """{"messages":[{"kwargs":{"content":[{"type":"text","text":"in "},{"type":"text","text":"parts"}]}}]}""",
        "in parts"
    )]
    [InlineData("""{"content":"beside"}""", "beside")]
    [InlineData("""{"cart":[]}""", """{"cart":[]}""")]
    public async Task The_words_are_found_in_every_shape_of_answer(string reply, string words)
    {
        await using var shop = await FakeShop.StartAsync();
        shop.Answer = reply;
        await using var server = TestServer.Start(("Shop:Url", shop.Url));

        Assert.Equal(words, (await server.CallAsync("view_cart")).GetProperty("answer").GetString());
    }

    [Theory]
    [InlineData(
        200,
        """{"messages":[{"content":"I'm sorry, I'm having trouble connecting to the cart service right now."}]}""",
        "gave no answer"
    )]
    [InlineData(200, """{"messages":[]}""", "gave no answer")]
    [InlineData(200, """{"success":false,"message":"closed on Sundays"}""", "closed on Sundays")]
    [InlineData(200, """{"error":{"message":"no stock"}}""", "no stock")]
    [InlineData(200, "<html>welcome</html>", "not JSON")]
    [InlineData(302, "", "Redirects are not followed")]
    [InlineData(401, """{"error":"Unauthorized","message":"bad key"}""", "Check Shop:ApiKey")]
    [InlineData(500, """{"error":"kaput"}""", "The shop answered 500: kaput.")]
    public async Task A_failure_of_the_shop_is_502_with_its_reason_and_nothing_is_sent_twice(
        int status,
        string reply,
        string part
    )
    {
        await using var shop = await FakeShop.StartAsync();
        (shop.Status, shop.Answer) = (status, reply);
        await using var server = TestServer.Start(("Shop:Url", shop.Url));

        Assert.Contains(part, await server.FailAsync(502, "checkout"));
        Assert.Single(shop.Asked, asked => asked.Line.StartsWith("POST", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_shop_that_is_not_there_is_502_and_says_which_setting_to_check()
    {
        var shop = await FakeShop.StartAsync();
        await using var server = TestServer.Start(("Shop:Url", shop.Url));
        await shop.DisposeAsync();

        Assert.Contains("Check Shop:Url", await server.FailAsync(502, "view_cart"));
    }

    [Fact]
    public async Task Nothing_of_the_callers_credentials_goes_there()
    {
        await using var shop = await FakeShop.StartAsync();
        await using var server = TestServer.Start(("Shop:Url", shop.Url), ("Shop:ApiKey", "ours"));

        using var response = await server.PostAsync(
            "/tools/view_cart",
            "{}",
            headers:
            [
                ("Authorization", "Bearer secret"),
                ("X-User-Token", "secret"),
                ("Cookie", "secret"),
                ("X-MCP-API-Key", "secret"),
            ]
        );

        Assert.Equal(200, (int)response.StatusCode);
        var headers = Assert.Single(shop.Asked).Headers;
        Assert.Equal("ours", headers["X-MCP-API-Key"]);
        Assert.DoesNotContain("secret", string.Join('\n', headers.Values));
    }

    [Fact]
    public async Task They_go_there_when_the_operator_said_so()
    {
        await using var shop = await FakeShop.StartAsync();
        await using var server = TestServer.Start(("Shop:Url", shop.Url), ("Shop:ForwardAuthorization", "true"));

        using var response = await server.PostAsync(
            "/tools/view_cart",
            "{}",
            headers: [("Authorization", "Bearer ann"), ("X-User-Token", "Bearer user"), ("Cookie", "secret")]
        );

        Assert.Equal(200, (int)response.StatusCode);
        var headers = Assert.Single(shop.Asked).Headers;
        Assert.Equal(("Bearer ann", "Bearer user"), (headers["Authorization"], headers["X-User-Token"]));
        Assert.False(headers.ContainsKey("Cookie"));
    }

    [Fact]
    public async Task A_secret_that_the_shop_echoes_does_not_come_back()
    {
        await using var shop = await FakeShop.StartAsync();
        (shop.Status, shop.Answer) = (401, """{"error":"key ours-and-secret is not known"}""");
        await using var server = TestServer.Start(("Shop:Url", shop.Url), ("Shop:ApiKey", "ours-and-secret"));

        var detail = await server.FailAsync(502, "view_cart");

        Assert.Contains("is not known", detail);
        Assert.DoesNotContain("ours-and-secret", detail);
    }
}
