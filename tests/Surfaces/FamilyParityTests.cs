using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The families of the product, whichever they are: what a tool answers does not depend on the way to it.</summary>
public sealed class FamilyParityTests
{
    [Fact]
    public async Task Every_call_gives_the_same_everywhere()
    {
        await using var systems = await FamilySystems.StartAsync();
        await using var servers = new Servers(systems.Settings);
        foreach (var family in FamilyCalls.OfTheProduct)
        {
            await family.CompareAsync(servers.Ways);
        }
    }

    [Fact]
    public async Task Every_call_over_stdio_gives_what_REST_gives()
    {
        await using var systems = await FamilySystems.StartAsync();
        await using var server = TestServer.Start(systems.Settings);
        using var stdio = StdioClient.Start(systems.Environment);
        await stdio.AskAsync("initialize", JsonSerializer.SerializeToNode(Way.Hello("2025-11-25"))!.AsObject());
        foreach (var family in FamilyCalls.OfTheProduct)
        {
            await family.CompareAsync(Way.Rest(server), Way.Stdio(stdio));
        }

        Assert.Equal(0, await stdio.EndAsync());
    }

    [Fact]
    public async Task Every_tool_is_compared()
    {
        await using var systems = await FamilySystems.StartAsync();
        await using var server = TestServer.Start(systems.Settings);

        var tools = (await server.GetJsonAsync("/tools")).GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()!);

        // A new tool needs a good call in a class that is a FamilyCalls, in the tests of its family: see tests/Tools/Shop/ShopParity.cs.
        var compared = FamilyCalls.OfTheProduct.SelectMany(family => family.Calls).Where(call => call.Failure is null).Select(call => call.Tool);
        Assert.Equal(tools.Order(), compared.Distinct().Order());
    }

    private sealed class Servers(params (string Key, string Value)[] settings) : SurfaceServers(TestCaller.AddTo, settings);
}
