using System.Text.Json;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>Bad input and bad answers: a sentence that says what to do, and never a success that is none.</summary>
[Slow]
public sealed class PrometheusFailureTests
{
    private const string Query = "prometheus_query",
        Range = "prometheus_query_range",
        Values = "prometheus_list_label_values",
        Series = "prometheus_find_series";

    /// <summary>
    /// What a model may send: tool, arguments, the status of REST (400 is the schema's, 422 the tool's), and part of
    /// the sentence.
    /// </summary>
    public static TheoryData<string, string, int, string> BadInput =>
        new()
        {
            { Query, """{"query":""}""", 400, "query" },
            { Query, """{"query":"up","limit":0}""", 400, "limit" },
            { Query, """{"query":"up","limit":100000}""", 400, "limit" },
            { Query, """{"query":"up","time":"some day"}""", 422, "\"some day\" is not a time. Write now" },
            { Query, """{"query":"up","time":"now/w"}""", 422, "Only days can be rounded to: now/d is today" },
            { Query, """{"query":"up","time":"1M"}""", 422, "A month is written 30d, a minute 1m" },
            { Query, """{"query":"up","time":"30"}""", 422, "say the unit" },
            { Query, """{"query":"up","time":"2026-13-45"}""", 422, "is not a time" },
            { Query, """{"query":"up","time":"99999999999999999999"}""", 422, "is not a time" },
            { Query, """{"query":"up","time":"now; drop"}""", 422, "is not a time" },
            { Query, """{"qery":"up"}""", 400, "did you mean 'query'?" },
            { Range, """{"query":"up","start":"now","end":"1h"}""", 422, "The window is empty" },
            { Range, """{"query":"up","start":"1h","end":"1h"}""", 422, "The window is empty" },
            { Range, """{"query":"up","start":"900y"}""", 422, "at most ten years" },
            { Range, """{"query":"up","start":"1980-01-01"}""", 422, "longer than ten years" },
            { Range, """{"query":"up","start":"1h","step":"0"}""", 422, "longer than zero" },
            { Range, """{"query":"up","start":"1h","step":"-5s"}""", 422, "is not a span of time" },
            {
                Range,
                """{"query":"up","start":"1h","step":"fast"}""",
                422,
                "is not a span of time. Write for example 30s"
            },
            { Range, """{"query":"up","start":"999999999999999999999999d"}""", 422, "is not a span" },
            { Range, """{"query":"up","start":"1h","chart":"yes"}""", 400, "chart" },
            { Series, """{"match":"up","lookback":"ever"}""", 422, "is not a span of time" },
            { Series, """{"match":""}""", 400, "match" },
            { Values, """{"label":""}""", 400, "label" },
            { "prometheus_list_targets", """{"state":"any"}""", 400, "state" },
            { "prometheus_list_targets", """{"health":"ill"}""", 400, "health" },
            { "prometheus_list_rules", """{"type":"alerting"}""", 400, "type" },
            { "prometheus_list_alerts", """{"state":"silenced"}""", 400, "state" },
            { "prometheus_list_label_names", """{"limit":-1}""", 400, "limit" },
            { "prometheus_list_metrics", """{"offset":-1}""", 400, "offset" },
            { "prometheus_get_metadata", """{"metric":["up","down"]}""", 400, "metric" },
        };

    /// <summary>What may come back: the status, the body, the status of REST, and parts of the sentence.</summary>
    public static TheoryData<int, string, int, string> BadAnswers =>
        new()
        {
            {
                400,
                """{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: """
                    + """parse error: unexpected end of input inside braces"}""",
                422,
                "at line 1, column 4, after \"up{\": unexpected end of input"
            },
            {
                400,
                """{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:1: """
                    + """parse error: no expression found in input"}""",
                422,
                "at line 1, column 1, at the beginning: no expression"
            },
            {
                400,
                """{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 77:"""
                    + """999: parse error: odd"}""",
                422,
                "at line 77, column 999"
            },
            {
                400,
                """{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,"""
                    + """000 points per timeseries."}""",
                422,
                "Prometheus refused it: exceeded maximum resolution"
            },
            {
                422,
                """{"status":"error","errorType":"execution","error":"found duplicate series for the """
                    + """match group; many-to-many matching not allowed"}""",
                422,
                "group_left"
            },
            {
                503,
                """{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}""",
                422,
                "Narrow the selector"
            },
            {
                499,
                """{"status":"error","errorType":"canceled","error":"query was canceled"}""",
                422,
                "Prometheus stopped the query"
            },
            {
                503,
                """{"status":"error","errorType":"internal","error":"TSDB not ready"}""",
                502,
                "It may be starting"
            },
            {
                500,
                """{"status":"error","errorType":"unavailable","error":"admin APIs disabled"}""",
                502,
                "answered 500: admin APIs disabled"
            },
            { 500, "kaput", 502, "answered 500" },
            { 502, "<html>bad gateway</html>", 502, "reached a web page (502)" },
            { 401, "", 502, "Check Prometheus:Token" },
            { 403, """{"message":"Forbidden by policy"}""", 502, "answered 403: Forbidden by policy" },
            { 404, "404 page not found", 502, "Check Prometheus:Url and its path prefix" },
            { 404, "<html>nothing here</html>", 502, "Check Prometheus:Url" },
            { 409, """{"status":"error","errorType":"x","error":"conflict"}""", 422, "answered 409: conflict" },
            { 412, """{"status":"error","error":"odd"}""", 422, "answered 412: odd" },
            {
                429,
                """{"status":"error","errorType":"too_many_requests","error":"the limit of this tenant is reached"}""",
                502,
                "wait a minute"
            },
            { 302, "", 502, "Redirects are not followed" },
            { 200, "\n <!DOCTYPE html><html>Sign in</html>", 502, "whether a login stands before it" },
            { 200, "", 502, "not Prometheus' API" },
            { 200, "[]", 502, "not Prometheus' API" },
            { 200, """{"status":"success"}""", 502, "not Prometheus' API" },
            { 200, """{"status":"success","data":{"resultType":""", 502, "not Prometheus' API" },
            {
                200,
                """{"status":"error","errorType":"execution","error":"in a success"}""",
                422,
                "cannot evaluate it: in a success"
            },
        };

    [Theory, MemberData(nameof(BadInput))]
    public async Task Bad_input_is_refused_with_what_to_write_and_nothing_is_asked(
        string tool,
        string arguments,
        int status,
        string part
    )
    {
        await using var lab = await PrometheusLab.StartAsync();

        Assert.Contains(part, await lab.Server.FailAsync(status, tool, JsonElement.Parse(arguments)));
        Assert.Empty(lab.System.Asked);
    }

    [Theory, MemberData(nameof(BadAnswers))]
    public async Task A_bad_answer_is_a_failure_that_says_what_to_do(int code, string body, int status, string part)
    {
        await using var lab = await PrometheusLab.StartAsync(("Prometheus:Token", "t0p-secret-token"));
        lab.System.ForgetRecorded();
        (lab.System.Status, lab.System.Answer) = (code, body);

        var detail = await lab.Server.FailAsync(status, Query, new { query = "up{" });

        Assert.Contains(part, detail);
        Assert.DoesNotContain("secret", detail);
    }

    [Fact]
    public async Task A_bad_answer_is_no_success_of_any_tool()
    {
        await using var lab = await PrometheusLab.StartAsync();
        lab.System.ForgetRecorded();
        foreach (
            var (status, body) in new[]
            {
                (200, "<html></html>"),
                (200, """{"status":"success","data":null}"""),
                (404, "404 page not found"),
                (403, "{}"),
            }
        )
        {
            (lab.System.Status, lab.System.Answer) = (status, body);
            foreach (var (tool, arguments) in Good)
            {
                Assert.NotEqual("", await lab.Server.FailAsync(502, tool, JsonElement.Parse(arguments)));
            }
        }
    }

    [Fact]
    public async Task A_Prometheus_that_is_not_there_is_told_by_its_setting()
    {
        var lab = await PrometheusLab.StartAsync();
        await lab.System.DisposeAsync();

        Assert.Contains("Check Prometheus:Url", await lab.Server.FailAsync(502, Query, new { query = "up" }));
        await lab.DisposeAsync();
    }

    [Fact]
    public async Task An_answer_that_is_too_large_is_not_read()
    {
        await using var lab = await PrometheusLab.StartAsync(("Outgoing:MaxResponseBytesOf:Prometheus", "2048"));
        lab.Answer($"\"{new string('x', 5000)}\"");

        Assert.Contains("larger than 2048 bytes", await lab.Server.FailAsync(502, "prometheus_list_targets"));
    }

    internal static IEnumerable<(string Tool, string Arguments)> Good =>
        new PrometheusParity()
            .Calls.Where(call => call.Failure is null)
            .Select(call => (call.Tool, call.Arguments))
            .DistinctBy(call => call.Tool);
}
