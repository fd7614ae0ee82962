using System.Text.Json;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>The embedded shop, as a customer meets it.</summary>
public sealed class ShopTests
{
    [Fact]
    public async Task A_trip_from_cart_to_order_leaves_an_empty_cart()
    {
        await using var server = TestServer.Start();

        await server.CallAsync("add_to_cart", new { productCode = "milk-001", quantity = 2 }); // the guide's example
        await server.CallAsync("add_to_cart", new { productCode = "tomatoes" });
        var cart = (await server.CallAsync("add_to_cart", new { productCode = "milk" })).GetProperty("cart");

        // 3 × 4.19, and the deal's 2.40.
        Assert.Equal((4, 14.97m), (cart.GetProperty("totalItems").GetInt32(), cart.GetProperty("total").GetDecimal()));
        Assert.True(JsonElement.DeepEquals(cart, (await server.CallAsync("view_cart")).GetProperty("cart")));
        var order = (await server.CallAsync("checkout", new { cartSummary = "4 items" })).GetProperty("order");
        Assert.Matches("^order_[0-9a-f]{24}$", order.GetProperty("orderId").GetString());
        Assert.Equal("4 items", order.GetProperty("note").GetString());
        Assert.True(JsonElement.DeepEquals(cart, order.GetProperty("cart")));
        Assert.Equal(0, (await server.CallAsync("view_cart")).GetProperty("cart").GetProperty("totalItems").GetInt32());
        Assert.Contains("add_to_cart", await server.FailAsync(422, "checkout"));
    }

    [Theory]
    [InlineData("Governance:Approve", "approval_required")]
    [InlineData("Governance:Confirm", "confirmation_required")]
    public async Task Whoever_agrees_to_an_order_sees_what_it_is_and_an_empty_cart_is_not_asked_about(
        string setting,
        string status
    )
    {
        await using var server = TestServer.Start((setting, "checkout"));
        Assert.Contains("The cart is empty.", await server.FailAsync(422, "checkout"));
        Assert.Equal(0, (await server.GetJsonAsync("/api/v1/approvals")).GetProperty("count").GetInt32());
        await server.CallAsync("add_to_cart", new { productCode = "milk", quantity = 2 });

        var dry = await server.CallAsync("checkout", new { dry_run = true });
        var asked = await server.CallAsync("checkout", new { cartSummary = "milk" }, status: 202);

        Assert.Equal(8.38m, dry.GetProperty("wouldOrder").GetProperty("total").GetDecimal());
        Assert.False(dry.TryGetProperty("order", out _));
        Assert.Equal(status, asked.GetProperty("status").GetString());
        Assert.True(JsonElement.DeepEquals(dry, asked.GetProperty("preview")), asked.GetRawText());
        Assert.Contains("\"total\":8.38", asked.GetProperty("message").GetString());
        Assert.Equal("""{"cartSummary":"milk"}""", asked.GetProperty("arguments").GetRawText());
        if (status == "approval_required")
        {
            var waiting = (await server.GetJsonAsync("/api/v1/approvals")).GetProperty("approvals")[0];
            Assert.Contains("\"total\": 8.38", waiting.GetProperty("preview").GetString());
        }
        else
        {
            var token = asked.GetProperty("confirmation_token").GetString();
            Assert.True(
                (
                    await server.CallAsync("checkout", new { cartSummary = "milk", confirmation_token = token })
                ).TryGetProperty("order", out _)
            );
        }
    }

    [Fact]
    public async Task Each_caller_has_a_cart_of_his_own()
    {
        await using var server = TestServer.Start(TestCaller.AddTo);

        await server.CallAsync("add_to_cart", new { productCode = "milk", quantity = 3 }, "ann");
        await server.CallAsync("add_to_cart", new { productCode = "bagels" }, "ben");

        Assert.Equal((3, 1, 0), (await ItemsAsync("ann"), await ItemsAsync("ben"), await ItemsAsync(null)));

        async Task<int> ItemsAsync(string? caller) =>
            (await server.CallAsync("view_cart", caller: caller))
                .GetProperty("cart")
                .GetProperty("totalItems")
                .GetInt32();
    }

    [Fact]
    public async Task Many_at_once_add_up_and_are_ordered_once()
    {
        await using var server = TestServer.Start();

        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => server.CallAsync("add_to_cart", new { productCode = "milk" }))
        );
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 5)
                .Select(async _ =>
                {
                    using var response = await server.PostAsync("/tools/checkout", "{}");
                    return (
                        (int)response.StatusCode,
                        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
                    );
                })
        );

        Assert.Equal([200, 422, 422, 422, 422], answers.Select(answer => answer.Item1).Order());
        var order = JsonElement.Parse(answers.Single(answer => answer.Item1 == 200).Item2).GetProperty("order");
        Assert.Equal(20, order.GetProperty("cart").GetProperty("totalItems").GetInt32());
    }

    [Theory]
    [InlineData("raspberries", 1, "out of stock. In stock instead: apple")]
    [InlineData("choclate", 1, "There is no product \"choclate\"")]
    [InlineData("pastry", 1, "Near it: pasta, pasta-sauce")]
    public async Task What_cannot_be_added_is_refused_with_what_can(string code, int quantity, string part)
    {
        await using var server = TestServer.Start();

        Assert.Contains(part, await server.FailAsync(422, "add_to_cart", new { productCode = code, quantity }));
    }

    [Fact]
    public async Task A_cart_holds_at_most_99_of_one_product()
    {
        await using var server = TestServer.Start();
        await server.CallAsync("add_to_cart", new { productCode = "milk", quantity = 99 });

        Assert.Contains(
            "this one has 99",
            await server.FailAsync(422, "add_to_cart", new { productCode = "milk-001" })
        );
    }

    [Theory]
    [InlineData("credit_card", "•••• 4242")]
    [InlineData("debit_card", "•••• 5556")]
    [InlineData("bank_account", "•••• 6789")]
    [InlineData("paypal", "c••••@example.com")]
    public async Task A_payment_method_is_shown_masked_and_pays_the_next_order(string type, string shown)
    {
        await using var server = TestServer.Start();

        var method = (await server.CallAsync("add_payment_method", new { type })).GetProperty("paymentMethod");
        await server.CallAsync("add_payment_method", new { type = "paypal" });
        await server.CallAsync("add_to_cart", new { productCode = "milk" });
        var order = (await server.CallAsync("checkout")).GetProperty("order");

        Assert.Equal(
            (type, true),
            (method.GetProperty("type").GetString(), method.GetProperty("isDefault").GetBoolean())
        );
        Assert.EndsWith(shown, method.GetProperty("label").GetString());
        Assert.Equal(method.GetProperty("label").GetString(), order.GetProperty("payment").GetString());
    }

    [Fact]
    public async Task Deals_are_cheaper_than_the_price_and_can_be_narrowed()
    {
        await using var server = TestServer.Start();

        var all = (await server.CallAsync("get_deals")).GetProperty("deals").EnumerateArray().ToArray();
        var produce = (await server.CallAsync("get_deals", new { category = "produce" }))
            .GetProperty("deals")
            .EnumerateArray()
            .ToArray();

        Assert.All(all, deal =>
            Assert.True(
                deal.GetProperty("deal").GetProperty("price").GetDecimal() < deal.GetProperty("price").GetDecimal()
            )
        );
        Assert.Equal(["strawberries", "tomatoes"], produce.Select(deal => deal.GetProperty("productCode").GetString()));
        Assert.True(all.Length > produce.Length);
    }

    [Theory]
    [InlineData("ann mcp:read", "add_to_cart", 403)]
    [InlineData("ann mcp:write", "view_cart", 200)]
    [InlineData("ann mcp:read", "view_cart", 200)]
    [InlineData("ann mcp:write", "add_to_cart", 200)]
    public async Task A_call_needs_the_scope_of_its_effect(string caller, string tool, int status)
    {
        await using var server = TestServer.Start(TestCaller.AddTo);

        await server.CallAsync(tool, tool == "add_to_cart" ? new { productCode = "milk" } : new { }, caller, status);
    }
}
