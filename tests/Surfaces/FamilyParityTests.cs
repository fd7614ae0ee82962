using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>The families of the product, whichever they are: what a tool answers does not depend on the way to it.</summary>
public sealed class FamilyParityTests(FamilyParityTests.Servers servers) : IClassFixture<FamilyParityTests.Servers>
{
    [Fact]
    public async Task Every_call_gives_the_same_everywhere()
    {
        foreach (var family in FamilyCalls.OfTheProduct)
        {
            await using var system = await family.StartAsync();
            if (system is null)
            {
                await family.CompareAsync(null, servers.Ways);
                continue;
            }

            await using var own = new Servers(system);
            await family.CompareAsync(system, own.Ways);
        }
    }

    [Fact]
    public async Task Every_call_over_stdio_gives_what_REST_gives()
    {
        foreach (var family in FamilyCalls.OfTheProduct)
        {
            await using var system = await family.StartAsync();
            if (system?.Services is not null)
            {
                continue; // not in the process of the program
            }

            await using var server = TestServer.Start(system?.Settings ?? []);
            using var stdio = StdioClient.Start(system?.Settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value));
            await stdio.AskAsync("initialize", JsonSerializer.SerializeToNode(Way.Hello("2025-11-25"))!.AsObject());
            await family.CompareAsync(system, Way.Rest(server), Way.Stdio(stdio));
            Assert.Equal(0, await stdio.EndAsync());
        }
    }

    [Fact]
    public async Task Every_tool_is_compared()
    {
        // A new tool needs a good call in a class that is a FamilyCalls, in the tests of its family: see tests/Tools/Shop/ShopParity.cs.
        var compared = FamilyCalls.OfTheProduct.SelectMany(family => family.Calls).Where(call => call.Failure is null).Select(call => call.Tool).ToHashSet();

        var seen = new HashSet<string>();
        await FamilyCalls.OnEachServerAsync(async (server, family) => seen.UnionWith(
            (await server.GetJsonAsync($"/tools{(family is null ? "" : $"?family={family.Family}")}")).GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()!)));

        Assert.Equal(seen.Order(), compared.Order());
    }

    public sealed class Servers : SurfaceServers
    {
        public Servers() : base(TestCaller.AddTo)
        {
        }

        internal Servers(FamilySystem system) : base(services =>
        {
            TestCaller.AddTo(services);
            system.Services?.Invoke(services);
        }, system.Settings)
        {
        }
    }
}
