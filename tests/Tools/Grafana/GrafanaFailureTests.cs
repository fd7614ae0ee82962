using System.Text.Json;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>Bad input and bad answers: a sentence that says what to do, and never a success that is none.</summary>
[Slow]
public sealed class GrafanaFailureTests
{
    public static TheoryData<string, string, int, string> BadInput =>
        new()
        {
            { "grafana_list_dashboards", """{"limit":0}""", 400, "limit" },
            { "grafana_list_dashboards", """{"limit":100000}""", 400, "limit" },
            { "grafana_list_dashboards", """{"folder":"x"}""", 400, "is not an argument" },
            { "grafana_list_folders", """{"page":0}""", 400, "page" },
            { "grafana_get_dashboard", """{"uid":""}""", 400, "uid" },
            { "grafana_get_dashboard", """{"uid":".."}""", 422, "uid is not a uid" },
            { "grafana_get_dashboard", """{"uid":"a/b"}""", 422, "uid is not a uid" },
            { "grafana_get_dashboard", """{"uid":"a%2Fb"}""", 422, "uid is not a uid" },
            { "grafana_get_dashboard", """{"uid":"a?x=1"}""", 422, "uid is not a uid" },
            { "grafana_get_dashboard", """{"uid":"a#b"}""", 422, "uid is not a uid" },
            { "grafana_get_dashboard", """{"uid":"a\u0000b"}""", 422, "uid is not a uid" },
            { "grafana_delete_dashboard", """{"uid":"..\\.."}""", 422, "uid is not a uid" },
            { "grafana_delete_dashboard", "{}", 400, "uid" },
            { "grafana_update_dashboard", """{"uid":"infra","dashboard":{}}""", 400, "version" },
            {
                "grafana_update_dashboard",
                """{"uid":"../x","version":1,"dashboard":{"panels":[1]}}""",
                422,
                "uid is not a uid"
            },
            { "grafana_create_dashboard", """{"title":""}""", 400, "title" },
            { "grafana_create_dashboard", """{"title":"x","dashboard":"no json"}""", 400, "dashboard" },
            { "grafana_create_datasource", """{"name":"x","type":"loki"}""", 400, "url" },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://169.254.169.254/latest"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://0xa9fea9fe/"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://2852039166"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://[fe80::1]:80/"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://[fd00:ec2::254]/"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://[::ffff:169.254.169.254]/"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://[64:ff9b::a9fe:a9fe]/"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"https://Metadata.Google.Internal./"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://a.169.254.169.254.nip.io/"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_datasource",
                """{"name":"x","type":"loki","url":"http://l:1","json_data":{"a":[{"tokenUrl":"http:"""
                    + """//169.254.169.254/t"}]}}""",
                400,
                "link-local"
            },
            {
                "grafana_query_datasource",
                """{"datasource_uid":"a","query":"{\"url\":\"http://169.254.169.254/\"}"}""",
                400,
                "link-local"
            },
            {
                "grafana_create_dashboard",
                """{"title":"x","dashboard":{"panels":[{"targets":[{"url":"http://169.254.169.254/"}]}]}}""",
                400,
                "link-local"
            },
            { "grafana_query_datasource", """{"datasource_uid":"prom1"}""", 400, "query" },
            {
                "grafana_query_datasource",
                """{"datasource_uid":"../../admin","query":"up"}""",
                422,
                "datasource_uid is not a uid"
            },
            {
                "grafana_query_datasource",
                """{"datasource_uid":"prom1","query":"up","start":"some day"}""",
                422,
                "\"some day\" is not a time"
            },
            {
                "grafana_query_datasource",
                """{"datasource_uid":"prom1","query":"up","start":"now","end":"1h"}""",
                422,
                "The window is empty"
            },
            {
                "grafana_query_datasource",
                """{"datasource_uid":"prom1","query":"up","start":"1970-01-02"}""",
                422,
                "longer than ten years"
            },
            {
                "grafana_query_datasource",
                """{"datasource_uid":"prom1","query":"up","max_data_points":100000}""",
                400,
                "max_data_points"
            },
            { "grafana_list_alert_rules", """{"state":"Alerting"}""", 400, "state" },
            { "grafana_list_annotations", """{"start":"1h","end":"2h"}""", 422, "The window is empty" },
            { "grafana_create_annotation", """{"text":""}""", 400, "text" },
            { "grafana_create_annotation", """{"text":"x","panel_id":3}""", 422, "give dashboard_uid" },
            {
                "grafana_create_annotation",
                """{"text":"x","time":"1h","time_end":"2h"}""",
                422,
                "time_end is before time"
            },
            { "grafana_get_health", """{"verbose":true}""", 400, "verbose" },
        };

    public static TheoryData<int, string, int, string> BadAnswers =>
        new()
        {
            { 400, """{"message":"bad request data"}""", 422, "bad request data" },
            { 401, """{"message":"Invalid API key"}""", 502, "Check Grafana:Token" },
            { 401, "<html>login</html>", 502, "Check Grafana:Token" },
            {
                403,
                """{"message":"Permissions needed: dashboards:read"}""",
                502,
                "Permissions needed: dashboards:read. Give the service account"
            },
            {
                404,
                """{"message":"Dashboard not found"}""",
                422,
                "Dashboard not found. grafana_list_dashboards returns the uids"
            },
            { 404, "404 page not found", 502, "Check Grafana:Url and its path prefix" },
            { 404, "<html>not here</html>", 502, "reached a web page (404)" },
            { 406, """{"message":"odd"}""", 502, "answered 406" },
            { 409, """{"message":"conflict"}""", 422, "there is one already: conflict" },
            { 412, """{"message":"x","status":"version-mismatch"}""", 422, "changed by somebody else" },
            {
                412,
                """{"message":"It belongs to a plugin","status":"plugin-dashboard"}""",
                422,
                "It belongs to a plugin"
            },
            { 422, """{"message":"invalid"}""", 422, "invalid" },
            { 429, """{"message":"slow down"}""", 502, "wait a minute" },
            { 500, """{"message":"Internal server error"}""", 502, "answered 500" },
            { 502, "<html>bad gateway</html>", 502, "web page (502)" },
            { 503, "", 502, "answered 503" },
            { 302, "", 502, "Redirects are not followed" },
            { 200, "<!DOCTYPE html><html>Grafana</html>", 502, "whether a login stands before it" },
            { 200, "", 502, "not Grafana's API" },
            { 200, "[]", 502, "not Grafana's API" },
            { 200, "{}", 502, "not Grafana's API" },
            { 200, """{"meta":{},"dashboard":null}""", 502, "not Grafana's API" },
            { 200, """{"meta":{},"dashboard":{"panels":""", 502, "not Grafana's API" },
        };

    [Theory, MemberData(nameof(BadInput))]
    public async Task Bad_input_is_refused_with_what_to_write_and_nothing_is_changed(
        string tool,
        string arguments,
        int status,
        string part
    )
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        Assert.Contains(part, await lab.Server.FailAsync(status, tool, JsonElement.Parse(arguments)));
        Assert.Empty(lab.Asked());
    }

    [Theory, MemberData(nameof(BadAnswers))]
    public async Task A_bad_answer_is_a_failure_that_says_what_to_do(int code, string body, int status, string part)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.System.Handle = _ => (code, body);

        var detail = await lab.Server.FailAsync(status, "grafana_get_dashboard", new { uid = "infra" });

        Assert.Contains(part, detail);
        Assert.DoesNotContain("glsa_", detail);
    }

    [Fact]
    public async Task A_bad_answer_is_no_success_of_any_tool()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        foreach (
            var (status, body) in new[]
            {
                (200, "<html></html>"),
                (200, "\"text\""),
                (404, "404 page not found"),
                (403, "{}"),
                (200, "{}"),
            }
        )
        {
            lab.Fake!.System.Handle = _ => (status, body);
            foreach (var (tool, arguments) in Good.Where(call => call.Tool is not "grafana_delete_dashboard"))
            {
                Assert.NotEqual("", await lab.Server.FailAsync(502, tool, JsonElement.Parse(arguments)));
            }
        }
    }

    [Theory]
    [InlineData("grafana_delete_dashboard", """{"uid":"infra"}""")]
    [InlineData("grafana_create_annotation", """{"text":"x"}""")]
    public async Task A_change_that_may_have_been_made_is_told_so_and_not_made_again(string tool, string arguments)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.System.Handle = _ => (503, """{"message":"gone"}""");

        Assert.Contains("may have been made", await lab.Server.FailAsync(502, tool, JsonElement.Parse(arguments)));
        Assert.Single(lab.Asked());
    }

    [Fact]
    public async Task A_Grafana_that_is_not_there_is_told_by_its_setting()
    {
        var lab = await GrafanaLab.StartFakeAsync();
        await lab.Fake!.DisposeAsync();

        Assert.Contains("Check Grafana:Url", await lab.Server.FailAsync(502, "grafana_list_dashboards"));
        await lab.Server.DisposeAsync();
    }

    internal static IEnumerable<(string Tool, string Arguments)> Good =>
        new GrafanaParity()
            .Calls.Where(call => call.Failure is null)
            .Select(call => (call.Tool, call.Arguments))
            .DistinctBy(call => call.Tool);
}
