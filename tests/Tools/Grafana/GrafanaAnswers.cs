using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>Answers of data sources as frames, and of the APIs of alert rules, library panels and schema v2.</summary>
internal static class GrafanaAnswers
{
    public const string Rules = """
        [{"id":1,"uid":"rule1","orgID":1,"folderUID":"infra1","ruleGroup":"g1","title":"Target down","condition":"C",
          "for":"5m","labels":{"severity":"critical"},"annotations":{"summary":"down"},"isPaused":false,"record":null,
          "data":[{"refId":"A","datasourceUid":"prom1","model":{"expr":"up == 0"}},
                  {"refId":"C","datasourceUid":"__expr__","model":{"type":"threshold","expression":"A"}}]},
         {"id":2,"uid":"rule2","orgID":1,"folderUID":"apps1","ruleGroup":"g2","title":"Queue is long","for":"1m",
          "isPaused":true,"data":[{"refId":"A","datasourceUid":"prom1","model":{"expr":"queue > 10"}}]}]
        """;

    public const string States = """
        {"status":"success","data":{"groups":[
         {"name":"g1","file":"Infrastructure","folderUid":"infra1","rules":[
          {"uid":"rule1","folderUid":"infra1","name":"Target down","query":"up == 0","duration":300,"state":"firing",
           "health":"ok","lastError":"","type":"alerting",
           "alerts":[{"labels":{"alertname":"Target down"},"state":"Alerting","value":"1e+00"},
                     {"labels":{"alertname":"Target down"},"state":"Normal","value":""}]}]},
         {"name":"g2","file":"Applications","folderUid":"apps1","rules":[
          {"uid":"rule2","folderUid":"apps1","name":"Queue is long","state":"inactive","health":"error",
           "lastError":"no data","type":"alerting","alerts":[]}]}]}}
        """;

    /// <summary>Two folders have a group and a rule of the same name; a third rule is in an inner folder.</summary>
    public const string OldRules = """
        [{"id":1,"uid":"rule1","folderUID":"infra1","ruleGroup":"g1","title":"Target down","isPaused":false,"data":[]},
         {"id":2,"uid":"rule2","folderUID":"apps1","ruleGroup":"g1","title":"Target down","isPaused":false,"data":[]},
         {"id":3,"uid":"rule3","folderUID":"inner1","ruleGroup":"g3","title":"Queue is long","isPaused":false,
          "data":[]},
         {"id":4,"uid":"rule4","folderUID":"infra1","ruleGroup":"g4","title":"Not yet evaluated","isPaused":false,
          "data":[]}]
        """;

    /// <summary>As Grafana 10 and 11 evaluate them: without uid, in folders by title.</summary>
    public const string OldStates = """
        {"status":"success","data":{"groups":[
         {"name":"g1","file":"Applications","rules":[
          {"name":"Target down","state":"firing","health":"ok","alerts":[]}]},
         {"name":"g1","file":"Infrastructure","rules":[
          {"name":"Target down","state":"inactive","health":"ok","alerts":[]}]},
         {"name":"g3","file":"Applications/Inner","rules":[
          {"name":"Queue is long","state":"firing","health":"ok","alerts":[]}]}]}}
        """;

    public const string Versions = """
        {"kind":"APIGroup","apiVersion":"v1","name":"dashboard.grafana.app",
         "versions":[{"groupVersion":"dashboard.grafana.app/v1beta1","version":"v1beta1"},
                     {"groupVersion":"dashboard.grafana.app/v2alpha1","version":"v2alpha1"},
                     {"groupVersion":"dashboard.grafana.app/v2beta1","version":"v2beta1"}],
         "preferredVersion":{"groupVersion":"dashboard.grafana.app/v1beta1","version":"v1beta1"}}
        """;

    public const string LibraryPanel = """
        {"result":{"id":5,"orgId":1,"uid":"lib1","name":"Shared memory","kind":1,"type":"timeseries","version":2,
          "model":{"type":"timeseries","title":"Memory","datasource":{"type":"prometheus","uid":"prom1"},
                   "targets":[{"refId":"A","expr":"node_memory_MemAvailable_bytes"}]}}}
        """;

    /// <summary>The spec of a dashboard of schema v2beta1.</summary>
    public const string V2Spec = """
        {"title":"New kind","description":"What the hosts do","tags":["nodes"],"cursorSync":"Off","editable":true,
         "preload":false,"liveNow":false,"annotations":[],"links":[],
         "timeSettings":{"timezone":"browser","from":"now-6h","to":"now","autoRefresh":"","autoRefreshIntervals":[],
                         "hideTimepicker":false,"fiscalYearStartMonth":0},
         "variables":[
          {"kind":"QueryVariable","spec":{"name":"host","current":{"text":"a","value":"a"},"multi":true,
           "includeAll":true,"regex":"/(.*):.*/","query":{"kind":"DataQuery","group":"prometheus","version":"v0",
            "datasource":{"name":"prom1"},"spec":{"query":"label_values(up, instance)","refId":"Q"}}}},
          {"kind":"CustomVariable","spec":{"name":"zone","query":"north,south",
           "current":{"text":"north","value":"north"},"multi":false,"includeAll":false}}],
         "elements":{
          "panel-1":{"kind":"Panel","spec":{"id":1,"title":"CPU","description":"","links":[],
           "data":{"kind":"QueryGroup","spec":{"queries":[
            {"kind":"PanelQuery","spec":{"refId":"A","hidden":false,"query":{"kind":"DataQuery","group":"prometheus",
             "version":"v0","datasource":{"name":"prom1"},"spec":{"expr":"up"}}}},
            {"kind":"PanelQuery","spec":{"refId":"B","hidden":false,"query":{"kind":"DataQuery","group":"loki",
             "version":"v0","datasource":{"name":"loki1"},"spec":{"expr":"{app=\"web\"}"}}}}],
            "transformations":[{"kind":"organize","spec":{"id":"organize","options":{}}}],"queryOptions":{}}},
           "vizConfig":{"kind":"VizConfig","group":"timeseries","version":"","spec":{"options":{},
            "fieldConfig":{"defaults":{},"overrides":[]}}}}},
          "panel-2":{"kind":"Panel","spec":{"id":2,"title":"Read me","links":[],
           "data":{"kind":"QueryGroup","spec":{"queries":[],"transformations":[],"queryOptions":{}}},
           "vizConfig":{"kind":"VizConfig","group":"text","version":"","spec":{"options":{"mode":"markdown",
            "content":"Call the **operator**"},"fieldConfig":{"defaults":{},"overrides":[]}}}}},
          "panel-3":{"kind":"LibraryPanel","spec":{"id":3,"title":"Memory",
           "libraryPanel":{"uid":"lib1","name":"Shared memory"}}}},
         "layout":{"kind":"TabsLayout","spec":{"tabs":[{"kind":"TabsLayoutTab","spec":{"title":"Hosts",
          "layout":{"kind":"RowsLayout","spec":{"rows":[{"kind":"RowsLayoutRow","spec":{"title":"Hardware",
           "collapse":false,"repeat":{"mode":"variable","value":"host"},
           "layout":{"kind":"GridLayout","spec":{"items":[
            {"kind":"GridLayoutItem","spec":{"x":0,"y":0,"width":12,"height":8,
             "element":{"kind":"ElementReference","name":"panel-2"}}},
            {"kind":"GridLayoutItem","spec":{"x":12,"y":0,"width":12,"height":8,
             "repeat":{"mode":"variable","value":"zone"},
             "element":{"kind":"ElementReference","name":"panel-1"}}},
            {"kind":"GridLayoutItem","spec":{"x":0,"y":8,"width":12,"height":8,
             "element":{"kind":"ElementReference","name":"panel-3"}}}]}}}}]}}}}]}}}
        """;

    public static (int, string) Query(JsonElement body, IEnumerable<JsonObject> sources)
    {
        if (!IsText(body, "from") || !IsText(body, "to"))
        {
            return (400, """{"message":"bad request data"}""");
        }

        if (!body.TryGetProperty("queries", out var queries) || queries.GetArrayLength() == 0)
        {
            return (400, """{"message":"no queries found","messageId":"query.noQueries","statusCode":400}""");
        }

        var query = queries[0];
        var uid = query.TryGetProperty("datasource", out var named) ? named.GetProperty("uid").GetString() : null;
        if (sources.FirstOrDefault(source => source["uid"]!.ToString() == uid) is not { } source)
        {
            return (404, """{"message":"Data source not found"}""");
        }

        if (
            !query.TryGetProperty("refId", out _)
            || !query.TryGetProperty("intervalMs", out _)
            || !query.TryGetProperty("maxDataPoints", out _)
        )
        {
            return (400, """{"message":"query has no refId, intervalMs or maxDataPoints"}""");
        }

        return source["type"]!.ToString() switch
        {
            "prometheus" when query.TryGetProperty("expr", out var expr) => expr.GetString() switch
            {
                "up{" => (
                    400,
                    """{"results":{"A":{"error":"bad_data: invalid parameter \"query\": 1:4: parse """
                        + """error: unexpected end of input inside """
                        + """braces","errorSource":"downstream","status":400}}}"""
                ),
                "partly" => (207, """{"results":{"A":{"error":"context deadline exceeded","status":504}}}"""),
                "none" => (
                    200,
                    """{"results":{"A":{"status":200,"frames":[{"schema":{"refId":"A","fields":[]"""
                        + """},"data":{"values":[]}}]}}}"""
                ),
                "nan" => Frames(
                    """[{"name":"Time","type":"time"},{"name":"Value","type":"number","labels":{"job":"x"}}]""",
                    "[[1000,2000,3000,4000],[null,null,null,1.5]]",
                    """[null,{"NaN":[0],"Inf":[1],"NegInf":[2]}]"""
                ),
                "flags" => Frames(
                    """[{"name":"host","type":"string"},{"name":"up","type":"boolean"}]""",
                    """[["a","b","c"],[true,false,null]]"""
                ),
                "long" => Frames(
                    """[{"name":"Time","type":"time"},{"name":"Value","type":"number","labels":{"job":"x"}}]""",
                    $"[[{Numbers(1795170000000, 5000, 15000)}],[{Numbers(0, 5000, 1)}]]"
                ),
                "wide" => Frames(
                    """[{"name":"Time","type":"time","config":{"interval":15000}},"""
                        + """{"name":"a","type":"number","config":{"unit":"bytes"}},"""
                        + """{"name":"b","type":"number"}]""",
                    "[[1795170300000,1795170315000],[1,2],[3,null]]"
                ),
                _ => Frames(
                    """[{"name":"Time","type":"time","config":{"interval":15000}},"""
                        + """{"name":"Value","type":"number","labels":"""
                        + """{"__name__":"up","job":"prometheus"},"config":"""
                        + """{"displayNameFromDS":"up{job=\"prometheus\"}"}}]""",
                    "[[1795170300000,1795170315000],[1,0]]",
                    notices: """[{"severity":"info","text":"metric might not be a counter"}]"""
                ),
            },
            "loki" when query.TryGetProperty("maxLines", out _) => Frames(
                """[{"name":"labels","type":"other"},{"name":"Time","type":"time"},"""
                    + """{"name":"Line","type":"string"},{"name":"tsNs","type":"string"},"""
                    + """{"name":"id","type":"string"}]""",
                """[[{"app":"web"},{"app":"web"}],[1795170300000,1795170301000],["GET / 200","GET /x """
                    + """404"],["1795170300000000000","1"],["a","b"]]"""
            ),
            "grafana-postgresql-datasource"
                when query.TryGetProperty("rawSql", out var sql) && sql.GetString() == "select * from log" => Frames(
                """[{"name":"id","type":"number"},{"name":"line","type":"string"}]""",
                $"[[{Numbers(0, 1500, 1)}],[\"{new string('x', 3_000_000)}\""
                    + string.Concat(Enumerable.Repeat(",\"short\"", 1499))
                    + "]]"
            ),
            "grafana-postgresql-datasource" when query.TryGetProperty("rawSql", out _) => Frames(
                """[{"name":"id","type":"number"},{"name":"customer","type":"string"}]""",
                """[[1,2,3],["Ann","Ben",null]]"""
            ),
            "some-odd-datasource" when query.TryGetProperty("scenario", out _) => Frames(
                """[{"name":"n","type":"number"}]""",
                "[[1]]"
            ),
            _ => (400, """{"message":"the query lacks what its data source wants"}"""),
        };
    }

    private static (int, string) Frames(
        string fields,
        string values,
        string? entities = null,
        string? notices = null
    ) =>
        (
            200,
            $$"""{"results": { "A": { "status": 200, "frames": [ {"schema": { "refId": "A", "meta":"""
                + $$""" { "notices": {{notices ?? "[]"}} }, "fields": {{fields}} }, "data": { "entities":"""
                + $$""" {{entities ?? "null"}}, "values": {{values}} } } ] } } }"""
        );

    private static string Numbers(long first, int count, int step) =>
        string.Join(',', Enumerable.Range(0, count).Select(i => first + (i * (long)step)));

    private static bool IsText(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String;
}
