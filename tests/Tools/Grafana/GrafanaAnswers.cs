using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>What data sources answer through Grafana, as frames, and what it says of alert rules.</summary>
internal static class GrafanaAnswers
{
    public const string Rules = """
        [{"id":1,"uid":"rule1","folderUID":"infra1","ruleGroup":"g1","title":"Target down","condition":"C","for":"5m","labels":{"severity":"critical"},"annotations":{"summary":"down"},"isPaused":false,
          "data":[{"refId":"A","datasourceUid":"prom1","model":{"expr":"up == 0"}},{"refId":"C","datasourceUid":"__expr__","model":{"type":"threshold","expression":"A"}}]},
         {"id":2,"uid":"rule2","folderUID":"apps1","ruleGroup":"g2","title":"Queue is long","for":"1m","isPaused":true,"data":[{"refId":"A","datasourceUid":"prom1","model":{"expr":"queue > 10"}}]}]
        """;

    public const string States = """
        {"status":"success","data":{"groups":[{"name":"g1","rules":[{"uid":"rule1","name":"Target down","state":"firing","health":"ok","alerts":[{"state":"Alerting"}]}]},
         {"name":"g2","rules":[{"uid":"rule2","name":"Queue is long","state":"inactive","health":"error","lastError":"no data","alerts":[]}]}]}}
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
                    """{"results":{"A":{"error":"bad_data: invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces","errorSource":"downstream","status":400}}}"""
                ),
                "partly" => (207, """{"results":{"A":{"error":"context deadline exceeded","status":504}}}"""),
                "none" => (
                    200,
                    """{"results":{"A":{"status":200,"frames":[{"schema":{"refId":"A","fields":[]},"data":{"values":[]}}]}}}"""
                ),
                "nan" => Frames(
                    """[{"name":"Time","type":"time"},{"name":"Value","type":"number","labels":{"job":"x"}}]""",
                    "[[1000,2000,3000,4000],[null,null,null,1.5]]",
                    """[null,{"NaN":[0],"Inf":[1],"NegInf":[2]}]"""
                ),
                "wide" => Frames(
                    """[{"name":"Time","type":"time","config":{"interval":15000}},{"name":"a","type":"number","config":{"unit":"bytes"}},{"name":"b","type":"number"}]""",
                    "[[1795170300000,1795170315000],[1,2],[3,null]]"
                ),
                _ => Frames(
                    """[{"name":"Time","type":"time","config":{"interval":15000}},{"name":"Value","type":"number","labels":{"__name__":"up","job":"prometheus"},"config":{"displayNameFromDS":"up{job=\"prometheus\"}"}}]""",
                    "[[1795170300000,1795170315000],[1,0]]",
                    notices: """[{"severity":"info","text":"metric might not be a counter"}]"""
                ),
            },
            "loki" when query.TryGetProperty("maxLines", out _) => Frames(
                """[{"name":"labels","type":"other"},{"name":"Time","type":"time"},{"name":"Line","type":"string"},{"name":"tsNs","type":"string"},{"name":"id","type":"string"}]""",
                """[[{"app":"web"},{"app":"web"}],[1795170300000,1795170301000],["GET / 200","GET /x 404"],["1795170300000000000","1"],["a","b"]]"""
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
            $$"""{"results": { "A": { "status": 200, "frames": [ {"schema": { "refId": "A", "meta": { "notices": {{notices ?? "[]"}} }, "fields": {{fields}} }, "data": { "entities": {{entities ?? "null"}}, "values": {{values}} } } ] } } }"""
        );

    private static bool IsText(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String;
}
