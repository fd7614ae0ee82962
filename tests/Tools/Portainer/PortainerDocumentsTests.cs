using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>Stacks in search and fetch. Files of this name are left out of a project that leaves out the family Documents.</summary>
public sealed class PortainerDocumentsTests
{
    [Theory]
    [InlineData("https://containers.example/portainer/", "https://containers.example/portainer")]
    [InlineData("", null)]
    public async Task A_stack_is_found_by_its_name_and_fetched_with_its_file_without_secrets(string publicUrl, string? address)
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer, ("Portainer:PublicUrl", publicUrl));

        var found = (await server.CallAsync("search", new { query = "SHOP" })).GetProperty("results").EnumerateArray().Single(result => result.GetProperty("id").GetString()!.StartsWith("portainer:", StringComparison.Ordinal));
        var stack = await server.CallAsync("fetch", new { id = found.GetProperty("id").GetString() });

        Assert.Equal(("portainer:stack/12", "shop"), (found.GetProperty("id").GetString(), found.GetProperty("title").GetString()));
        Assert.Equal($"{address ?? portainer.Url}/#!/3/docker/stacks/shop?id=12&type=2&regular=true", found.GetProperty("url").GetString());
        Assert.Equal(found.GetProperty("url").GetString(), stack.GetProperty("url").GetString());
        Assert.Contains("image: acme/web:1", stack.GetProperty("text").GetString());
        Assert.Contains("DB_PASSWORD=[REDACTED]", stack.GetProperty("text").GetString());
        Assert.DoesNotContain("hunter2", stack.GetRawText());
        Assert.Equal(("active", "3"), (stack.GetProperty("metadata").GetProperty("status").GetString(), stack.GetProperty("metadata").GetProperty("endpoint_id").GetString()));
        Assert.Empty(portainer.Violations);
    }

    [Fact]
    public async Task At_most_ten_stacks_are_found()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET api/stacks"] = new(200, $"[{string.Join(',', Enumerable.Range(1, 500).Select(id => $$"""{"Id":{{id}},"Name":"many{{id}}","Type":2,"EndpointId":3,"Status":1}"""))}]");
        await using var server = Start(portainer);

        var found = (await server.CallAsync("search", new { query = "many" })).GetProperty("results").EnumerateArray();

        Assert.Equal(10, found.Count(result => result.GetProperty("id").GetString()!.StartsWith("portainer:", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("portainer:stack/../endpoints")]
    [InlineData("portainer:stack/0")]
    [InlineData("portainer:stack/-1")]
    [InlineData("portainer:12")]
    [InlineData("portainer:")]
    public async Task An_id_that_is_none_asks_nothing(string id)
    {
        await using var portainer = await FakeEngine.StartAsync();
        await using var server = Start(portainer);

        Assert.Contains("There is no document", await server.FailAsync(422, "fetch", new { id }));
        Assert.Empty(portainer.Asked);
    }

    private static TestServer Start(FakeEngine portainer, params (string, string)[] settings) => TestServer.Start([("Portainer:Url", portainer.Url), ("Portainer:Token", FakeEngine.Key), .. settings]);
}
