using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>
/// Dashboards of every kind: schema v2, old rows, library and mixed panels, and those larger than an answer; alert
/// rules of older versions.
/// </summary>
[Slow]
public sealed class GrafanaDashboardTests
{
    private const string Kinds = """
        {"schemaVersion":41,"panels":[
          {"id":1,"type":"text","title":"Read me","options":{"mode":"markdown","content":"Call the **operator**"}},
          {"id":2,"type":"row","title":"Hosts","repeat":"job","collapsed":false,"panels":[]},
          {"id":3,"type":"timeseries","title":"Mixed","datasource":{"type":"datasource","uid":"-- Mixed --"},
           "repeat":"zone","transformations":[{"id":"organize","options":{}}],
           "targets":[{"refId":"A","datasource":{"type":"prometheus","uid":"prom1"},"expr":"up"},
                      {"refId":"B","datasource":{"type":"loki","uid":"loki1"},"expr":"{app=\"web\"}"}]},
          {"id":4,"title":"Shared","libraryPanel":{"uid":"lib1","name":"Shared memory"}},
          {"id":5,"title":"Gone","libraryPanel":{"uid":"lib9","name":"Deleted"}}],
         "templating":{"list":[{"name":"job","type":"query","datasource":{"uid":"prom1"},
                                "query":"label_values(up, job)","multi":true,"regex":"/node.*/"}]}}
        """;

    private const string Rows = """
        {"schemaVersion":14,"rows":[
          {"title":"Machine","repeat":"host","collapse":true,"panels":[
            {"id":1,"type":"graph","title":"Load","datasource":"prom1","targets":[{"refId":"A","expr":"node_load1"}]},
            {"id":2,"type":"text","content":"An old text"}]},
          {"title":"Network","panels":[{"id":3,"type":"graph","title":"In","targets":[{"refId":"A","expr":"rx"}]}]}]}
        """;

    [Fact]
    public async Task A_dashboard_of_schema_v2_is_read_where_Grafana_says_that_it_is()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var board = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "v2board", full = true });

        Assert.Equal(
            ("New kind", "v2", 3, "infra1", "Infrastructure", "user:admin"),
            (
                board.GetProperty("title").GetString(),
                board.GetProperty("schema").GetString(),
                board.GetProperty("version").GetInt32(),
                board.GetProperty("folderUid").GetString(),
                board.GetProperty("folderTitle").GetString(),
                board.GetProperty("updatedBy").GetString()
            )
        );
        AssertJson(
            """
            [{"id":2,"type":"text","title":"Read me","queries":[],"section":"Hosts / Hardware",
              "text":"Call the **operator**","path":"/elements/panel-2"},
             {"id":1,"type":"timeseries","title":"CPU","datasource":"-- Mixed --","queries":["up",
              "{app=\"web\"}"],"queryDatasources":["prom1","loki1"],"section":"Hosts / Hardware",
              "repeat":"zone","transformations":["organize"],"path":"/elements/panel-1"},
             {"id":3,"type":"timeseries","title":"Memory","datasource":"prom1",
              "queries":["node_memory_MemAvailable_bytes"],"section":"Hosts / Hardware",
              "libraryPanel":"lib1","path":"/elements/panel-3"}]
            """,
            board.GetProperty("panels")
        );
        Assert.Equal(
            """[{"title":"Hosts","kind":"tab"},{"title":"Hosts / Hardware","kind":"row","repeat":"host"}]""",
            board.GetProperty("sections").GetRawText()
        );
        AssertJson(
            """
            [{"name":"host","type":"query","query":"label_values(up, instance)","current":"a","datasource":"prom1",
              "regex":"/(.*):.*/","multi":true,"includeAll":true},
             {"name":"zone","type":"custom","query":"north,south","current":"north"}]
            """,
            board.GetProperty("variables")
        );
        var layout = board.GetProperty("dashboard").GetProperty("layout");
        Assert.Equal("TabsLayout", layout.GetProperty("kind").GetString());
    }

    [Fact]
    public async Task A_dashboard_of_schema_v2_is_fetched_as_text()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        var dashboards = lab.Server.Services.GetService(typeof(MinimalMcp.Tools.Grafana.GrafanaDashboardTools));

        var document = await ((MinimalMcp.Tools.Grafana.GrafanaDashboardTools)dashboards!).FetchDocument(
            "v2board",
            TestContext.Current.CancellationToken
        );

        Assert.Equal(
            """
            # New kind

            What the hosts do

            # Hosts / Hardware

            ## Read me (text)
            Call the **operator**

            ## CPU (timeseries, once for each value of zone)
            up [prom1]
            {app="web"} [loki1]

            ## Memory (timeseries)
            node_memory_MemAvailable_bytes

            Variable host: label_values(up, instance)
            Variable zone: north,south
            """,
            document!.Text
        );
        Assert.Equal("Infrastructure", document.Metadata!["folder"]);
    }

    [Fact]
    public async Task A_dashboard_of_schema_v2_is_changed_over_the_version_that_was_read()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        var read = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "v2board", full = true });
        var changed = JsonNode.Parse(read.GetProperty("dashboard").GetRawText())!;
        changed["elements"]!["panel-1"]!["spec"]!["title"] = "Processors";

        var saved = await SaveAsync(3);

        Assert.Equal(
            ("v2board", 4, "infra1"),
            (
                saved.GetProperty("uid").GetString(),
                saved.GetProperty("version").GetInt32(),
                saved.GetProperty("folderUid").GetString()
            )
        );
        var resource = lab.Fake!.Resource("v2board");
        Assert.Equal("Processors", resource["spec"]!["elements"]!["panel-1"]!["spec"]!["title"]!.ToString());
        Assert.Equal("renamed", resource["metadata"]!["annotations"]!["grafana.app/message"]!.ToString());
        Assert.Contains("has version 4, not 3", await RefusedAsync(3));

        // Somebody saves between our read and our save.
        lab.Fake.AfterNextRead = () => lab.Fake.Touch("v2board");
        Assert.Contains("changed by somebody else meanwhile, and nothing was saved", await RefusedAsync(4));

        Task<JsonElement> SaveAsync(int version, int status = 200) =>
            lab.Server.CallAsync(
                "grafana_update_dashboard",
                new
                {
                    uid = "v2board",
                    version,
                    dashboard = changed,
                    message = "renamed",
                },
                status: status
            );

        async Task<string> RefusedAsync(int version) =>
            (await SaveAsync(version, 422)).GetProperty("detail").GetString()!;
    }

    [Theory]
    [InlineData("""{"elements":{"panel-1":{"kind":"Panel","spec":{"id":1,"title":"A"}}}}""", null)]
    [InlineData(
        """{"apiVersion":"dashboard.grafana.app/v2beta1","kind":"Dashboard","metadata":"""
            + """{"name":"mine"},"spec":{"elements":{}}}""",
        "mine"
    )]
    public async Task A_dashboard_of_schema_v2_is_created(string dashboard, string? uid)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var made = await lab.Server.CallAsync(
            "grafana_create_dashboard",
            new
            {
                title = "Made",
                folder_uid = "apps1",
                dashboard = JsonElement.Parse(dashboard),
            }
        );

        var name = made.GetProperty("uid").GetString()!;
        Assert.True(uid is null || uid == name);
        var resource = lab.Fake!.Resource(name);
        Assert.Equal(
            ("Made", "apps1"),
            (
                resource["spec"]!["title"]!.ToString(),
                resource["metadata"]!["annotations"]!["grafana.app/folder"]!.ToString()
            )
        );
        Assert.Equal(
            name,
            (await lab.Server.CallAsync("grafana_delete_dashboard", new { uid = name })).GetProperty("uid").GetString()
        );
    }

    [Fact]
    public async Task A_Grafana_without_schema_v2_says_so()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.IsOld = true;

        Assert.Contains(
            "This Grafana has no dashboards of schema v2",
            await lab.Server.FailAsync(
                422,
                "grafana_create_dashboard",
                JsonElement.Parse("""{"title":"x","dashboard":{"elements":{}}}""")
            )
        );
    }

    [Fact]
    public async Task Nothing_that_decides_a_panel_is_lost()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.Add("kinds", "Kinds", Kinds);

        var board = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "kinds" });

        AssertJson(
            """
            [{"id":1,"type":"text","title":"Read me","queries":[],"text":"Call the **operator**","path":"/panels/0"},
             {"id":3,"type":"timeseries","title":"Mixed","datasource":"-- Mixed --","queries":["up",
              "{app=\"web\"}"],"queryDatasources":["prom1","loki1"],"section":"Hosts","repeat":"zone",
              "transformations":["organize"],"path":"/panels/2"},
             {"id":4,"type":"timeseries","title":"Shared","datasource":"prom1",
              "queries":["node_memory_MemAvailable_bytes"],"section":"Hosts","libraryPanel":"lib1",
              "path":"/panels/3"},
             {"id":5,"title":"Gone","queries":[],"section":"Hosts","libraryPanel":"lib9","path":"/panels/4"}]
            """,
            board.GetProperty("panels")
        );
        Assert.Equal("""[{"title":"Hosts","kind":"row","repeat":"job"}]""", board.GetProperty("sections").GetRawText());
        AssertJson(
            """
            [{"name":"job","type":"query","query":"label_values(up, job)","datasource":"prom1","regex":"/node.*/",
              "multi":true}]
            """,
            board.GetProperty("variables")
        );
    }

    [Fact]
    public async Task Panels_in_rows_of_old_dashboards_are_read_and_guarded()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.Add("old", "Old", Rows);

        var board = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "old" });

        AssertJson(
            """
            [{"id":1,"type":"graph","title":"Load","datasource":"prom1","queries":["node_load1"],
              "section":"Machine","path":"/rows/0/panels/0"},
             {"id":2,"type":"text","queries":[],"section":"Machine","text":"An old text",
              "path":"/rows/0/panels/1"},
             {"id":3,"type":"graph","title":"In","queries":["rx"],"section":"Network",
              "path":"/rows/1/panels/0"}]
            """,
            board.GetProperty("panels")
        );
        Assert.Equal(
            """[{"title":"Machine","kind":"row","repeat":"host","collapsed":true},{"title":"Network","kind":"row"}]""",
            board.GetProperty("sections").GetRawText()
        );
        Assert.Contains(
            "would remove all 3 panels",
            await lab.Server.FailAsync(
                422,
                "grafana_update_dashboard",
                JsonElement.Parse("""{"uid":"old","version":7,"dashboard":{"title":"Old","rows":[]}}""")
            )
        );
    }

    [Fact]
    public async Task Panels_are_removed_when_the_user_agreed()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        await lab.Server.CallAsync(
            "grafana_update_dashboard",
            JsonElement.Parse("""{"uid":"infra","version":7,"confirm":true,"dashboard":{"panels":[]}}""")
        );

        Assert.Empty(lab.Fake!.Dashboard("infra")["panels"]!.AsArray());
    }

    [Theory]
    [InlineData("""{"dashboard":{"panels":[{"id":1,"title":"Inner"}]},"overwrite":true}""")]
    [InlineData("""{"meta":{"slug":"x"},"dashboard":{"panels":[{"id":1,"title":"Inner"}]}}""")]
    [InlineData(
        """{"apiVersion":"dashboard.grafana.app/v1beta1","kind":"Dashboard","spec":{"panels":[{"id":"""
            + """1,"title":"Inner"}]}}"""
    )]
    public async Task A_dashboard_is_found_in_its_wrapping(string dashboard)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var made = await lab.Server.CallAsync(
            "grafana_create_dashboard",
            new { title = "Wrapped", dashboard = JsonElement.Parse(dashboard) }
        );

        var saved = lab.Fake!.Dashboard(made.GetProperty("uid").GetString()!);
        Assert.Equal("Inner", saved["panels"]![0]!["title"]!.ToString());
        Assert.False(saved.ContainsKey("dashboard"));
    }

    [Fact]
    public async Task Changes_of_one_dashboard_take_their_turn()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.Add("busy", "Busy", """{"panels":[{"id":1}]}""");

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async i =>
                {
                    using var response = await lab.Server.PostAsync(
                        "/tools/grafana_update_dashboard",
                        $$"""{"uid":"busy","version":7,"dashboard":{"panels":[{"id":1,"title":"{{i}}"}] } }"""
                    );
                    return (
                        (int)response.StatusCode,
                        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
                    );
                })
        );

        Assert.Single(answers, answer => answer.Item1 == 200);
        // Each of the others read what the first had saved: none was between its read and its save.
        Assert.All(answers.Where(answer => answer.Item1 != 200), answer =>
            Assert.Contains("has version 8, not 7", answer.Item2)
        );
    }

    [Fact]
    public async Task A_dashboard_larger_than_an_answer_is_read_in_parts()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        var filler = new string('x', 900);
        var panels = string.Join(
            ',',
            Enumerable
                .Range(1, 260)
                .Select(i =>
                    $$$"""{"id":{{{i}}},"type":"stat","title":"P{{{i}}}","targets":[{"expr":"{{{filler}}}" } ] }"""
                )
        );
        lab.Fake!.Add("big", "Big", $$"""{"panels":[{{panels}}],"description":"{{new string('y', 90_000)}}"}""");

        Assert.Equal(260, await CountAsync("panels", "{\"uid\":\"big\",\"offset\":OFFSET}"));
        Assert.Equal(260, await CountAsync("part", "{\"uid\":\"big\",\"path\":\"/panels\",\"offset\":OFFSET}"));
        var whole = await lab.Server.CallAsync("grafana_get_dashboard", new { uid = "big", full = true });
        Assert.False(whole.TryGetProperty("dashboard", out _));
        Assert.Equal(
            ["/panels", "/description"],
            whole.GetProperty("largeParts").EnumerateArray().Select(part => part.GetProperty("path").GetString())
        );
        var text = await lab.Server.CallAsync(
            "grafana_get_dashboard",
            new
            {
                uid = "big",
                path = "/description",
                offset = 80_000,
            }
        );
        Assert.Equal(10_000, text.GetProperty("part").GetString()!.Length);
        Assert.Contains(
            "nothing at /panels/999",
            await lab.Server.FailAsync(422, "grafana_get_dashboard", new { uid = "big", path = "/panels/999" })
        );

        async Task<int> CountAsync(string list, string arguments)
        {
            var (found, offset) = (0, (string?)"0");
            while (offset is not null)
            {
                var answer = await lab.Server.CallAsync(
                    "grafana_get_dashboard",
                    JsonElement.Parse(arguments.Replace("OFFSET", offset, StringComparison.Ordinal))
                );
                Assert.True(answer.GetRawText().Length < 99_000);
                found += answer.GetProperty(list).GetArrayLength();
                offset =
                    answer.TryGetProperty("note", out var note)
                    && note.GetString()!.Contains("offset=", StringComparison.Ordinal)
                        ? new string([.. note.GetString()!.Split("offset=")[1].TakeWhile(char.IsDigit)])
                        : null;
            }

            return found;
        }
    }

    [Fact]
    public async Task A_secret_is_hidden_also_in_a_part()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var part = await lab.Server.CallAsync(
            "grafana_get_dashboard",
            new { uid = "secrets", path = "/panels/0/targets/0/authorizationToken" }
        );

        Assert.Equal("[REDACTED]", part.GetProperty("part").GetString());
    }

    [Fact]
    public async Task Rules_of_Grafana_10_and_11_have_their_states()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.IsOld = true;

        var all = await lab.Server.CallAsync("grafana_list_alert_rules");
        var firing = await lab.Server.CallAsync("grafana_list_alert_rules", new { state = "firing" });
        var pending = await lab.Server.CallAsync("grafana_list_alert_rules", new { state = "pending" });

        Assert.Equal(
            ["rule1:inactive", "rule2:firing", "rule3:firing", "rule4:"],
            all.GetProperty("rules")
                .EnumerateArray()
                .Select(rule =>
                    rule.GetProperty("uid").GetString()
                    + ":"
                    + (rule.TryGetProperty("state", out var state) ? state.GetString() : "")
                )
        );
        Assert.Equal(
            ["rule2", "rule3"],
            firing.GetProperty("rules").EnumerateArray().Select(rule => rule.GetProperty("uid").GetString())
        );
        // What could not be worked out is not "none".
        Assert.Contains("state of 1 rules is not known, for example of \"Not yet evaluated\"", Note(firing));
        Assert.DoesNotContain("no such rule", Note(pending));
        Assert.Contains("state of 1 rules is not known", Note(pending));

        static string Note(JsonElement answer) => answer.GetProperty("note").GetString()!;
    }

    [Fact]
    public async Task Booleans_of_a_frame_are_booleans()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var answer = await lab.Server.CallAsync(
            "grafana_query_datasource",
            new { datasource_uid = "prom1", query = "flags" }
        );

        Assert.Equal(
            """[["a",true],["b",false],["c",null]]""",
            answer.GetProperty("tables")[0].GetProperty("rows").GetRawText()
        );
    }

    [Fact]
    public async Task Long_tables_and_series_are_read_to_the_end_and_a_long_cell_hides_no_other()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        var first = await QueryAsync("db1", "select * from log", 0);
        var rows = first.GetProperty("tables")[0].GetProperty("rows");
        var next = await QueryAsync("db1", "select * from log", 1000);
        var series = await QueryAsync("prom1", "long", 0);

        Assert.Equal(1500, first.GetProperty("tables")[0].GetProperty("total").GetInt32());
        Assert.Equal(1000, rows.GetArrayLength());
        Assert.EndsWith("… [truncated: 3000000 characters]", rows[0][1].GetString());
        Assert.Contains("Go on with offset=1000", first.GetProperty("note").GetString());
        Assert.Equal(500, next.GetProperty("tables")[0].GetProperty("rows").GetArrayLength());
        Assert.Equal(
            (5000, 2000),
            (
                series.GetProperty("series")[0].GetProperty("total").GetInt32(),
                series.GetProperty("series")[0].GetProperty("points").GetArrayLength()
            )
        );
        Assert.Contains("Go on with start=", series.GetProperty("note").GetString());

        Task<JsonElement> QueryAsync(string datasource_uid, string query, int offset) =>
            lab.Server.CallAsync(
                "grafana_query_datasource",
                new
                {
                    datasource_uid,
                    query,
                    limit = 1000,
                    offset,
                }
            );
    }

    [Fact]
    public async Task A_plus_sign_is_sent_as_it_is()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        await lab.Server.CallAsync("grafana_create_annotation", new { text = "2 + 2 <b>" });

        Assert.Contains("2 + 2 <b>", lab.Asked()[^1].Body);
    }

    [Fact]
    public async Task A_query_that_failed_is_not_said_to_have_changed_anything()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        var before = lab.Fake!.System.Handle!;
        lab.Fake.System.Handle = question =>
            question.Line.Contains("ds/query", StringComparison.Ordinal)
                ? (500, """{"message":"Internal server error"}""")
                : before(question);

        Assert.DoesNotContain(
            "change",
            await lab.Server.FailAsync(502, "grafana_query_datasource", new { datasource_uid = "prom1", query = "up" })
        );
    }

    [Theory]
    [InlineData(429, "", "wait 17 seconds")]
    [InlineData(400, "Client sent an HTTP request to an HTTPS server.\n", "Use https:// in Grafana:Url")]
    [InlineData(400, "<html><h1>The plain HTTP request was sent to HTTPS port</h1></html>", "Use https://")]
    public async Task What_is_in_the_way_is_told_with_what_to_do(int status, string body, string part)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();
        lab.Fake!.System.Serve = async (http, _) =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.RetryAfter = "17";
            await http.Response.WriteAsync(body, http.RequestAborted);
        };

        Assert.Contains(part, await lab.Server.FailAsync(502, "grafana_list_dashboards"));
    }

    private static void AssertJson(string expected, JsonElement actual) =>
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(actual.GetRawText())!.ToJsonString());
}
