using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.Tools.Portainer;

/// <summary>The lines that people copy from the ChatGPT guide, over Portainer's containers.</summary>
[Slow]
public sealed class PortainerGuideTests
{
    [Fact]
    public async Task The_formatting_block_of_the_guide_makes_a_table()
    {
        await using var portainer = await FakeEngine.StartAsync();
        portainer.Answers["GET api/endpoints"] = new( // the guide's is number 1
            200,
            """[{"Id":1,"Name":"local","Type":1,"Status":1,"URL":"unix:///var/run/docker.sock"}]"""
        );
        await using var server = TestServer.Start(
            ("Portainer:Url", portainer.Url),
            ("Portainer:Token", FakeEngine.Key)
        );

        var (exitCode, output) = await ClientProcess.RunAsync(
            Needs.Python(),
            ["guide.py", server.BaseUrl, "no-token", "portainer"]
        );

        Assert.True(exitCode == 0, output);
        Assert.Contains("| Name | Status | Image |", output);
        Assert.Contains("web", output);
    }
}
