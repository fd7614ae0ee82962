using System.Text.Json;
using MinimalMcp.Tests.EndToEnd;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>The tools with a real Prometheus, which watches itself, node-exporter and a target that is down.</summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class RealPrometheusTests(Lab lab)
{
    [Fact]
    public async Task The_current_value_of_each_target()
    {
        await using var server = await StartAsync();

        var answer = await server.CallAsync("prometheus_query", new { query = "sum by (job) (up)" });

        Assert.Equal("vector", answer.GetProperty("resultType").GetString());
        Assert.Equal(
            "down=0 node=1 prometheus=1",
            string.Join(
                ' ',
                answer
                    .GetProperty("series")
                    .EnumerateArray()
                    .Select(series =>
                        $"{series.GetProperty("metric").GetProperty("job")}={series.GetProperty("value")}"
                    )
                    .Order()
            )
        );
    }

    [Theory]
    [InlineData("scalar(vector(7))", "scalar", "7")]
    [InlineData("\"text\"", "string", "text")]
    [InlineData("vector(0)/0", "vector", "NaN")]
    [InlineData("vector(1)/0", "vector", "+Inf")]
    public async Task Every_type_of_result(string query, string type, string value)
    {
        await using var server = await StartAsync();

        var answer = await server.CallAsync("prometheus_query", new { query });

        Assert.Equal(type, answer.GetProperty("resultType").GetString());
        Assert.Equal(
            value,
            (type == "vector" ? answer.GetProperty("series")[0] : answer).GetProperty("value").GetString()
        );
    }

    [Theory]
    [InlineData("7d", "1s")]
    [InlineData("now-1h30m", null)]
    [InlineData("2w", "5m")]
    [InlineData("9y", null)]
    public async Task A_range_of_any_length_is_answered_and_drawn(string start, string? step)
    {
        await using var server = await StartAsync();

        var answer = await server.CallAsync(
            "prometheus_query_range",
            new
            {
                query = "vector(time())",
                start,
                step,
                chart = true,
            }
        );

        var values = answer.GetProperty("series")[0].GetProperty("values");
        Assert.InRange(values.GetArrayLength(), 2, 251);
        // Each is at its place.
        Assert.All(values.EnumerateArray(), value => Assert.Equal(JsonValueKind.String, value.ValueKind));
        Assert.Equal("image/png", answer.GetProperty("content")[0].GetProperty("mimeType").GetString());
    }

    [Fact]
    public async Task A_query_of_a_hundred_kilobytes()
    {
        await using var server = await StartAsync();

        var answer = await server.CallAsync(
            "prometheus_query",
            new { query = string.Join(" or ", Enumerable.Range(0, 3000).Select(i => $"x{i}")) + " or vector(1)" }
        );

        Assert.Equal(1, answer.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Names_series_targets_metadata_and_rules()
    {
        await using var server = await StartAsync();

        Assert.Contains(
            "instance",
            Texts((await server.CallAsync("prometheus_list_label_names")).GetProperty("names"))
        );
        Assert.Equal(
            ["down", "node", "prometheus"],
            Texts(
                (
                    await server.CallAsync("prometheus_list_label_values", new { label = "job", match = "up" })
                ).GetProperty("names")
            )
        );
        Assert.Equal(
            0,
            (await server.CallAsync("prometheus_list_label_values", new { label = "no_such_label" }))
                .GetProperty("total")
                .GetInt32()
        );
        Assert.Equal(
            3,
            (await server.CallAsync("prometheus_find_series", new { match = "up", lookback = "5m" }))
                .GetProperty("total")
                .GetInt32()
        );
        Assert.Equal(
            "gauge",
            (await server.CallAsync("prometheus_get_metadata", new { metric = "node_load1" }))
                .GetProperty("metrics")[0]
                .GetProperty("type")
                .GetString()
        );
        var found = (await server.CallAsync("prometheus_list_metrics", new { search = "cpu seconds" }))
            .GetProperty("metrics")
            .EnumerateArray()
            .ToArray();
        Assert.Contains(found, metric =>
            metric.GetProperty("name").GetString() == "node_cpu_seconds_total"
            && metric.GetProperty("type").GetString() == "counter"
        );

        var down = (await server.CallAsync("prometheus_list_targets", new { health = "down" })).GetProperty("targets")[
            0
        ];
        Assert.Equal("down", down.GetProperty("job").GetString());
        Assert.Contains("no-such-host", down.GetProperty("lastError").GetString());
        Assert.Equal(
            "dropped",
            (await server.CallAsync("prometheus_list_targets", new { state = "dropped" }))
                .GetProperty("targets")[0]
                .GetProperty("job")
                .GetString()
        );
        Assert.Equal(
            ["lab:up:sum"],
            (await server.CallAsync("prometheus_list_rules", new { type = "record" }))
                .GetProperty("rules")
                .EnumerateArray()
                .Select(rule => rule.GetProperty("name").GetString())
        );
    }

    [Fact]
    public async Task The_alert_that_fires_and_the_one_that_is_pending()
    {
        await using var server = await StartAsync();

        var firing = Assert.Single(
            (await server.CallAsync("prometheus_list_alerts", new { state = "firing" }))
                .GetProperty("alerts")
                .EnumerateArray()
        );

        Assert.Equal(
            ("AlwaysFiring", "page"),
            (firing.GetProperty("name").GetString(), firing.GetProperty("labels").GetProperty("severity").GetString())
        );
        Assert.Equal("Fires all the time", firing.GetProperty("annotations").GetProperty("summary").GetString());
    }

    [Theory]
    [InlineData("prometheus_query", """{"query":"sum(up"}""", "at line 1, column")]
    [InlineData("prometheus_query", """{"query":"sum(\nup{job=\"ä\"} +* 1)"}""", "at line 2, column")]
    [InlineData("prometheus_query", """{"query":"up * on(job) node_cpu_seconds_total"}""", "group_left")]
    [InlineData("prometheus_query_range", """{"query":"up[5m]","start":"1h"}""", "refused it")]
    [InlineData("prometheus_find_series", """{"match":"up{"}""", "refused it")]
    [InlineData("prometheus_find_series", """{"match":"{}"}""", "refused it")]
    [InlineData("prometheus_list_label_names", """{"match":"not a selector"}""", "refused it")]
    public async Task What_Prometheus_refuses_is_told_with_its_place(string tool, string arguments, string part)
    {
        await using var server = await StartAsync();

        Assert.Contains(part, await server.FailAsync(422, tool, JsonElement.Parse(arguments)));
    }

    private async Task<TestServer> StartAsync()
    {
        await lab.StartMonitoringAsync();
        return TestServer.Start(("Prometheus:Url", lab.PrometheusUrl.ToString()));
    }

    private static string[] Texts(JsonElement list) => [.. list.EnumerateArray().Select(text => text.GetString()!)];
}
