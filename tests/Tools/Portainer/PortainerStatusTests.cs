using System.Text.Json;
using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>
/// Portainer in system_status. Files of this name are left out of a project that leaves out the family Status.
/// </summary>
public sealed class PortainerStatusTests
{
    [Fact]
    public async Task The_system_status_says_whether_it_answers_takes_our_token_and_which_version_it_is()
    {
        var portainer = await FakeEngine.StartAsync();
        await using var server = TestServer.Start(
            ("Portainer:Url", portainer.Url),
            ("Portainer:Token", FakeEngine.Key)
        );

        Assert.Equal(
            """{"name":"portainer","configured":true,"reachable":true,"authorised":true,"version":"2.23.0"}""",
            (await StateAsync(server)).GetRawText()
        );

        portainer.Answers["GET api/endpoints"] = new(
            401,
            """{"message":"Invalid JWT token","details":"Unauthorized"}"""
        );
        var refused = await StateAsync(server);
        Assert.Equal(
            (true, false, "2.23.0"),
            (
                refused.GetProperty("reachable").GetBoolean(),
                refused.GetProperty("authorised").GetBoolean(),
                refused.GetProperty("version").GetString()
            )
        );

        await portainer.DisposeAsync();
        Assert.False((await StateAsync(server)).GetProperty("reachable").GetBoolean());
    }

    private static async Task<JsonElement> StateAsync(TestServer server) =>
        (await server.CallAsync("system_status"))
            .GetProperty("systems")
            .EnumerateArray()
            .Single(system => system.GetProperty("name").GetString() == "portainer");
}
