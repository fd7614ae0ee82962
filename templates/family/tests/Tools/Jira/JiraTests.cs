using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Tools.Jira;

/// <summary>Jira through the front door, with an upstream on loopback that sends the answers of answers.json.</summary>
public sealed class JiraTests
{
    [Fact]
    public async Task Search_gives_what_Jira_found()
    {
        await using var jira = await Upstream.StartAsync("answers.json");
        await using var server = Start(jira);

        var found = await server.CallAsync("jira_search", new { query = "login" });

        Assert.Equal(2, found.GetProperty("total").GetInt32());
        Assert.Equal(
            ["J-1", "J-7"],
            found.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString())
        );
        Assert.Equal("Bearer secret", Assert.Single(jira.Asked).Headers["Authorization"]);
    }

    [Fact]
    public async Task Create_sends_the_title_and_gives_the_id()
    {
        await using var jira = await Upstream.StartAsync("answers.json");
        await using var server = Start(jira);

        var created = await server.CallAsync("jira_create", new { title = "A new page" });

        Assert.Equal("J-8", created.GetProperty("id").GetString());
        Assert.Equal("A new page", Assert.Single(jira.Asked).Json.GetProperty("title").GetString());
    }

    [Theory]
    [InlineData(401, "Check Jira:Token", HealthStatus.Degraded)]
    [InlineData(500, "Jira answered 500", HealthStatus.Unhealthy)]
    [InlineData(200, "Jira sent something else", HealthStatus.Unhealthy)]
    public async Task A_failure_says_how_to_fix_it_and_shows_in_the_health(
        int status,
        string part,
        HealthStatus expected
    )
    {
        await using var jira = await Upstream.StartAsync();
        (jira.Status, jira.Answer) = (status, "<html>");
        await using var server = Start(jira);

        var reason = await server.FailAsync(502, "jira_search", new { query = "login" });
        var health = await server
            .Services.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken);

        Assert.Contains(part, reason);
        Assert.DoesNotContain("secret", reason);
        Assert.Equal(expected, health.Entries["jira"].Status);
    }

    [Fact]
    public async Task A_system_that_cannot_be_reached_is_reported_by_its_setting()
    {
        var jira = await Upstream.StartAsync();
        await using var server = Start(jira);
        await jira.DisposeAsync();

        Assert.Contains("Check Jira:Url", await server.FailAsync(502, "jira_search", new { query = "login" }));
    }

    [Fact]
    public async Task Not_configured_is_not_listed()
    {
        await using var server = TestServer.Start();

        await server.FailAsync(404, "jira_search", new { query = "login" });
    }

    [Theory]
    [InlineData("Jira__Url=jira.example.com", "Jira:Url must be")]
    [InlineData("Jira__Token=two words", "Jira:Token must be")]
    public async Task A_wrong_setting_stops_the_start(string variable, string part)
    {
        var pair = variable.Split('=');

        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string> { [pair[0]] = pair[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(part, errors);
    }

    private static TestServer Start(Upstream jira) =>
        TestServer.Start(("Jira:Url", jira.Url), ("Jira:Token", "secret"));
}
