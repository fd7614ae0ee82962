namespace MinimalMcp.Tests.Tools;

/// <summary>
/// What a system says of a failure reaches the model, also as plain text, and slowness is told apart from it.
/// </summary>
[Slow]
public sealed class UpstreamReasonTests
{
    [Theory]
    [InlineData("Prometheus", "prometheus_query", """{"query":"up"}""", 400)]
    [InlineData("Prometheus", "prometheus_list_alerts", "{}", 422)]
    [InlineData("Prometheus", "prometheus_query", """{"query":"up"}""", 500)]
    [InlineData("Grafana", "grafana_list_folders", "{}", 400)]
    [InlineData("Grafana", "grafana_create_dashboard", """{"title":"x"}""", 422)]
    [InlineData("Grafana", "grafana_list_folders", "{}", 500)]
    [InlineData("SilverBullet", "silverbullet_get_page", """{"page_name":"x"}""", 400)]
    [InlineData("SilverBullet", "silverbullet_get_page", """{"page_name":"x"}""", 422)]
    [InlineData("SilverBullet", "silverbullet_get_page", """{"page_name":"x"}""", 500)]
    [InlineData("Vikunja", "vikunja_list_projects", "{}", 400)]
    [InlineData("Vikunja", "vikunja_list_projects", "{}", 422)]
    [InlineData("Vikunja", "vikunja_list_projects", "{}", 500)]
    public async Task A_reason_in_plain_text_is_passed_on(string system, string tool, string arguments, int status)
    {
        await using var upstream = await Upstream.StartAsync();
        upstream.Handle = _ => (status, "the shard of tenant 7 is asleep\n");
        upstream.ContentType = "text/plain; charset=utf-8";
        await using var server = TestServer.Start(($"{system}:Url", upstream.Url), ($"{system}:Token", "t0ken-0815"));

        using var response = await server.PostAsync($"/tools/{tool}", arguments);
        var said = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("the shard of tenant 7 is asleep", said);
        if (status < 500)
        {
            // The same question will not be answered in another way later.
            Assert.Equal(422, (int)response.StatusCode);
            Assert.DoesNotContain("try again", said, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData("Prometheus", "prometheus_query", """{"query":"up"}""")]
    [InlineData("Grafana", "grafana_list_folders", "{}")]
    [InlineData("SilverBullet", "silverbullet_get_page", """{"page_name":"x"}""")]
    [InlineData("Vikunja", "vikunja_list_projects", "{}")]
    [InlineData("Docker", "docker_list_containers", "{}")]
    [InlineData("Portainer", "portainer_list_environments", "{}")]
    [InlineData("Shop", "search_products", """{"query":"milk"}""")]
    public async Task A_system_that_is_slow_is_504(string system, string tool, string arguments)
    {
        await using var upstream = await Upstream.StartAsync();
        upstream.Serve = (http, _) =>
            Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        await using var server = TestServer.Start(
            ($"{system}:Url", upstream.Url),
            ($"{system}:Token", "t0ken-0815"),
            ("Outgoing:Deadline", "00:00:01")
        );

        using var response = await server.PostAsync($"/tools/{tool}", arguments);
        var said = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.True((int)response.StatusCode == 504, said);
        Assert.Contains("did not answer", said);
    }

    [Fact]
    public async Task System_status_waits_five_seconds_for_each_system_and_says_which_was_slow()
    {
        await using var slow = await Upstream.StartAsync();
        slow.Serve = (http, _) =>
            Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        await using var well = await Upstream.StartAsync();
        well.Answer = """{"status":"success","data":{"version":"3.1"}}""";
        await using var server = TestServer.Start(
            ("Prometheus:Url", well.Url),
            ("Grafana:Url", slow.Url),
            ("Grafana:Token", "t0ken-0815"),
            ("Vikunja:Url", slow.Url),
            ("Vikunja:Token", "t0ken-0815"),
            ("Docker:Url", slow.Url)
        );

        var systems = (await server.CallAsync("system_status"))
            .GetProperty("systems")
            .EnumerateArray()
            .Where(system => system.GetProperty("configured").GetBoolean())
            .ToDictionary(system => system.GetProperty("name").GetString()!);

        Assert.True(systems["prometheus"].GetProperty("reachable").GetBoolean());
        Assert.All((string[])["grafana", "vikunja", "docker"], name =>
            Assert.Equal(
                (false, "It did not answer within 5 seconds. Try again later."),
                (systems[name].GetProperty("reachable").GetBoolean(), systems[name].GetProperty("detail").GetString())
            )
        );
    }
}
