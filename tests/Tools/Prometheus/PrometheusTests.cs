using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;
using MinimalMcp.Tools.Prometheus;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>What becomes of answers that were recorded from Prometheus 2.42, and of what is asked for.</summary>
[Slow]
public sealed class PrometheusTests
{
    [Theory]
    [InlineData("""{"query":"scalar(vector(42))"}""", "scalar", "42")]
    [InlineData("""{"query":"\"hello\""}""", "string", "hello")]
    public async Task A_scalar_and_a_string_are_values_and_not_series(string arguments, string type, string value)
    {
        await using var lab = await PrometheusLab.StartAsync();

        var answer = await lab.Server.CallAsync("prometheus_query", JsonElement.Parse(arguments));

        Assert.Equal(
            (type, value),
            (answer.GetProperty("resultType").GetString(), answer.GetProperty("value").GetString())
        );
        Assert.False(answer.TryGetProperty("series", out _));
    }

    [Fact]
    public async Task NaN_and_infinities_arrive_as_what_they_are()
    {
        await using var lab = await PrometheusLab.StartAsync();

        var answer = await lab.Server.CallAsync("prometheus_query", new { query = "nan" });

        Assert.Equal(
            ["NaN", "+Inf", "-Inf"],
            answer.GetProperty("series").EnumerateArray().Select(series => series.GetProperty("value").GetString())
        );
    }

    [Fact]
    public async Task A_matrix_of_an_instant_query_has_its_times()
    {
        await using var lab = await PrometheusLab.StartAsync();

        var series = (
            await lab.Server.CallAsync("prometheus_query", new { query = "up{job=\"node\"}[30s]" })
        ).GetProperty("series")[0];

        Assert.Equal(6, series.GetProperty("values").GetArrayLength());
        Assert.Equal("2026-11-20T10:24:34.644Z", series.GetProperty("times")[0].GetString());
        Assert.Equal(1, series.GetProperty("summary").GetProperty("average").GetDouble());
    }

    [Fact]
    public async Task A_range_is_a_row_of_values_with_a_summary()
    {
        await using var lab = await PrometheusLab.StartAsync();

        var answer = await lab.Server.CallAsync(
            "prometheus_query_range",
            JsonElement.Parse($$"""{"query":"up",{{PrometheusParity.Recorded}}}""")
        );

        Assert.Equal(
            ("2026-11-20T10:24:20Z", "10s", 3),
            (
                answer.GetProperty("start").GetString(),
                answer.GetProperty("step").GetString(),
                answer.GetProperty("total").GetInt32()
            )
        );
        Assert.Equal("""["1","1","1","1","1"]""", answer.GetProperty("series")[0].GetProperty("values").GetRawText());
        Assert.Equal(
            """{"min":0,"max":0,"average":0,"last":0}""",
            answer.GetProperty("series")[2].GetProperty("summary").GetRawText()
        );
    }

    [Fact]
    public async Task A_missing_sample_is_null_and_keeps_the_others_at_their_times()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer(
            """{"resultType":"matrix","result":[{"metric":{},"values":[[1795170260,"1"],"""
                + """[1795170280.001,"NaN"],[1795170300,"3"]]}]}"""
        );

        var series = (
            await lab.Server.CallAsync(
                "prometheus_query_range",
                JsonElement.Parse($$"""{"query":"x",{{PrometheusParity.Recorded}}}""")
            )
        ).GetProperty("series")[0];

        Assert.Equal("""["1",null,"NaN",null,"3"]""", series.GetProperty("values").GetRawText());
        Assert.Equal("""{"min":1,"max":3,"average":2,"last":3}""", series.GetProperty("summary").GetRawText());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_native_histogram_has_count_and_sum(bool range)
    {
        await using var lab = await PrometheusLab.StartAsync();
        const string Sample = """[1795170260,{"count":"12.5","sum":"42.1","buckets":[[0,"0.7","1","5"]]}]""";
        lab.Answer(
            range
                ? $$"""{"resultType":"matrix","result":[{"metric":{},"histograms":[{{Sample}}]}]}"""
                : $$"""{"resultType":"vector","result":[{"metric":{},"histogram":{{Sample}}}]}"""
        );

        var answer = await lab.Server.CallAsync(
            range ? "prometheus_query_range" : "prometheus_query",
            JsonElement.Parse(range ? $$"""{"query":"x",{{PrometheusParity.Recorded}}}""" : """{"query":"x"}""")
        );

        var histogram = answer.GetProperty("series")[0].GetProperty("histogram");
        Assert.Equal(
            ("12.5", "42.1"),
            (histogram.GetProperty("count").GetString(), histogram.GetProperty("sum").GetString())
        );
        Assert.Equal("""[["0.7","1","5"]]""", histogram.GetProperty("buckets").GetRawText());
    }

    [Fact]
    public async Task Warnings_and_infos_are_passed_on()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.ForgetRecorded();
        lab.System.Answer =
            """{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["one store """
            + """is away"],"infos":["metric might not be a counter"]}""";

        var answer = await lab.Server.CallAsync("prometheus_query", new { query = "x", time = "1795170260" });

        Assert.Equal(
            ("one store is away", "metric might not be a counter"),
            (answer.GetProperty("warnings")[0].GetString(), answer.GetProperty("infos")[0].GetString())
        );
        Assert.Contains("Nothing matches", answer.GetProperty("note").GetString());
    }

    [Theory]
    [InlineData("Prometheus:Token", "a-token", "Bearer a-token")]
    [InlineData("Prometheus:Username", "ann", "Basic YW5uOnNlY3JldA==")]
    public async Task Credentials_are_sent_and_the_tenant(string setting, string value, string header)
    {
        await using var lab = await PrometheusLab.StartAsync(
            (setting, value),
            ("Prometheus:OrgId", "team-a"),
            ("Prometheus:Password", setting.EndsWith("Token", StringComparison.Ordinal) ? "" : "secret")
        );

        await lab.Server.CallAsync("prometheus_list_alerts");

        var headers = Assert.Single(lab.System.Asked).Headers;
        Assert.Equal((header, "team-a"), (headers["Authorization"], headers["X-Scope-OrgID"]));
    }

    [Fact]
    public async Task The_health_has_the_version()
    {
        await using var lab = await PrometheusLab.StartAsync();

        var health = (
            await lab
                .Server.Services.GetRequiredService<HealthCheckService>()
                .CheckHealthAsync(TestContext.Current.CancellationToken)
        ).Entries["prometheus"];

        Assert.Equal((HealthStatus.Healthy, "2.42.0+ds"), (health.Status, health.Data["version"]));
        lab.System.Status = 401;
        health = (
            await lab
                .Server.Services.GetRequiredService<HealthCheckService>()
                .CheckHealthAsync(TestContext.Current.CancellationToken)
        ).Entries["prometheus"];
        Assert.Equal((HealthStatus.Degraded, false), (health.Status, health.Data["authorised"]));
    }

    [Fact]
    public async Task A_path_of_the_address_is_kept()
    {
        await using var lab = await PrometheusLab.StartAsync();
        await using var server = TestServer.Start(("Prometheus:Url", lab.System.Url + "/prometheus/"));
        lab.System.Answer = """{"status":"success","data":{"alerts":[]}}""";

        await server.CallAsync("prometheus_list_alerts");

        Assert.Equal("GET /prometheus/api/v1/alerts", Assert.Single(lab.System.Asked).Line);
    }

    [Theory]
    [InlineData(
        "APP_PROMETHEUS__URL=localhost:9090",
        "Prometheus:Url (APP_PROMETHEUS__URL) must be an absolute http or https address"
    )]
    [InlineData("Prometheus__Url=http://ann:secret@prometheus:9090", "Prometheus:Url")]
    [InlineData("Prometheus__Token=two words", "Prometheus:Token and Prometheus:OrgId must each be one line")]
    [InlineData("Prometheus__Password=alone", "belong together")]
    public async Task A_wrong_setting_is_told_at_the_start(string variable, string part)
    {
        var pair = variable.Split('=', 2);

        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string> { [pair[0]] = pair[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(part, errors);
        Assert.DoesNotContain("secret", errors);
    }

    [Fact]
    public async Task Not_configured_is_not_listed()
    {
        await using var server = TestServer.Start();

        await server.FailAsync(404, "prometheus_query", new { query = "up" });
    }

    [Fact]
    public void Every_setting_is_documented()
    {
        var pages = string.Concat(
            ReadmeTests.Pages.Select(page => File.ReadAllText(Path.Combine(ClientProcess.Root, page)))
        );
        var settings = typeof(PrometheusOptions)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .Select(property => $"Prometheus:{property.Name}");

        Assert.All(settings, setting => Assert.Contains($"`{setting}`", pages));
    }
}
