using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Web;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>
/// What becomes of answers of Prometheus 2.42 and 3.14 and of VictoriaMetrics 1.150, which were recorded (Recorded/).
/// </summary>
[Slow]
public sealed class PrometheusRecordedTests
{
    private const string Window = "\"start\":\"1795878181\",\"end\":\"1795878301\",\"step\":\"30s\"";

    [Fact]
    public async Task An_OpenMetrics_counter_has_the_type_and_help_of_its_metric()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.Handle = question =>
            question.Line.Contains("/metadata", StringComparison.Ordinal)
                ? question.Line.Contains("metric=om_req_total", StringComparison.Ordinal)
                    ? (200, """{"status":"success","data":{}}""")
                    : (200, PrometheusLab.Recorded("metadata_openmetrics"))
                : (200, """{"status":"success","data":["om_req_created","om_req_total","other_total"]}""");

        var one = await lab.Server.CallAsync("prometheus_get_metadata", new { metric = "om_req_total" });
        var listed = await lab.Server.CallAsync("prometheus_list_metrics", new { search = "om_req_total" });

        const string Described = """[{"name":"om_req_total","type":"counter","help":"Requests"}]""";
        Assert.Equal(Described, one.GetProperty("metrics").GetRawText());
        Assert.Equal(Described, listed.GetProperty("metrics").GetRawText());
    }

    [Theory]
    [InlineData("native_histogram_instant_2.42", "492", "143.5", 4, 0.1875, 1.13879)]
    [InlineData("native_histogram_utf8_instant", "60", "25.200000000000003", 4, 0.208333, 1.15535)]
    public async Task A_native_histogram_has_its_buckets_and_quantiles(
        string file,
        string count,
        string sum,
        int buckets,
        double power,
        double median
    )
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Replay(file);

        var histogram = (await lab.Server.CallAsync("prometheus_query", new { query = "x" }))
            .GetProperty("series")[0]
            .GetProperty("histogram");

        Assert.Equal(
            (count, sum, buckets),
            (
                histogram.GetProperty("count").GetString(),
                histogram.GetProperty("sum").GetString(),
                histogram.GetProperty("buckets").GetArrayLength()
            )
        );
        // The buckets have the ratio 2^(1/8), and the median is at a power of 2 between their bounds.
        Assert.Equal(Math.Pow(2, power), median, 4);
        Assert.Equal(median, histogram.GetProperty("p50").GetDouble(), 4);
        Assert.InRange(histogram.GetProperty("p99").GetDouble(), histogram.GetProperty("p90").GetDouble(), 1.2968396);
    }

    [Fact]
    public async Task A_range_of_native_histograms_is_drawn()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Replay("native_histogram_range");

        var answer = await lab.Server.CallAsync(
            "prometheus_query_range",
            JsonElement.Parse("""{"query":"x","start":"1795879507","end":"1795879627","step":"30s","chart":true}""")
        );

        var series = answer.GetProperty("series")[0];
        Assert.Equal(5, series.GetProperty("histograms").GetArrayLength());
        Assert.All(series.GetProperty("histograms").EnumerateArray(), histogram =>
            Assert.InRange(histogram.GetProperty("p50").GetDouble(), 1, 1.3)
        );
        Assert.True(series.GetProperty("histogram").GetProperty("buckets").GetArrayLength() > 2);
        // The colours of three lines, for three quantiles, are in the palette of the image.
        var png = answer.GetProperty("content")[0].GetProperty("data").GetBytesFromBase64();
        Assert.All(new[] { 0x1F6FB4, 0xD1242F, 0x1A8F3C }, colour =>
            Assert.True(
                png.AsSpan().IndexOf([(byte)(colour >> 16), (byte)(colour >> 8), (byte)colour]) > 0,
                $"{colour:x}"
            )
        );
    }

    [Fact]
    public async Task The_mean_of_the_largest_numbers_is_a_number()
    {
        await using var lab = await PrometheusLab.StartAsync();
        const string Largest = "1.7976931348623157e+308";
        lab.Answer(
            "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":["
                + string.Join(',', Enumerable.Range(0, 5).Select(i => $"[{1795878181 + (i * 30)},\"{Largest}\"]"))
                + "]}]}"
        );

        var answer = await lab.Server.CallAsync(
            "prometheus_query_range",
            JsonElement.Parse($$"""{"query":"x",{{Window}}}""")
        );

        Assert.Equal(
            double.MaxValue,
            answer.GetProperty("series")[0].GetProperty("summary").GetProperty("average").GetDouble()
        );
    }

    [Fact]
    public async Task Odd_values_arrive_as_they_were_written()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Replay("odd_values");

        var answer = await lab.Server.CallAsync("prometheus_query", new { query = "odd_values" });

        var values = answer
            .GetProperty("series")
            .EnumerateArray()
            .ToDictionary(
                series => series.GetProperty("metric").GetProperty("kind").GetString()!,
                series => series.GetProperty("value").GetString()
            );
        Assert.Equal(
            ("12345678901234567000", "1.7976931348623157e+308", "+Inf", "NaN"),
            (values["big"], values["huge"], values["inf"], values["nan"])
        );
        Assert.Matches(@"^2026-11-28T15:05:03\.586Z$", answer.GetProperty("time").GetString());
    }

    [Fact]
    public async Task Infos_and_warnings_are_shown_also_when_the_answer_is_empty()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Replay("infos");
        var infos = await lab.Server.CallAsync("prometheus_query", new { query = "rate(wave_bytes[5m])" });
        lab.Replay("warnings");
        var warned = await lab.Server.CallAsync("prometheus_query", new { query = "x" });
        lab.Replay("""{"status":"success","data":{"alerts":[]},"warnings":["one store is away"]}""");
        var list = await lab.Server.CallAsync("prometheus_list_alerts");

        Assert.Contains("metric might not be a counter", infos.GetProperty("infos")[0].GetString());
        Assert.StartsWith(
            "Prometheus warns: PromQL warning: bucket label \"le\" is missing",
            warned.GetProperty("note").GetString()
        );
        Assert.Equal(
            ("one store is away", "Prometheus warns: one store is away. No alert is firing or pending right now."),
            (list.GetProperty("warnings")[0].GetString(), list.GetProperty("note").GetString())
        );
    }

    [Fact]
    public async Task A_position_counts_characters_where_Prometheus_counts_bytes()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.Handle = _ =>
            (
                400,
                """{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:16:"""
                    + """ parse error: odd"}"""
            );

        Assert.Contains(
            "at line 1, column 15, after \"{job=\"läden\"} \": odd",
            await lab.Server.FailAsync(422, "prometheus_query", new { query = "{job=\"läden\"} x" })
        );
    }

    [Fact]
    public async Task A_name_with_dots_is_shown_in_the_form_that_works()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.Handle = _ => (400, PrometheusLab.Recorded("error_utf8"));
        var refused = await lab.Server.FailAsync(422, "prometheus_query", new { query = "http.server.requests" });
        lab.System.Handle = _ => (200, """{"status":"success","data":["http.server.requests"]}""");
        var listed = await lab.Server.CallAsync("prometheus_list_metrics");
        lab.System.Handle = _ => (200, PrometheusLab.Recorded("utf8_series"));
        var series = await lab.Server.CallAsync("prometheus_find_series", new { match = "{\"http.server.requests\"}" });

        Assert.Contains("after \"http\": unexpected character: '.'. A name with dots is quoted", refused);
        Assert.Contains("{\"http.server.requests\"}", refused);
        Assert.Contains("{\"http.server.requests\"}", listed.GetProperty("note").GetString());
        Assert.Equal("/\"q\"", series.GetProperty("series")[1].GetProperty("http.route").GetString());
    }

    [Theory]
    [InlineData("victoriametrics_error_422", 422, "cannot evaluate it", "group_left")]
    [InlineData("victoriametrics_error_parse", 400, "refused it", "unexpected token")]
    public async Task A_refusal_of_VictoriaMetrics_is_told_as_one_of_Prometheus(
        string file,
        int status,
        params string[] parts
    )
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.Handle = _ => (status, PrometheusLab.Recorded(file));

        var detail = await lab.Server.FailAsync(422, "prometheus_query", new { query = "up{" });

        Assert.All(parts, part => Assert.Contains(part, detail));
    }

    [Fact]
    public async Task A_range_of_VictoriaMetrics_begins_when_it_was_asked_to()
    {
        await using var lab = await PrometheusLab.StartAsync();
        // From 50 points on it rounds the start down to the step, unless nocache=1.
        lab.System.Handle = question =>
        {
            var query = HttpUtility.ParseQueryString(question.Line.Split('?')[1]);
            var (start, end, step) = (
                long.Parse(query["start"]!),
                long.Parse(query["end"]!),
                long.Parse(query["step"]!)
            );
            start -= query["nocache"] == "1" || (end - start) / step < 50 ? 0 : start % step;
            var values = Enumerable.Range(0, (int)((end - start) / step) + 1).Select(i => start + (i * step));
            return (
                200,
                "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":["
                    + string.Join(',', values.Select(time => $"[{time},\"{time}\"]"))
                    + "]}]}}"
            );
        };

        var answer = await lab.Server.CallAsync(
            "prometheus_query_range",
            new
            {
                query = "time()",
                start = "1795221000",
                end = "1795500000",
                step = "1h",
            }
        );

        var values = answer.GetProperty("series")[0].GetProperty("values").EnumerateArray();
        Assert.Equal(
            Enumerable.Range(0, 78).Select(i => $"{1795221000 + (i * 3600)}"),
            values.Select(value => value.GetString())
        );
    }

    [Fact]
    public async Task A_value_that_stands_between_two_steps_keeps_its_time()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Replay("victoriametrics_range_aligned"); // its start was rounded down by half an hour

        var series = (
            await lab.Server.CallAsync(
                "prometheus_query_range",
                new
                {
                    query = "time()",
                    start = "1795221000",
                    end = "1795501800",
                    step = "1h",
                }
            )
        ).GetProperty("series")[0];

        var times = series.GetProperty("times").EnumerateArray().Select(time => time.GetDateTimeOffset());
        var values = series.GetProperty("values").EnumerateArray().Select(value => value.GetString()!);
        Assert.Equal(
            values.Select(value => long.Parse(value, CultureInfo.InvariantCulture)),
            times.Select(time => time.ToUnixTimeSeconds())
        );
    }

    [Fact]
    public async Task A_query_that_timed_out_is_not_sent_again_and_a_gateway_that_failed_is()
    {
        await using var lab = await PrometheusLab.StartAsync();
        var timeout = PrometheusLab.Recorded("query_err_timeout");
        lab.System.Handle = _ => (503, timeout);

        Assert.Contains("stopped the query", await lab.Server.FailAsync(422, "prometheus_query", new { query = "x" }));
        Assert.Single(lab.System.Asked);

        lab.System.Asked.Clear();
        lab.System.ContentType = "text/html";
        lab.System.Handle = _ => (503, "<html>no server is available</html>");
        await lab.Server.FailAsync(502, "prometheus_query", new { query = "x" });
        Assert.True(lab.System.Asked.Count > 1);
    }

    [Fact]
    public async Task A_query_that_is_posted_is_not_said_to_have_changed_anything()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.Serve = (http, _) =>
        {
            http.Abort();
            return Task.CompletedTask;
        };

        var detail = await lab.Server.FailAsync(502, "prometheus_query", new { query = new string('x', 6000) });

        Assert.All(lab.System.Asked, asked => Assert.StartsWith("POST", asked.Line, StringComparison.Ordinal));
        Assert.Contains("without an answer", detail);
        Assert.DoesNotContain("change", detail);
    }

    [Fact]
    public async Task The_time_that_a_limit_names_is_the_time_to_wait()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.Serve = async (http, _) =>
        {
            http.Response.StatusCode = 429;
            http.Response.Headers.RetryAfter = "17";
            await http.Response.WriteAsync("too many requests", http.RequestAborted);
        };

        Assert.Contains("wait 17 seconds", await lab.Server.FailAsync(502, "prometheus_list_alerts"));
    }

    [Fact]
    public async Task Plain_HTTP_on_a_TLS_port_is_told_by_the_setting()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.Handle = _ => (400, "Client sent an HTTP request to an HTTPS server.\n");

        Assert.Contains("Use https:// in Prometheus:Url", await lab.Server.FailAsync(502, "prometheus_list_alerts"));
    }

    [Fact]
    public async Task A_target_that_was_never_scraped_has_no_time()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer(
            """{"activeTargets":[{"labels":{"job":"new"},"health":"unknown","lastScrape":"0001-01-01T00:00:00Z"}]}"""
        );

        var target = (await lab.Server.CallAsync("prometheus_list_targets")).GetProperty("targets")[0];

        Assert.False(target.TryGetProperty("lastScrape", out _));
    }

    [Fact]
    public async Task A_long_series_is_read_to_the_end_by_the_time_that_the_note_names()
    {
        await using var lab = await PrometheusLab.StartAsync();
        const long Newest = 1795879635;
        lab.System.Handle = question =>
        {
            var query = HttpUtility.ParseQueryString(question.Line.Split('?')[1]);
            var time = query["time"] is { } at ? long.Parse(at, CultureInfo.InvariantCulture) : Newest;
            var values = Enumerable
                .Range(0, 3500)
                .Select(i => Newest - ((3499 - i) * 15))
                .Where(value => value <= time)
                .Select(value => $"[{value},\"{value}\"]");
            return (
                200,
                "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":["
                    + string.Join(',', values)
                    + "]}]}}"
            );
        };

        var (read, time) = (new HashSet<string>(), "now");
        for (var part = 0; part < 10 && time is not null; part++)
        {
            var answer = await lab.Server.CallAsync("prometheus_query", new { query = "up[1d]", time });
            read.UnionWith(
                answer.GetProperty("series")[0].GetProperty("values").EnumerateArray().Select(one => one.GetString()!)
            );
            time = answer.TryGetProperty("note", out var note)
                ? note.GetString()!.Split("time=")[1].Split(' ')[0]
                : null;
        }

        Assert.Null(time);
        Assert.Equal(3500, read.Count);
    }

    [Theory]
    [InlineData("prometheus_query", """{"query":"x","limit":1000,"offset":OFFSET}""", "series")]
    [InlineData("prometheus_find_series", """{"match":"x","limit":500,"offset":OFFSET}""", "series")]
    [InlineData("prometheus_list_targets", """{"limit":500,"offset":OFFSET}""", "targets")]
    [InlineData("prometheus_list_alerts", """{"limit":500,"offset":OFFSET}""", "alerts")]
    [InlineData("prometheus_list_rules", """{"limit":500,"offset":OFFSET}""", "rules")]
    [InlineData("prometheus_get_metadata", """{"limit":500,"offset":OFFSET}""", "metrics")]
    public async Task A_list_that_is_larger_than_an_answer_is_read_to_the_end_by_its_offset(
        string tool,
        string arguments,
        string list
    )
    {
        await using var lab = await PrometheusLab.StartAsync();
        var labels = Enumerable
            .Range(0, 700)
            .Select(i => $$"""{"i":"{{i}}","x":"{{new string('x', 300)}}"}""")
            .ToArray();
        lab.Answer(
            tool switch
            {
                "prometheus_query" => Array(
                    """{"resultType":"vector","result":[""",
                    """{"metric":L,"value":[1,"1"]}"""
                ),
                "prometheus_find_series" => "[" + string.Join(',', labels) + "]",
                "prometheus_list_targets" => Array("""{"activeTargets":[""", """{"labels":L,"health":"up"}"""),
                "prometheus_list_alerts" => Array("""{"alerts":[""", """{"labels":L,"state":"firing"}"""),
                "prometheus_list_rules" => Array(
                    """{"groups":[{"name":"g","rules":[""",
                    """{"name":"r","labels":L}""",
                    "]}]}"
                ),
                _ => "{"
                    + string.Join(
                        ',',
                        Enumerable
                            .Range(0, 700)
                            .Select(i => $$"""  "m{{i}}":[{"type":"gauge","help":"{{new string('x', 300)}}"}]""")
                    )
                    + "}",
            }
        );

        var (found, offset) = (0, (string?)"0");
        while (offset is not null)
        {
            var answer = await lab.Server.CallAsync(
                tool,
                JsonElement.Parse(arguments.Replace("OFFSET", offset, StringComparison.Ordinal))
            );
            Assert.True(Encoding.UTF8.GetByteCount(answer.GetRawText()) < 99_000);
            found += answer.GetProperty(list).GetArrayLength();
            offset =
                answer.TryGetProperty("note", out var note)
                && note.GetString()!.Contains("offset=", StringComparison.Ordinal)
                    ? new string([.. note.GetString()!.Split("offset=")[1].TakeWhile(char.IsDigit)])
                    : null;
        }

        Assert.Equal(700, found);

        string Array(string before, string item, string after = "]}") =>
            before + string.Join(',', labels.Select(one => item.Replace("L", one, StringComparison.Ordinal))) + after;
    }

    [Fact]
    public async Task A_chart_shows_the_largest_series_and_the_note_says_how_many_there_are()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.Answer(
            "{\"resultType\":\"matrix\",\"result\":["
                + string.Join(
                    ',',
                    Enumerable
                        .Range(0, 30)
                        .Select(i => $$"""{"metric":{"i":"{{i}}"},"values":[[1795878181,"{{i}}"]]}""")
                )
                + "]}"
        );

        var answer = await lab.Server.CallAsync(
            "prometheus_query_range",
            JsonElement.Parse($$"""{"query":"x",{{Window}},"chart":true,"limit":5}""")
        );

        Assert.Equal((30, 5), (answer.GetProperty("total").GetInt32(), answer.GetProperty("series").GetArrayLength()));
        Assert.Contains("The chart shows the 12 largest of 30 lines.", answer.GetProperty("note").GetString());
    }
}
