using MinimalMcp.Tests.Storage;
using Npgsql;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>Carts, orders and payment methods outlive the server, and are the same on every replica.</summary>
[Slow]
public sealed class ShopKeptTests(PostgresServer postgres)
{
    [Fact]
    public async Task After_a_restart_the_cart_the_payment_method_and_the_order_are_there()
    {
        var path = TestStores.New();
        await using (var server = TestServer.Start(TestCaller.AddTo, ("Storage:Path", path)))
        {
            await server.CallAsync("add_payment_method", new { type = "paypal" }, "ann");
            await server.CallAsync("add_to_cart", new { productCode = "milk", quantity = 3 }, "ann");
            await server.CallAsync("add_to_cart", new { productCode = "bagels" }, "ben");
        }

        string order;
        await using (var server = TestServer.Start(TestCaller.AddTo, ("Storage:Path", path)))
        {
            Assert.Equal(3, await ItemsAsync(server, "ann"));
            var placed = (await server.CallAsync("checkout", caller: "ann")).GetProperty("order");
            Assert.Contains("PayPal", placed.GetProperty("payment").GetString());
            order = placed.GetProperty("orderId").GetString()!;
        }

        await using var last = TestServer.Start(TestCaller.AddTo, ("Storage:Path", path));
        Assert.Equal((0, 1), (await ItemsAsync(last, "ann"), await ItemsAsync(last, "ben")));
        Assert.Contains(
            $"The last order, {order} with 3 items for 12.57 USD, was placed at",
            await last.FailAsync(422, "checkout", caller: "ann")
        );
        Assert.DoesNotContain("order_", await last.FailAsync(422, "checkout", caller: "eve"));
    }

    [Fact]
    public async Task Two_replicas_share_a_cart_lose_nothing_and_order_it_once()
    {
        var database = await postgres.NewDatabaseAsync();
        await using var one = TestServer.Start(TestCaller.AddTo, ("Storage:ConnectionString", database));
        await using var two = TestServer.Start(TestCaller.AddTo, ("Storage:ConnectionString", database));
        TestServer Either(int n) => n % 2 == 0 ? one : two;

        await Task.WhenAll(
            Enumerable.Range(0, 40).Select(n => Either(n).CallAsync("add_to_cart", new { productCode = "milk" }, "ann"))
        );
        Assert.Equal((40, 40), (await ItemsAsync(one, "ann"), await ItemsAsync(two, "ann")));

        var statuses = await Task.WhenAll(
            Enumerable
                .Range(0, 6)
                .Select(async n =>
                {
                    using var response = await Either(n)
                        .PostAsync("/tools/checkout", "{}", headers: (TestCaller.Header, "ann"));
                    return (int)response.StatusCode;
                })
        );
        Assert.Equal([200, 422, 422, 422, 422, 422], statuses.Order());
        Assert.Equal((0, 0), (await ItemsAsync(one, "ann"), await ItemsAsync(two, "ann")));
    }

    [Fact]
    public async Task While_the_store_is_cut_off_the_catalogue_is_searched_and_the_cart_is_said_to_be_out_of_reach()
    {
        var connection = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync(patient: false));
        await using var relay = new Relay(connection.Port);
        connection.Port = relay.Port;
        await using var server = TestServer.Start(
            TestCaller.AddTo,
            ("Storage:ConnectionString", connection.ConnectionString)
        );
        await server.CallAsync("add_to_cart", new { productCode = "milk" }, "ann");

        relay.Break();
        await server.CallAsync("search_products", new { query = "milk" }, "ann");
        Assert.Equal(
            "view_cart cannot reach the server's store now. Try again in a minute.",
            await server.FailAsync(503, "view_cart", caller: "ann")
        );

        relay.Mend();
        Assert.Equal(1, await ItemsAsync(server, "ann"));
    }

    private static async Task<int> ItemsAsync(TestServer server, string caller) =>
        (await server.CallAsync("view_cart", caller: caller)).GetProperty("cart").GetProperty("totalItems").GetInt32();
}
