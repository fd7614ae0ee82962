using System.Text.Json;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// Hosts send arguments in another dress than the schema asks for: what is meant is clear, so it is read.
/// </summary>
public sealed class RestArgumentTests
{
    [Theory]
    [InlineData("""{"text":"x","count":"5"}""", """{"text":"x","count":5,"colour":"Red"}""")]
    [InlineData("""{"text":"x","count":3.0}""", """{"text":"x","count":3,"colour":"Red"}""")]
    [InlineData("""{"text":"x","count":2e0}""", """{"text":"x","count":2,"colour":"Red"}""")]
    [InlineData(
        """{"text":"x","point":"{\"x\":1,\"y\":2}"}""",
        """{"text":"x","count":1,"colour":"Red","point":{"x":1,"y":2}}"""
    )]
    [InlineData(
        """{"text":"x","tags":"[\"a\"]","flag":"true"}""",
        """{"text":"x","count":1,"flag":true,"colour":"Red","tags":["a"]}"""
    )]
    [InlineData("""{"text":"x","count":null,"flag":null,"point":null}""", """{"text":"x","count":1,"colour":"Red"}""")]
    [InlineData("""{"text":"12"}""", """{"text":"12","count":1,"colour":"Red"}""")]
    public async Task Arguments_in_another_dress_are_read(string arguments, string answer)
    {
        await using var server = TestServer.Start(FixtureTools.AddTo);

        using var response = await server.PostAsync("/tools/echo", arguments);

        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(answer), JsonElement.Parse(body)), body);
    }
}
