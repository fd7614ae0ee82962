using System.Text.Json;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>Every request that a tool sends is one that the API has.</summary>
[Slow]
public sealed class GrafanaContractTests
{
    private const string Uid = "[A-Za-z0-9_-]+",
        V2 = "/apis/dashboard.grafana.app/v2[a-z0-9]*/namespaces/[a-z0-9-]+/dashboards";

    /// <summary>What the tools use of the API of Grafana 12.</summary>
    internal static readonly Operation[] Api =
    [
        new("GET", "/api/health"),
        new("GET", "/api/org"),
        new("GET", "/api/search", "*type *limit *page query tag folderUIDs"),
        new("GET", "/api/folders", "limit page parentUid"),
        new("GET", $"/api/dashboards/uid/{Uid}"),
        new("DELETE", $"/api/dashboards/uid/{Uid}"),
        new("GET", "/apis/dashboard.grafana.app"),
        new("GET", $"{V2}/{Uid}"),
        new("POST", V2, Body: "apiVersion kind metadata metadata.annotations spec spec.title"),
        new("PUT", $"{V2}/{Uid}", Body: "apiVersion kind metadata.name metadata.resourceVersion spec spec.title"),
        new("GET", $"/api/folders/{Uid}"),
        new("GET", $"/api/library-elements/{Uid}"),
        new("POST", "/api/dashboards/db", Body: "dashboard dashboard.title overwrite message"),
        new("GET", "/api/datasources"),
        new("POST", "/api/datasources", Body: "name type url access isDefault"),
        new("GET", $"/api/datasources/uid/{Uid}"),
        new("GET", $"/api/datasources/uid/{Uid}/health"),
        new("GET", "/api/frontend/settings"),
        new(
            "POST",
            "/api/ds/query",
            Body: "from to queries queries.refId queries.datasource queries.intervalMs queries.maxDataPoints"
        ),
        new("GET", "/api/v1/provisioning/alert-rules"),
        new("GET", "/api/prometheus/grafana/api/v1/rules", "folder_uid rule_group state"),
        new("GET", "/api/annotations", "from to dashboardUID panelId limit tags"),
        new("POST", "/api/annotations", Body: "text time tags"),
    ];

    public static TheoryData<string, string> Calls =>
        new([
            .. GrafanaFailureTests.Good,
            (
                "grafana_list_dashboards",
                """{"query":"a&b=c #?ü","tag":"x y","folder_uid":"infra1","limit":1,"page":2}"""
            ),
            ("grafana_list_folders", """{"parent_uid":"a&b"}"""),
            ("grafana_get_dashboard", """{"uid":"no-such"}"""),
            ("grafana_get_dashboard", """{"uid":"v2board","full":true}"""),
            ("grafana_create_dashboard", """{"title":"New","folder_uid":"apps1","dashboard":{"elements":{}}}"""),
            (
                "grafana_update_dashboard",
                """{"uid":"v2board","version":3,"confirm":true,"dashboard":{"elements":{}}}"""
            ),
            (
                "grafana_create_dashboard",
                """{"title":"ü ☃","folder_uid":"apps1","dashboard":{"uid":"mine","version":3,"id":4}}"""
            ),
            (
                "grafana_create_datasource",
                """{"name":"New","type":"loki","url":"http://l:1","is_default":"""
                    + """true,"uid":"new1","json_data":{"a":1},"test":true}"""
            ),
            (
                "grafana_query_datasource",
                """{"datasource_uid":"prom1","query":"up","instant":"""
                    + """true,"start":"7d","max_data_points":1000,"chart":true}"""
            ),
            (
                "grafana_query_datasource",
                """{"datasource_uid":"odd1","query":"{\"scenario\":\"x\",\"refId\":\"Z\","""
                    + """\"datasource\":{\"uid\":\"other\"}}"}"""
            ),
            ("grafana_list_annotations", """{"dashboard_uid":"a&b","tag":"c d","limit":1}"""),
            (
                "grafana_create_annotation",
                """{"text":"x","dashboard_uid":"infra","panel_id":1,"time":"1h","time_end":"now"}"""
            ),
        ]);

    [Theory, MemberData(nameof(Calls))]
    public async Task A_request_is_one_that_the_API_has(string tool, string arguments)
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        using var _ = await lab.Server.PostAsync("/tools/" + tool, arguments);

        Operation.AssertKnown(lab.Asked(), Api);
    }

    [Fact]
    public async Task A_query_in_parts_cannot_name_another_data_source_than_the_argument()
    {
        await using var lab = await GrafanaLab.StartFakeAsync();

        await lab.Server.CallAsync(
            "grafana_query_datasource",
            JsonElement.Parse(
                """{"datasource_uid":"odd1","query":"{\"scenario\":\"x\",\"datasource\":{\"uid\":\"db1\"}}"}"""
            )
        );

        Assert.Equal(
            "odd1",
            lab.Asked()[^1].Json.GetProperty("queries")[0].GetProperty("datasource").GetProperty("uid").GetString()
        );
    }
}
