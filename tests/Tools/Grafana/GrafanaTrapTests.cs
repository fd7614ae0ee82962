using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>Where others who built such tools went wrong.</summary>
[Slow]
public sealed class GrafanaTrapTests
{
    [Theory]
    [InlineData("prom1", "up", """{"expr":"up","instant":false,"range":true,"format":"time_series"}""")]
    [InlineData("loki1", "{app=\"web\"}", """{"expr":"{app=\"web\"}","queryType":"range","maxLines":100}""")]
    [InlineData("db1", "select 1", """{"rawSql":"select 1","format":"table"}""")]
    [InlineData("odd1", "{\"scenario\":\"csv\"}", """{"scenario":"csv"}""")]
    public async Task A_query_names_its_data_source_inside_and_its_time_as_text(
        string datasource_uid,
        string query,
        string members
    )
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        await lab.Server.CallAsync(
            "grafana_query_datasource",
            new
            {
                datasource_uid,
                query,
                from = "2026-11-20T10:00:00Z",
                to = "1795172400",
            }
        );

        var body = lab.Asked()[^1].Json;
        Assert.Equal(
            ("1795168800000", "1795172400000"),
            (body.GetProperty("from").GetString(), body.GetProperty("to").GetString())
        );
        var sent = body.GetProperty("queries")[0];
        Assert.Equal(datasource_uid, sent.GetProperty("datasource").GetProperty("uid").GetString());
        Assert.Equal(
            ("A", 60000, 100),
            (
                sent.GetProperty("refId").GetString(),
                sent.GetProperty("intervalMs").GetInt32(),
                sent.GetProperty("maxDataPoints").GetInt32()
            )
        );
        Assert.All(JsonElement.Parse(members).EnumerateObject(), member =>
            Assert.True(JsonElement.DeepEquals(member.Value, sent.GetProperty(member.Name)), member.Name)
        );
    }

    [Fact]
    public async Task NaN_and_infinities_of_a_frame_are_told_beside_it_and_put_back()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var series = (
            await lab.Server.CallAsync("grafana_query_datasource", new { datasource_uid = "prom1", query = "nan" })
        ).GetProperty("series")[0];

        Assert.Equal(
            """[["1970-01-01T00:00:01Z","NaN"],["1970-01-01T00:00:02Z","+Inf"],["1970-01-01T00:00:"""
                + """03Z","-Inf"],["1970-01-01T00:00:04Z","1.5"]]""",
            series.GetProperty("points").GetRawText()
        );
        Assert.Equal(1.5, series.GetProperty("max").GetDouble());
    }

    [Theory]
    [InlineData(
        """[{"name":"Time","type":"time"},{"name":"Value","type":"number"}]""",
        "[[1000,2000],[null,null]]",
        1,
        """[["1970-01-01T00:00:01Z",null],["1970-01-01T00:00:02Z",null]]"""
    )]
    [InlineData(
        """[{"name":"Time","type":"time"},{"name":"Value","type":"number"}]""",
        "[[null,2000],[1,2]]",
        1,
        """[["1970-01-01T00:00:02Z","2"]]"""
    )]
    [InlineData(
        """[{"name":"Time","type":"time"},{"name":"Value","type":"number"}]""",
        "[[1000,2000],[1]]",
        1,
        """[["1970-01-01T00:00:01Z","1"],["1970-01-01T00:00:02Z",null]]"""
    )]
    [InlineData("""[{"name":"Time","type":"time"},{"name":"Value","type":"number"}]""", "[null,null]", 1, "[]")]
    [InlineData("""[{"name":"id","type":"string"}]""", "[null]", 0, null)]
    [InlineData("[null,null]", "[null,null]", 0, null)]
    [InlineData("null", "null", 0, null)]
    public async Task A_frame_of_nulls_is_no_failure(string fields, string values, int series, string? points)
    {
        await using var grafana = await Upstream.StartAsync();
        grafana.Handle = question =>
            question.Line.Contains("ds/query", StringComparison.Ordinal)
                ? (
                    200,
                    """{"results":{"A":{"status":200,"frames":[{"schema":{"fields":"""
                        + fields
                        + """},"data":{"values":"""
                        + values
                        + "}}]}}}"
                )
                : (200, """{"uid":"prom1","type":"prometheus"}""");
        await using var server = TestServer.Start(("Grafana:Url", grafana.Url), ("Grafana:Token", "t0ken-0815"));

        foreach (var chart in (bool[])[false, true])
        {
            var result = await server.CallAsync(
                "grafana_query_datasource",
                new
                {
                    datasource_uid = "prom1",
                    query = "up",
                    chart,
                }
            );

            Assert.Equal(series, result.GetProperty("totalSeries").GetInt32());
            Assert.Equal(
                points,
                series == 0 ? null : result.GetProperty("series")[0].GetProperty("points").GetRawText()
            );
        }
    }

    [Theory]
    [InlineData(
        "loki1",
        "{app=\"web\"}",
        """[{"total":2,"columns":["labels","Time","Line"],"rows":[["{\"app\":\"web\"}","2026-11-20T10:"""
            + """25:00Z","GET / 200"],["{\"app\":\"web\"}","2026-11-20T10:25:01Z","GET /x 404"]]}]"""
    )]
    [InlineData(
        "db1",
        "select id, customer from orders",
        """[{"total":3,"columns":["id","customer"],"rows":[["1","Ann"],["2","Ben"],["3",null]]}]"""
    )]
    public async Task Lines_of_a_log_and_rows_of_SQL_are_tables(string datasource_uid, string query, string tables)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        Assert.Equal(
            tables,
            (await lab.Server.CallAsync("grafana_query_datasource", new { datasource_uid, query }))
                .GetProperty("tables")
                .GetRawText()
        );
    }

    [Fact]
    public async Task Columns_of_one_frame_are_series_of_their_own_and_notices_are_passed_on()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var wide = await lab.Server.CallAsync(
            "grafana_query_datasource",
            new { datasource_uid = "prom1", query = "wide" }
        );
        var noted = await lab.Server.CallAsync(
            "grafana_query_datasource",
            new { datasource_uid = "prom1", query = "up" }
        );
        var none = await lab.Server.CallAsync(
            "grafana_query_datasource",
            new { datasource_uid = "prom1", query = "none" }
        );

        Assert.Equal(
            ["a", "b"],
            wide.GetProperty("series").EnumerateArray().Select(series => series.GetProperty("name").GetString())
        );
        Assert.Contains("might not be a counter", noted.GetProperty("note").GetString());
        Assert.Contains("returned no data", none.GetProperty("note").GetString());
    }

    [Theory]
    [InlineData("up{", "The data source refused the query: bad_data: invalid parameter")]
    [InlineData("partly", "context deadline exceeded")]
    public async Task A_query_that_failed_inside_an_answer_is_a_failure(string query, string part)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        Assert.Contains(
            part,
            await lab.Server.FailAsync(422, "grafana_query_datasource", new { datasource_uid = "prom1", query })
        );
    }

    [Fact]
    public async Task A_type_that_wants_more_than_a_text_is_said()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        Assert.Contains(
            "Give query as a JSON object",
            await lab.Server.FailAsync(422, "grafana_query_datasource", new { datasource_uid = "odd1", query = "text" })
        );
    }

    [Fact]
    public async Task A_saved_dashboard_stays_in_its_folder_and_is_never_saved_over_a_newer_version()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        var read = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "infra", full = true });

        await lab.Server.CallAsync(
            "grafana_update_dashboard",
            new
            {
                uid = "infra",
                version = 7,
                dashboard = read.GetProperty("dashboard"),
                message = "tidied",
            }
        );

        var body = lab.Asked()[^1].Json;
        Assert.Equal(
            ("infra1", false, "tidied"),
            (
                body.GetProperty("folderUid").GetString(),
                body.GetProperty("overwrite").GetBoolean(),
                body.GetProperty("message").GetString()
            )
        );
        Assert.Equal(7, body.GetProperty("dashboard").GetProperty("version").GetInt32());
        Assert.Equal(
            "infra1",
            (await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "infra" }))
                .GetProperty("folderUid")
                .GetString()
        );
        // What no summary shows is kept.
        Assert.Equal("wiki", lab.Fake!.Dashboard("infra")["links"]![0]!["title"]!.ToString());
    }

    [Theory]
    [InlineData("infra", 6, """{"panels":[{"id":1}]}""", "has version 7, not 6")]
    [InlineData("infra", 7, """{"title":"Only the title"}""", "would remove all 2 panels")]
    [InlineData("infra", 7, """{"panels":[]}""", "would remove all 2 panels")]
    [InlineData("infra", 7, """{"elements":{},"panels":[{"id":1}]}""", "schema v2")]
    [InlineData(
        "infra",
        7,
        """{"apiVersion":"dashboard.grafana.app/v2beta1","spec":{},"panels":[{"id":1}]}""",
        "schema v2"
    )]
    [InlineData("infra", 7, """{"title":"x","rows":[]}""", "would remove all 2 panels (CPU, Up)")]
    [InlineData("infra", 7, """{"dashboard":{"title":"x"},"overwrite":true}""", "would remove all 2 panels")]
    [InlineData("infra", 7, """{"panels":[{"id":1},{"id":3}]}""", "would remove all 1 variables (job)")]
    [InlineData(
        "v2board",
        3,
        """{"elements":{"panel-1":{"spec":{"id":1}}},"variables":[{}]}""",
        "remove 2 of 3 panels (Read me, Memory)"
    )]
    [InlineData("v2board", 7, """{"panels":[{"id":1}]}""", "schema v2, and was not saved")]
    [InlineData("fromfile", 7, """{"panels":[{"id":1}]}""", "provisioned from a file")]
    [InlineData(
        "secrets",
        7,
        """{"panels":[{"id":1,"targets":[{"authorizationToken":"[REDACTED]"}]}]}""",
        "in place of the secret"
    )]
    [InlineData(
        "nothing",
        7,
        """{"panels":[{"id":1}]}""",
        "Dashboard not found. grafana_list_dashboards returns the uids"
    )]
    public async Task What_would_lose_something_is_not_saved(string uid, int version, string dashboard, string part)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        Assert.Contains(
            part,
            await lab.Server.FailAsync(
                422,
                "grafana_update_dashboard",
                new
                {
                    uid,
                    version,
                    dashboard = JsonElement.Parse(dashboard),
                }
            )
        );
        Assert.DoesNotContain(lab.Asked(), asked => asked.Line.StartsWith("POST", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_change_between_our_read_and_our_save_is_Grafanas_to_refuse()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.AfterNextRead = () => lab.Fake.Dashboard("infra")["version"] = 8;

        Assert.Contains(
            "was changed by somebody else",
            await lab.Server.FailAsync(
                422,
                "grafana_update_dashboard",
                new
                {
                    uid = "infra",
                    version = 7,
                    dashboard = JsonElement.Parse("""{"panels":[{"id":1}]}"""),
                    confirm = true,
                }
            )
        );
    }

    [Theory]
    [InlineData("""{"title":"x","dashboard":{"uid":"infra"}}""", "There is a dashboard with the uid \"infra\" already")]
    [InlineData(
        """{"title":"x","dashboard":{"uid":"0123456789012345678901234567890123456789x"}}""",
        "at most 40 characters"
    )]
    [InlineData(
        """{"title":"x","folder_uid":"nowhere"}""",
        "folder not found. grafana_list_folders returns the folders"
    )]
    [InlineData("""{"title":"Node exporter","folder_uid":"infra1"}""", "Choose another title or folder")]
    [InlineData("""{"title":"x","dashboard":{"uid":"v2board","elements":{}}}""", "the uid \"v2board\" already")]
    [InlineData("""{"title":"x","dashboard":{"uid":"a/../b"}}""", "is not a uid")]
    public async Task A_new_dashboard_never_replaces_one_that_is_there(string arguments, string part)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        Assert.Contains(
            part,
            await lab.Server.FailAsync(422, "grafana_create_dashboard", JsonElement.Parse(arguments))
        );
    }

    [Fact]
    public async Task A_dashboard_may_come_as_text_as_some_hosts_send_objects()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var made = await lab.Server.CallAsync(
            "grafana_create_dashboard",
            new
            {
                title = "Made",
                dashboard = """{"id":5,"tags":["a"],"uid":"mine"}""",
                folder_uid = "apps1",
            }
        );

        Assert.Equal(
            ("mine", "apps1"),
            (made.GetProperty("uid").GetString(), made.GetProperty("folderUid").GetString())
        );
        var body = lab.Asked()[^1].Json.GetProperty("dashboard");
        Assert.False(body.TryGetProperty("id", out _));
        Assert.Equal("Made", body.GetProperty("title").GetString());
    }

    [Fact]
    public async Task A_summary_has_panels_also_of_collapsed_rows_and_of_schema_v2_and_no_secret()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var board = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "infra" });
        var secrets = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "secrets", full = true });
        var v2 = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "v2board" });

        Assert.Equal(
            ["CPU", "Up"],
            board.GetProperty("panels").EnumerateArray().Select(panel => panel.GetProperty("title").GetString())
        );
        Assert.Equal(
            ("job", "label_values(up, job)", "node"),
            (
                board.GetProperty("variables")[0].GetProperty("name").GetString(),
                board.GetProperty("variables")[0].GetProperty("query").GetString(),
                board.GetProperty("variables")[0].GetProperty("current").GetString()
            )
        );
        Assert.False(board.TryGetProperty("dashboard", out _));
        Assert.DoesNotContain("hunter2", secrets.GetRawText());
        Assert.Contains("[REDACTED]", secrets.GetProperty("dashboard").GetRawText());
        Assert.Equal("up", v2.GetProperty("panels")[1].GetProperty("queries")[0].GetString());
        Assert.Equal("v2", v2.GetProperty("schema").GetString());
    }

    [Fact]
    public async Task A_new_data_source_has_an_access_and_its_answer_is_read_where_it_stands()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var made = await lab.Server.CallAsync(
            "grafana_create_datasource",
            new
            {
                name = "Second",
                type = "prometheus",
                url = "http://p2:9090",
                is_default = true,
                test = true,
                json_data = new { httpMethod = "POST" },
            }
        );

        Assert.Equal("Second", made.GetProperty("dataSource").GetProperty("name").GetString());
        Assert.NotEqual("", made.GetProperty("dataSource").GetProperty("uid").GetString());
        Assert.Contains("Prometheus (prom1) no longer is", made.GetProperty("note").GetString());
        Assert.Contains("Successfully queried", made.GetProperty("health").GetString());
        Assert.Equal(
            "proxy",
            lab.Asked()
                .Single(asked => asked.Line.StartsWith("POST", StringComparison.Ordinal))
                .Json.GetProperty("access")
                .GetString()
        );
        Assert.Contains(
            "there is one already",
            await lab.Server.FailAsync(
                422,
                "grafana_create_datasource",
                new
                {
                    name = "Second",
                    type = "loki",
                    url = "http://l:1",
                }
            )
        );
        Assert.Contains(
            "without user name",
            await lab.Server.FailAsync(
                422,
                "grafana_create_datasource",
                new
                {
                    name = "Third",
                    type = "loki",
                    url = "http://ann:pw@l:1",
                }
            )
        );
    }

    [Fact]
    public async Task A_viewer_who_may_not_list_data_sources_sees_those_of_the_pages_and_may_query_them()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.Forbidden["/api/datasources"] = "datasources:read";

        var sources = await lab.Server.CallAsync("grafana_list_datasources");
        var answer = await lab.Server.CallAsync(
            "grafana_query_datasource",
            new { datasource_uid = "prom1", query = "up" }
        );

        Assert.Equal(
            """[{"uid":"prom1","name":"Prometheus","type":"prometheus","isDefault":true}]""",
            sources.GetProperty("dataSources").GetRawText()
        );
        Assert.Contains("datasources:read", sources.GetProperty("note").GetString());
        Assert.Equal(1, answer.GetProperty("totalSeries").GetInt32());
    }

    [Fact]
    public async Task Alert_rules_have_the_state_that_is_told_elsewhere()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var all = (await lab.Server.CallAsync("grafana_list_alert_rules")).GetProperty("rules");
        var firing = Assert.Single(
            (await lab.Server.CallAsync("grafana_list_alert_rules", new { state = "firing" }))
                .GetProperty("rules")
                .EnumerateArray()
        );
        lab.Fake!.Forbidden["/api/prometheus"] = "alert.rules:read";
        var without = await lab.Server.CallAsync("grafana_list_alert_rules");

        Assert.Equal(
            ["firing", "inactive"],
            all.EnumerateArray().Select(rule => rule.GetProperty("state").GetString())
        );
        Assert.Equal(
            ("Target down", 1, "up == 0"),
            (
                firing.GetProperty("title").GetString(),
                firing.GetProperty("activeAlerts").GetInt32(),
                firing.GetProperty("queries")[0].GetString()
            )
        );
        Assert.Contains(
            "States are missing. Grafana answered 403: You'll need additional permissions to perform "
                + "this action. Permissions needed: alert.rules:read",
            without.GetProperty("note").GetString()
        );
        Assert.Contains(
            "alert.rules:read",
            await lab.Server.FailAsync(502, "grafana_list_alert_rules", new { state = "firing" })
        );
    }

    [Fact]
    public async Task A_full_page_says_that_there_may_be_more()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var first = await lab.Server.CallAsync("grafana_list_dashboards", new { limit = 2 });
        var last = await lab.Server.CallAsync("grafana_list_dashboards", new { limit = 3, page = 2 });

        Assert.Contains("page=2", first.GetProperty("note").GetString());
        Assert.Equal((1, false), (last.GetProperty("dashboards").GetArrayLength(), last.TryGetProperty("note", out _)));
    }

    [Fact]
    public async Task Being_healthy_proves_nothing_about_the_token()
    {
        await using var lab = await GrafanaLab.StartFakeAsync(("Grafana:Token", "glsa_of_another_grafana_1"));

        var health = await lab.Server.CallAsync("grafana_get_health");
        var check = (
            await lab
                .Server.Services.GetRequiredService<HealthCheckService>()
                .CheckHealthAsync(TestContext.Current.CancellationToken)
        ).Entries["grafana"];

        Assert.Equal(
            (true, false),
            (health.GetProperty("healthy").GetBoolean(), health.GetProperty("authorised").GetBoolean())
        );
        Assert.Equal(
            (HealthStatus.Degraded, "12.1.0", false),
            (check.Status, check.Data["version"], check.Data["authorised"])
        );
        Assert.DoesNotContain("glsa_", health.GetRawText());
    }

    [Fact]
    public async Task A_database_that_fails_is_unhealthy_and_not_an_unknown_failure()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        var before = lab.Fake!.System.Handle!;
        lab.Fake.System.Handle = question =>
            question.Line == "GET /api/health"
                ? ((int)HttpStatusCode.ServiceUnavailable, """{"database":"failing","version":"12.1.0"}""")
                : before(question);

        var health = await lab.Server.CallAsync("grafana_get_health");

        Assert.Equal(
            (false, "failing"),
            (health.GetProperty("healthy").GetBoolean(), health.GetProperty("database").GetString())
        );
    }
}
