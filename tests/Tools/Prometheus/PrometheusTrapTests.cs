using System.Text.Json;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>Where others who built such tools went wrong.</summary>
public sealed class PrometheusTrapTests
{
    [Theory]
    [InlineData("1d")]
    [InlineData("7d")]
    [InlineData("2w")]
    [InlineData("now-1h30m")]
    [InlineData("-1h")]
    [InlineData("3h ago")]
    [InlineData("2026-11-20T10:24:20Z")]
    [InlineData("2026-11-20T11:24:20.123456789+01:00")]
    [InlineData("2026-11-20")]
    [InlineData("1795170260")]
    [InlineData("1795170260.5")]
    [InlineData("1795170260000")]
    [InlineData("1H")]
    [InlineData("7D")]
    [InlineData("yesterday")]
    [InlineData("now/d")]
    [InlineData("now-2d/d")]
    public async Task Times_are_understood_in_every_form_that_people_write(string start)
    {
        await using var lab = await PrometheusLab.StartAsync();

        await lab.Server.CallAsync(
            "prometheus_query_range",
            new
            {
                query = "up",
                start,
                end = "2030-01-01",
            }
        );

        Assert.Matches(
            @"start=1\d{9}(\.\d{1,3})?&end=1893456000&step=\d+&nocache=1$",
            Assert.Single(lab.System.Asked).Line
        );
    }

    [Theory]
    [InlineData("1h", null, 15)]
    [InlineData("6h", null, 120)]
    [InlineData("7d", null, 3600)]
    [InlineData("5y", null, 1209600)]
    [InlineData("7d", "10s", 3600)]
    [InlineData("9y", "1s", 1209600)]
    [InlineData("2h", "1m", 60)]
    public async Task The_limit_of_11000_points_is_never_met_and_a_raised_step_is_said(
        string start,
        string? step,
        int seconds
    )
    {
        await using var lab = await PrometheusLab.StartAsync();

        var answer = await lab.Server.CallAsync(
            "prometheus_query_range",
            new
            {
                query = "up",
                start,
                step,
            }
        );

        Assert.EndsWith($"&step={seconds}&nocache=1", Assert.Single(lab.System.Asked).Line);
        Assert.Equal(
            step is "10s" or "1s",
            answer.TryGetProperty("note", out var note)
                && note.GetString()!.StartsWith($"The step was raised from {step} to ", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Targets_are_the_active_ones_without_what_was_discovered()
    {
        await using var lab = await PrometheusLab.StartAsync();

        var answer = await lab.Server.CallAsync("prometheus_list_targets");

        Assert.Equal("GET /api/v1/targets?state=active", Assert.Single(lab.System.Asked).Line);
        Assert.DoesNotContain("__address__", answer.GetRawText());
        Assert.Equal(
            (2, 1),
            (
                answer.GetProperty("health").GetProperty("up").GetInt32(),
                answer.GetProperty("health").GetProperty("down").GetInt32()
            )
        );
    }

    [Fact]
    public async Task A_long_query_is_posted_since_an_address_has_room_for_little()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer("""{"resultType":"vector","result":[]}""");
        var query = string.Join(" or ", Enumerable.Range(0, 1000).Select(i => $"up{{n=\"{i}\"}}"));

        await lab.Server.CallAsync("prometheus_query", new { query });

        var asked = Assert.Single(lab.System.Asked);
        Assert.Equal("POST /api/v1/query", asked.Line);
        Assert.Equal("query=" + query, System.Net.WebUtility.UrlDecode(asked.Body));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(405)]
    public async Task A_gateway_that_lets_only_GET_through_is_asked_again(int status)
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer("""{"resultType":"vector","result":[]}""");
        lab.System.StatusOf = method => method == "POST" ? status : 200;

        await lab.Server.CallAsync("prometheus_query", new { query = "up or " + new string('x', 5000) });

        Assert.Equal(["POST", "GET"], lab.System.Asked.Select(asked => asked.Line.Split(' ')[0]));
    }

    [Theory]
    [InlineData("http.status_code", "U__http_2e_status__code")]
    [InlineData("größe", "U__gr_f6__df_e")]
    [InlineData("../../admin", "U___2e__2e__2f__2e__2e__2f_admin")]
    [InlineData("a?b#c", "U__a_3f_b_23_c")]
    public async Task A_label_that_is_no_classic_name_is_escaped_as_Prometheus_3_wants_it(string label, string escaped)
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer("[]");

        var answer = await lab.Server.CallAsync("prometheus_list_label_values", new { label });

        Assert.Equal($"GET /api/v1/label/{escaped}/values?limit=20000", Assert.Single(lab.System.Asked).Line);
        Assert.Contains("prometheus_list_label_names", answer.GetProperty("note").GetString());
    }

    [Fact]
    public async Task A_server_that_ignores_the_limit_is_cut_here_and_the_total_is_told()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer(JsonSerializer.Serialize(Enumerable.Range(0, 5000).Select(i => $"metric_{i}")));

        var answer = await lab.Server.CallAsync(
            "prometheus_list_label_values",
            new
            {
                label = "__name__",
                limit = 3,
                offset = 6,
                filter = "_49",
            }
        );

        Assert.Equal(
            (111, "metric_495"),
            (answer.GetProperty("total").GetInt32(), answer.GetProperty("names")[0].GetString())
        );
        Assert.Contains("offset", answer.GetProperty("note").GetString());
    }

    [Fact]
    public async Task Many_series_are_cut_to_what_a_model_can_read_and_the_note_names_the_argument()
    {
        await using var lab = await PrometheusLab.StartAsync();
        var values = string.Join(',', Enumerable.Range(0, 241).Select(i => $"[{1795170000 + (i * 15)},\"0.{i}\"]"));
        var series = Enumerable.Range(0, 50).Select(i => $$$"""{"metric":{"i":"{{{i}}}"},"values":[{{{values}}}]}""");
        lab.Answer($$"""{"resultType":"matrix","result":[{{string.Join(',', series)}}]}""");

        var range = await lab.Server.CallAsync(
            "prometheus_query_range",
            new
            {
                query = "x",
                start = "1795170000",
                end = "1795173600",
                limit = 100,
            }
        );

        Assert.Equal((50, 16), (range.GetProperty("total").GetInt32(), range.GetProperty("series").GetArrayLength()));
        Assert.Contains("These are 16 of 50 series", range.GetProperty("note").GetString());
        Assert.Contains("Go on with offset=16", range.GetProperty("note").GetString());
        Assert.Contains("raise step", range.GetProperty("note").GetString());
        Assert.True(range.GetRawText().Length < 60_000);
    }

    [Fact]
    public async Task Targets_that_disagree_about_a_metric_are_all_heard()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer("""{"x":[{"type":"counter","help":"a","unit":""},{"type":"gauge","help":"b","unit":"bytes"}]}""");

        var metrics = (await lab.Server.CallAsync("prometheus_get_metadata", new { metric = "x" })).GetProperty(
            "metrics"
        );

        Assert.Equal(
            """[{"name":"x","type":"counter","help":"a"},{"name":"x","type":"gauge","help":"b","unit":"bytes"}]""",
            metrics.GetRawText()
        );
    }

    [Fact]
    public async Task The_chart_is_a_picture_beside_the_numbers_on_every_surface()
    {
        await using var lab = await PrometheusLab.StartAsync();
        var arguments = JsonElement.Parse($$"""{"query":"up",{{PrometheusParity.Recorded}},"chart":true}""");

        var rest = await lab.Server.CallAsync("prometheus_query_range", arguments);
        var mcp = (await lab.Server.McpAsync("tools/call", new { name = "prometheus_query_range", arguments })).Result;

        var block = mcp.GetProperty("content")[1];
        Assert.Equal(
            ("image", "image/png"),
            (block.GetProperty("type").GetString(), block.GetProperty("mimeType").GetString())
        );
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], block.GetProperty("data").GetBytesFromBase64()[..4]);
        Assert.Equal(3, mcp.GetProperty("structuredContent").GetProperty("total").GetInt32());
        Assert.Equal(block.GetRawText(), rest.GetProperty("content")[0].GetRawText());
        Assert.Equal(3, rest.GetProperty("total").GetInt32());
    }
}
