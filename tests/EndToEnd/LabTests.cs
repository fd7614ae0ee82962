using MinimalMcp.Engine;

namespace MinimalMcp.Tests.EndToEnd;

/// <summary>The lab itself: what the other tests stand on.</summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class LabTests(Lab lab)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Prometheus_scrapes_and_its_alert_reaches_Alertmanager()
    {
        await lab.StartMonitoringAsync();
        using var http = new HttpClient();

        Assert.Contains(
            "AlwaysFiring",
            await http.GetStringAsync(new Uri(lab.AlertmanagerUrl, "api/v2/alerts"), Cancellation)
        );
        Assert.Contains(
            "node_cpu_seconds_total",
            await http.GetStringAsync(new Uri(lab.PrometheusUrl, "api/v1/label/__name__/values"), Cancellation)
        );
    }

    [Fact]
    public async Task Portainer_passes_requests_on_to_the_engine_for_those_who_have_the_key()
    {
        await lab.StartAsync();
        using var http = new HttpClient { BaseAddress = lab.PortainerUrl };

        Assert.Equal(
            401,
            (int)(await http.GetAsync(new Uri("api/endpoints", UriKind.Relative), Cancellation)).StatusCode
        );
        http.DefaultRequestHeaders.Add("X-API-Key", lab.PortainerKey);
        var environments = System.Text.Json.JsonElement.Parse(
            await http.GetStringAsync(new Uri("api/endpoints", UriKind.Relative), Cancellation)
        );
        using var engine = new EngineClient(
            new SocketsHttpHandler(),
            new Uri(lab.PortainerUrl, $"api/endpoints/{environments[0].GetProperty("Id")}/docker/"),
            headers: new Dictionary<string, string> { ["X-API-Key"] = lab.PortainerKey }
        );
        Assert.Contains(await engine.Networks.ListNetworksAsync(null, Cancellation), network =>
            network.Name == lab.Network
        );
    }
}
