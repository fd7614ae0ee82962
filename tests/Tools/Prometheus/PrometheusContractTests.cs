using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>Every request that a tool sends is one that the API has.</summary>
public sealed class PrometheusContractTests
{
    /// <summary>prometheus.io/docs/prometheus/latest/querying/api: what the tools use of it.</summary>
    internal static readonly Operation[] Api =
    [
        new("GET", "/api/v1/query", "*query time timeout limit"),
        new("POST", "/api/v1/query", "*query time timeout limit"),
        // nocache is of VictoriaMetrics; Prometheus ignores what it does not know.
        new("GET", "/api/v1/query_range", "*query *start *end *step timeout limit nocache"),
        new("POST", "/api/v1/query_range", "*query *start *end *step timeout limit nocache"),
        new("GET", "/api/v1/labels", "match[] start end limit"),
        new("POST", "/api/v1/labels", "match[] start end limit"),
        new("GET", "/api/v1/label/[a-zA-Z_][a-zA-Z0-9_]*/values", "match[] start end limit"),
        new("GET", "/api/v1/series", "*match[] start end limit"),
        new("POST", "/api/v1/series", "*match[] start end limit"),
        new("GET", "/api/v1/targets", "state scrapePool"),
        new("GET", "/api/v1/metadata", "metric limit limit_per_metric"),
        new("GET", "/api/v1/alerts"),
        new("GET", "/api/v1/rules", "type exclude_alerts"),
        new("GET", "/api/v1/status/buildinfo"),
    ];

    public static TheoryData<string, string> Calls =>
        new([
            .. PrometheusFailureTests.Good,
            ("prometheus_query", """{"query":"up","time":"now-1h","limit":1}"""),
            ("prometheus_query", $$"""{"query":"{{new string('x', 6000)}}"}"""),
            ("prometheus_query_range", """{"query":"up","start":"7d","end":"1d","step":"1h","limit":1,"chart":true}"""),
            ("prometheus_query_range", $$"""{"query":"{{new string('x', 6000)}}","start":"1h"}"""),
            ("prometheus_list_label_names", """{"match":"up{job=~\".+&?#\"}","limit":1}"""),
            ("prometheus_list_label_values", """{"label":"job","match":"up","filter":"n","offset":1,"limit":1}"""),
            ("prometheus_list_label_values", """{"label":"a/../b?c=d&e#f%2e"}"""),
            ("prometheus_find_series", $$"""{"match":"up{a=\"{{new string('x', 6000)}}\"}","lookback":"2w"}"""),
            ("prometheus_list_targets", """{"state":"dropped","scrape_pool":"a&b=c"}"""),
            ("prometheus_get_metadata", """{"metric":"größe ☃"}"""),
            ("prometheus_list_rules", """{"type":"alert","search":"x"}"""),
        ]);

    [Theory, MemberData(nameof(Calls))]
    public async Task A_request_is_one_that_the_API_has(string tool, string arguments)
    {
        await using var lab = await PrometheusLab.StartAsync();

        using var _ = await lab.Server.PostAsync("/tools/" + tool, arguments);

        Operation.AssertKnown(lab.System.Asked, Api);
    }

    [Fact]
    public async Task So_is_the_one_of_the_health_check()
    {
        await using var lab = await PrometheusLab.StartAsync();

        await lab
            .Server.Services.GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken);

        Operation.AssertKnown(lab.System.Asked, Api);
        Assert.Throws<Xunit.Sdk.AllException>(() =>
            Operation.AssertKnown([new("GET /api/v1/query?qery=up", "", new Dictionary<string, string>())], Api)
        );
    }
}
