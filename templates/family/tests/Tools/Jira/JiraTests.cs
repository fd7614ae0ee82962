using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MinimalMcp.Tests.Tools.Jira;

/// <summary>The tools through HTTP, with a system on loopback that gives the answers of answers.json.</summary>
public sealed class JiraTests
{
    [Fact]
    public async Task Search_returns_what_Jira_found()
    {
        await using var jira = await JiraUpstream.StartAsync();
        await using var server = new Server(jira.Url);

        using var response = await server.CallAsync("jira_search", new { query = "login" });

        var found = await ReadAsync(response);
        Assert.Equal(2, found.GetProperty("total").GetInt32());
        Assert.Equal(
            ["J-1", "J-7"],
            found.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString())
        );
        Assert.Equal("Bearer secret", Assert.Single(jira.Requests).Authorization);
    }

    [Fact]
    public async Task Create_sends_the_title_and_returns_the_id()
    {
        await using var jira = await JiraUpstream.StartAsync();
        await using var server = new Server(jira.Url);

        using var response = await server.CallAsync("jira_create", new { title = "A new page" });

        Assert.Equal("J-8", (await ReadAsync(response)).GetProperty("id").GetString());
        var sent = JsonElement.Parse(Assert.Single(jira.Requests).Body);
        Assert.Equal("A new page", sent.GetProperty("title").GetString());
    }

    [Theory]
    [InlineData(401, "Check Jira:Token", HealthStatus.Degraded)]
    [InlineData(500, "Jira answered 500", HealthStatus.Unhealthy)]
    [InlineData(200, "Jira sent an answer", HealthStatus.Unhealthy)]
    public async Task A_failure_says_what_to_fix_and_shows_in_the_health(int status, string part, HealthStatus expected)
    {
        await using var jira = await JiraUpstream.StartAsync();
        jira.Failure = status;
        await using var server = new Server(jira.Url);

        using var response = await server.CallAsync("jira_search", new { query = "login" });
        var text = await response.Content.ReadAsStringAsync(Stop);
        var health = await server.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Contains(part, text);
        Assert.DoesNotContain("secret", text);
        Assert.Equal(expected, health.Entries["jira"].Status);
    }

    [Fact]
    public async Task A_system_that_is_not_there_is_named_with_its_setting()
    {
        var jira = await JiraUpstream.StartAsync();
        await using var server = new Server(jira.Url);
        await jira.DisposeAsync();

        using var response = await server.CallAsync("jira_search", new { query = "login" });

        Assert.Contains("Check Jira:Url", await response.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Without_settings_the_tools_are_not_there()
    {
        await using var server = new Server("");

        using var response = await server.CallAsync("jira_search", new { query = "login" });

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<JsonElement>(Stop);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The server in this process, with a store of its own.</summary>
    private sealed class Server(string url) : WebApplicationFactory<Program>
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

        public Task<HttpResponseMessage> CallAsync(string tool, object arguments) =>
            CreateClient().PostAsJsonAsync($"/tools/{tool}", arguments, Stop);

        protected override void ConfigureWebHost(IWebHostBuilder builder) =>
            builder
                .UseSetting("Auth:Mode", "none")
                .UseSetting("Storage:Path", Path.Combine(_folder.FullName, "store.db"))
                .UseSetting("Jira:Url", url)
                .UseSetting("Jira:Token", "secret");

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _folder.Delete(recursive: true);
        }
    }
}
