using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// The families of the product, whichever they are: what a tool answers does not depend on the way to it.
/// </summary>
[Slow]
public sealed class FamilyParityTests(FamilyParityTests.Servers servers) : IClassFixture<FamilyParityTests.Servers>
{
    [Fact]
    public async Task Every_call_gives_the_same_everywhere()
    {
        foreach (var family in servers.Families.All)
        {
            await family.CompareAsync(servers.Ways);
        }

        foreach (var family in servers.Families.Apart)
        {
            await using var own = new On([("Server:PublicUrl", "https://tools.example/")], family.Services);
            await family.CompareAsync(own.Ways);
        }
    }

    [Fact]
    public async Task Every_call_over_stdio_gives_what_REST_gives()
    {
        await using var server = TestServer.Start(servers.Families.Settings);
        using var stdio = StdioClient.Start(servers.Families.Environment);
        await stdio.AskAsync("initialize", JsonSerializer.SerializeToNode(Way.Hello("2025-11-25"))!.AsObject());
        foreach (var family in servers.Families.All)
        {
            await family.CompareAsync(Way.Rest(server), Way.Stdio(stdio));
        }

        Assert.Equal(0, await stdio.EndAsync());
    }

    [Fact]
    public async Task Every_tool_is_compared()
    {
        await using var server = TestServer.Start(servers.Families.Settings);

        var tools = (await server.GetJsonAsync("/tools"))
            .GetProperty("tools")
            .EnumerateArray()
            .Select(tool => tool.GetProperty("name").GetString()!);

        // A new tool needs a good call in a class that is a FamilyCalls, in the tests of its family: see
        // tests/Tools/Shop/ShopParity.cs.
        Assert.Equal(tools.Except(Compared(servers.Families.Apart)).Order(), Compared(servers.Families.All).Order());
    }

    private static IEnumerable<string> Compared(IEnumerable<FamilyCalls> families) =>
        families
            .SelectMany(family => family.Calls)
            .Where(call => call.Failure is null)
            .Select(call => call.Tool)
            .Distinct();

    public sealed class Servers : IAsyncLifetime
    {
        private On? _on;

        internal ProductFamilies Families { get; private set; } = null!;

        internal IReadOnlyList<Way> Ways => _on!.Ways;

        public async ValueTask InitializeAsync()
        {
            Families = await ProductFamilies.StartAsync();
            _on = new(Families.Settings);
        }

        public async ValueTask DisposeAsync()
        {
            await _on!.DisposeAsync();
            await Families.DisposeAsync();
        }
    }

    private sealed class On((string, string)[] settings, Action<IServiceCollection>? services = null)
        : SurfaceServers(TestCaller.AddTo + services, settings);
}
