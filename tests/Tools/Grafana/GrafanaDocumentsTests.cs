namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>
/// Dashboards in search and fetch. Files of this name are left out of a project that leaves out the family Documents.
/// </summary>
public sealed class GrafanaDocumentsTests
{
    [Fact]
    public async Task A_dashboard_is_found_by_its_title_and_fetched_with_a_link_that_opens_it()
    {
        await using var lab = await GrafanaLab.StartFakeAsync(("Grafana:PublicUrl", "https://graphs.example/grafana/"));

        var found = (await lab.Server.CallAsync("search", new { query = "node" }))
            .GetProperty("results")
            .EnumerateArray()
            .Single(result => result.GetProperty("id").GetString()!.StartsWith("grafana:", StringComparison.Ordinal));
        var dashboard = await lab.Server.CallAsync("fetch", new { id = found.GetProperty("id").GetString() });

        Assert.Equal(
            ("grafana:infra", "Node exporter", "https://graphs.example/grafana/d/infra"),
            (
                found.GetProperty("id").GetString(),
                found.GetProperty("title").GetString(),
                found.GetProperty("url").GetString()
            )
        );
        Assert.Equal(found.GetProperty("url").GetString(), dashboard.GetProperty("url").GetString());
        Assert.Contains(
            "## CPU (timeseries)\nrate(node_cpu_seconds_total{job=~\"$job\"}[5m])",
            dashboard.GetProperty("text").GetString()
        );
        Assert.Contains("Variable job: label_values(up, job)", dashboard.GetProperty("text").GetString());
        Assert.Equal(("Infrastructure", "nodes", "7"), (Metadata("folder"), Metadata("tags"), Metadata("version")));
        Assert.Contains(
            "limit=10&",
            lab.Asked().First(question => question.Line.Contains("/api/search", StringComparison.Ordinal)).Line
        );

        string? Metadata(string name) => dashboard.GetProperty("metadata").GetProperty(name).GetString();
    }

    [Fact]
    public async Task A_secret_in_a_dashboard_is_not_fetched_and_the_link_is_the_address_that_is_known()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var dashboard = await lab.Server.CallAsync("fetch", new { id = "grafana:secrets" });

        Assert.Contains("[REDACTED]", dashboard.GetProperty("text").GetString());
        Assert.DoesNotContain("hunter2", dashboard.GetRawText());
        Assert.Equal(lab.Fake!.System.Url + "/d/secrets", dashboard.GetProperty("url").GetString());
    }

    [Theory]
    [InlineData("grafana:../org", "is not a uid")]
    [InlineData("grafana:", "is not a uid")]
    [InlineData("grafana:nothing", "Grafana knows no such thing")]
    public async Task An_id_that_is_none_is_told_in_words(string id, string sentence)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        Assert.Contains(sentence, await lab.Server.FailAsync(422, "fetch", new { id }));
    }
}
