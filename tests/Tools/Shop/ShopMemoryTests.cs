using MinimalMcp.Tests.Outgoing;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools.Shop;

/// <summary>
/// The real program with a shop that sends without end: the limits of outgoing calls hold in a family as it is shipped.
/// </summary>
[Slow]
public sealed class ShopMemoryTests
{
    [Fact]
    public async Task An_endless_answer_is_not_kept_in_memory()
    {
        await using var shop = RawServer.Start(RawServer.Ok("""{"content":"An empty cart."}"""));
        await using var server = ServerProcess.Start(["--stdio", "--Shop:Url=" + shop.Url]);
        Assert.Contains("An empty cart.", await ViewCartAsync());
        var before = server.PeakMemory;

        foreach (var fault in (string[])["endless body", "bomb", "announced body"])
        {
            shop.Answer = Faults.Of[fault];
            Assert.Contains("larger than 4194304 bytes", await ViewCartAsync());
        }

        Assert.True(
            server.PeakMemory - before < 48 << 20,
            $"It took {(server.PeakMemory - before) >> 20} MiB of memory"
        );

        async Task<string> ViewCartAsync()
        {
            await server.SendAsync(
                """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"view_cart","arguments":{}}}""" + "\n"
            );
            return (await server.ReceiveAsync()).ToString();
        }
    }
}
