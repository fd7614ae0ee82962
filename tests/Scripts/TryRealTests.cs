using MinimalMcp.Tests.Container;
using MinimalMcp.Tests.EndToEnd;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Scripts;

/// <summary>scripts/try-real: with real systems where there are some, and its list of tools.</summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class TryRealTests(Lab lab)
{
    [Theory]
    [InlineData("")]
    [InlineData("--change")]
    public async Task Every_tool_of_Docker_and_Portainer_works_on_the_real_ones(string option)
    {
        Needs.Program("install jq", "jq");
        await lab.StartAsync();
        var name = lab.NewName();
        await lab.RunAsync("echo started; while :; do sleep 1; done", name: name);
        await using var server = TestServer.Start(
            ("Docker:Url", lab.Socket),
            ("Portainer:Url", lab.PortainerUrl.ToString()),
            ("Portainer:Token", lab.PortainerKey),
            ("Portainer:Certificate", lab.PortainerIsStandIn ? "" : "any")
        );

        var (exitCode, output, errors) = await Shell.RunAsync(
            $"scripts/try-real {option}",
            ("MCP_SERVER_URL", server.BaseUrl),
            ("TRY_IMAGE", lab.Shell)
        );

        Assert.True(exitCode == 0, output + errors);
        Assert.Contains("ok    docker_container_inspect", output);
        Assert.Contains("ok    portainer_container_stats", output);
        Assert.Equal(option.Length > 0, output.Contains("ok    docker_run_container", StringComparison.Ordinal));
        Assert.Equal(option.Length > 0, output.Contains("ok    portainer_restart_container", StringComparison.Ordinal));
        Assert.DoesNotContain("FAIL", output);
        var left = await server.CallAsync("docker_list_containers", new { all = true, name = "try-real-" });
        Assert.Equal(0, left.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task It_has_a_call_for_every_tool_and_reports_what_fails()
    {
        Needs.Program("install jq", "jq");
        await using var engine = await FakeEngine.StartAsync();
        var nobody = "http://127.0.0.1:9";
        await using var server = TestServer.Start(
            ("Docker:Url", engine.Url),
            ("Portainer:Url", engine.Url),
            ("Portainer:Token", FakeEngine.Key),
            ("Prometheus:Url", nobody),
            ("Grafana:Url", nobody),
            ("Grafana:Token", "glsa_0123456789"),
            ("Vikunja:Url", nobody),
            ("Vikunja:Token", "tk_0123456789"),
            ("SilverBullet:Url", nobody),
            ("SilverBullet:Token", "0123456789")
        );

        var (exitCode, output, errors) = await Shell.RunAsync("scripts/try-real", ("MCP_SERVER_URL", server.BaseUrl));

        Assert.Equal("", errors);
        Assert.Equal(1, exitCode);
        Assert.DoesNotContain("has no call for it", output);
        Assert.Contains("ok    docker_list_images", output);
        Assert.Contains("FAIL  prometheus_query", output);
        Assert.Contains("cannot be reached", output);
        Assert.DoesNotContain(engine.Asked, asked => !asked.StartsWith("GET ", StringComparison.Ordinal));
    }
}
