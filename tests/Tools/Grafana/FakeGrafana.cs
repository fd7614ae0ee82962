using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>
/// Stands in for Grafana 12: keeps dashboards, data sources and annotations, and holds to the rules that bite. What is wanted of a request
/// is wanted here; what a save leaves out is gone; a save without its folder moves the dashboard to General.
/// </summary>
internal sealed class FakeGrafana : IAsyncDisposable
{
    public const string Token = "glsa_0123456789abcdef_00000000";

    private readonly Dictionary<string, (JsonObject Dashboard, JsonObject Meta)> _dashboards = [];
    private List<JsonObject> _sources = [],
        _annotations = [];
    private int _ids = 10;

    private FakeGrafana(Upstream system) => System = system;

    public Upstream System { get; }

    /// <summary>Permissions that the token lacks, by the beginning of the path.</summary>
    public Dictionary<string, string> Forbidden { get; } = [];

    /// <summary>What somebody else does meanwhile.</summary>
    public Action? AfterNextRead { get; set; }

    public JsonObject Dashboard(string uid) => _dashboards[uid].Dashboard;

    public static async Task<FakeGrafana> StartAsync()
    {
        var grafana = new FakeGrafana(await Upstream.StartAsync());
        grafana.System.Handle = question => grafana.Answer(question);
        grafana.Put(
            "infra",
            "Node exporter",
            "infra1",
            """{"panels":[{"id":1,"type":"timeseries","title":"CPU","datasource":{"type":"prometheus","uid":"prom1"},"targets":[{"refId":"A","expr":"rate(node_cpu_seconds_total{job=~\"$job\"}[5m])"}]},{"id":2,"type":"row","collapsed":true,"panels":[{"id":3,"type":"stat","title":"Up","datasource":"prom1","targets":[{"refId":"A","expr":"up"}]}]}],"templating":{"list":[{"name":"job","type":"query","query":{"query":"label_values(up, job)"},"current":{"value":"node"}}]},"tags":["nodes"],"links":[{"title":"wiki"}]}"""
        );
        grafana.Put(
            "secrets",
            "Has secrets",
            "",
            """{"panels":[{"id":1,"type":"text","targets":[{"url":"https://x","authorizationToken":"hunter2hunter2"}]}],"secureJsonData":{"basicAuthPassword":"hunter2hunter2"}}"""
        );
        grafana.Put(
            "v2board",
            "New kind",
            "",
            """{"elements":{"panel-1":{"kind":"Panel","spec":{"id":1,"title":"CPU","data":{"spec":{"queries":[{"spec":{"query":{"spec":{"expr":"up"}}}}]}},"vizConfig":{"group":"timeseries"}}}}}""",
            meta => meta["apiVersion"] = "v2beta1"
        );
        grafana.Put("fromfile", "From a file", "", """{"panels":[{"id":1}]}""", meta => meta["provisioned"] = true);
        grafana._sources.Add(Source(1, "prom1", "Prometheus", "prometheus", true));
        grafana._sources.Add(Source(2, "loki1", "Loki", "loki", false));
        grafana._sources.Add(Source(3, "db1", "Orders", "grafana-postgresql-datasource", false));
        grafana._sources.Add(Source(4, "odd1", "Odd", "some-odd-datasource", false));
        return grafana;
    }

    /// <summary>Answers each change as ever, and forgets it.</summary>
    public void KeepNothing()
    {
        Put("same", "The same each time", "infra1", """{"panels":[{"id":1}]}""");
        System.Handle = question =>
        {
            lock (_dashboards)
            {
                var (dashboards, sources, annotations, ids) = (
                    _dashboards.ToArray(),
                    _sources.ToArray(),
                    _annotations.ToArray(),
                    _ids
                );
                var answer = Answer(question);
                _dashboards.Clear();
                Array.ForEach(dashboards, one => _dashboards.Add(one.Key, one.Value));
                (_sources, _annotations, _ids) = ([.. sources], [.. annotations], ids);
                return answer;
            }
        };
    }

    public ValueTask DisposeAsync() => System.DisposeAsync();

    private (int, string)? Answer(Upstream.Question question)
    {
        var (method, rest) = (
            question.Line.Split(' ')[0],
            question.Line[(question.Line.IndexOf(' ', StringComparison.Ordinal) + 1)..]
        );
        var (path, query) = (
            rest.Split('?')[0],
            HttpUtility.ParseQueryString(rest.Contains('?', StringComparison.Ordinal) ? rest.Split('?', 2)[1] : "")
        );
        if (path != "/api/health" && question.Headers.GetValueOrDefault("Authorization") != "Bearer " + Token)
        {
            return Said(401, "Invalid API key");
        }

        if (
            Forbidden.FirstOrDefault(refused => path.StartsWith(refused.Key, StringComparison.Ordinal)) is
            { Value: { } permission }
        )
        {
            return Said(
                403,
                $"You'll need additional permissions to perform this action. Permissions needed: {permission}"
            );
        }

        return (method, path) switch
        {
            ("GET", "/api/health") => (200, """{"commit":"abc","database":"ok","version":"12.1.0"}"""),
            ("GET", "/api/org") => (200, """{"id":1,"name":"Main Org."}"""),
            ("GET", "/api/search") => (200, Search(query)),
            ("GET", "/api/folders") => (
                200,
                """[{"id":3,"uid":"infra1","title":"Infrastructure"},{"id":4,"uid":"apps1","title":"Applications"}]"""
            ),
            ("POST", "/api/dashboards/db") => Save(question.Json),
            ("GET", "/api/datasources") => (
                200,
                new JsonArray([.. _sources.Select(source => source.DeepClone())]).ToJsonString()
            ),
            ("POST", "/api/datasources") => AddSource(JsonNode.Parse(question.Body)!.AsObject()),
            ("GET", "/api/frontend/settings") => (
                200,
                """{"defaultDatasource":"Prometheus","datasources":{"Prometheus":{"uid":"prom1","type":"prometheus"},"-- Mixed --":{"uid":"-- Mixed --","type":"datasource"}}}"""
            ),
            ("POST", "/api/ds/query") => GrafanaAnswers.Query(question.Json, _sources),
            ("GET", "/api/v1/provisioning/alert-rules") => (200, GrafanaAnswers.Rules),
            ("GET", "/api/prometheus/grafana/api/v1/rules") => (200, GrafanaAnswers.States),
            ("GET", "/api/annotations") => (200, Annotations(query)),
            ("POST", "/api/annotations") => Annotate(JsonNode.Parse(question.Body)!.AsObject()),
            ("GET" or "DELETE", _) when path.StartsWith("/api/dashboards/uid/", StringComparison.Ordinal) => One(
                method,
                Uri.UnescapeDataString(path["/api/dashboards/uid/".Length..])
            ),
            ("GET", _) when path.StartsWith("/api/datasources/uid/", StringComparison.Ordinal) => OneSource(
                path["/api/datasources/uid/".Length..].Split('/')
            ),
            _ => Said(404, "Not found"),
        };
    }

    private static (int, string) Said(int status, string message, string? kind = null) =>
        (
            status,
            new JsonObject
            {
                ["message"] = message,
                ["status"] = kind,
                ["traceID"] = "",
            }.ToJsonString()
        );

    private void Put(string uid, string title, string folder, string json, Action<JsonObject>? change = null)
    {
        var dashboard = JsonNode.Parse(json)!.AsObject();
        (dashboard["uid"], dashboard["title"], dashboard["id"], dashboard["version"]) = (uid, title, ++_ids, 7);
        var meta = new JsonObject
        {
            ["url"] = $"/d/{uid}",
            ["folderUid"] = folder,
            ["folderTitle"] = folder.Length > 0 ? "Infrastructure" : "General",
            ["updatedBy"] = "admin",
            ["updated"] = "2026-01-20T09:00:00Z",
            ["provisioned"] = false,
        };
        change?.Invoke(meta);
        _dashboards[uid] = (dashboard, meta);
    }

    private string Search(System.Collections.Specialized.NameValueCollection query)
    {
        var found = _dashboards
            .Values.Where(one =>
                query["query"] is not { } words
                || one.Dashboard["title"]!.ToString().Contains(words, StringComparison.OrdinalIgnoreCase)
            )
            .Where(one =>
                query["tag"] is not { } tag
                || (one.Dashboard["tags"] as JsonArray ?? []).Any(given => given!.ToString() == tag)
            )
            .Where(one => query["folderUIDs"] is not { } folder || one.Meta["folderUid"]!.ToString() == folder)
            .OrderBy(one => one.Dashboard["title"]!.ToString(), StringComparer.Ordinal);
        var (limit, page) = (int.Parse(query["limit"]!), int.Parse(query["page"]!));
        return new JsonArray([
            .. found
                .Skip(limit * (page - 1))
                .Take(limit)
                .Select(one => new JsonObject
                {
                    ["uid"] = one.Dashboard["uid"]!.ToString(),
                    ["title"] = one.Dashboard["title"]!.ToString(),
                    ["type"] = "dash-db",
                    ["url"] = one.Meta["url"]!.ToString(),
                    ["tags"] = one.Dashboard["tags"]?.DeepClone(),
                    ["folderUid"] = one.Meta["folderUid"]!.ToString(),
                    ["folderTitle"] = one.Meta["folderTitle"]!.ToString(),
                }),
        ]).ToJsonString();
    }

    private (int, string) One(string method, string uid)
    {
        if (!_dashboards.TryGetValue(uid, out var one))
        {
            return Said(404, "Dashboard not found");
        }

        if (method == "GET")
        {
            var read = new JsonObject
            {
                ["meta"] = one.Meta.DeepClone(),
                ["dashboard"] = one.Dashboard.DeepClone(),
            }.ToJsonString();
            AfterNextRead?.Invoke();
            AfterNextRead = null;
            return (200, read);
        }

        if (one.Meta["provisioned"]!.GetValue<bool>())
        {
            return Said(400, "provisioned dashboard cannot be deleted");
        }

        _dashboards.Remove(uid);
        return (
            200,
            new JsonObject
            {
                ["title"] = one.Dashboard["title"]!.ToString(),
                ["uid"] = uid,
                ["message"] = "deleted",
            }.ToJsonString()
        );
    }

    private (int, string) Save(JsonElement body)
    {
        if (!body.TryGetProperty("dashboard", out var given) || given.ValueKind is not JsonValueKind.Object)
        {
            return Said(400, "bad request data");
        }

        var dashboard = JsonNode.Parse(given.GetRawText())!.AsObject();
        var (title, uid, folder) = (
            dashboard["title"]?.ToString() ?? "",
            dashboard["uid"]?.ToString() ?? "",
            body.TryGetProperty("folderUid", out var named) ? named.GetString() ?? "" : ""
        );
        var overwrite = body.TryGetProperty("overwrite", out var over) && over.GetBoolean();
        var there = _dashboards.GetValueOrDefault(uid);
        if (title.Length == 0)
        {
            return Said(400, "Dashboard title cannot be empty");
        }

        if (uid.Length > 40)
        {
            return Said(400, "uid too long, max 40 characters");
        }

        if (folder is not ("" or "infra1" or "apps1"))
        {
            return Said(400, "folder not found");
        }

        if (dashboard["id"] is not null && there.Dashboard is null)
        {
            return Said(404, "Dashboard not found");
        }

        if (
            there.Dashboard is not null
            && !overwrite
            && dashboard["version"]?.ToString() != there.Dashboard["version"]!.ToString()
        )
        {
            return Said(412, "The dashboard has been changed by someone else", "version-mismatch");
        }

        if (
            there.Dashboard is null
            && _dashboards.Values.Any(other =>
                other.Dashboard["title"]!.ToString() == title && other.Meta["folderUid"]!.ToString() == folder
            )
        )
        {
            return Said(412, "A dashboard with the same name in the folder already exists", "name-exists");
        }

        uid = uid.Length > 0 ? uid : $"made{++_ids}";
        Put(uid, title, folder, dashboard.ToJsonString());
        _dashboards[uid].Dashboard["version"] = there.Dashboard is null
            ? 1
            : there.Dashboard["version"]!.GetValue<int>() + 1;
        return (
            200,
            new JsonObject
            {
                ["uid"] = uid,
                ["status"] = "success",
                ["version"] = _dashboards[uid].Dashboard["version"]!.GetValue<int>(),
                ["url"] = $"/d/{uid}",
                ["folderUid"] = folder,
            }.ToJsonString()
        );
    }

    private (int, string) AddSource(JsonObject body)
    {
        if (body["name"] is null || body["type"] is null || body["access"] is null)
        {
            return Said(400, "bad request data");
        }

        if (_sources.Any(source => source["name"]!.ToString() == body["name"]!.ToString()))
        {
            return Said(409, "data source with the same name already exists");
        }

        if (body["isDefault"]?.GetValue<bool>() is true)
        {
            _sources.ForEach(source => source["isDefault"] = false);
        }

        var made = Source(
            ++_ids,
            body["uid"]?.ToString() ?? $"ds{_ids}",
            body["name"]!.ToString(),
            body["type"]!.ToString(),
            body["isDefault"]?.GetValue<bool>() is true
        );
        (made["url"], made["jsonData"]) = (body["url"]?.ToString(), body["jsonData"]?.DeepClone());
        _sources.Add(made);
        return (
            200,
            new JsonObject
            {
                ["datasource"] = made.DeepClone(),
                ["id"] = _ids,
                ["message"] = "Datasource added",
                ["name"] = made["name"]!.ToString(),
            }.ToJsonString()
        );
    }

    private (int, string) OneSource(string[] parts) =>
        _sources.FirstOrDefault(source => source["uid"]!.ToString() == Uri.UnescapeDataString(parts[0]))
            is not { } source
            ? Said(404, "Data source not found")
        : parts is [_, "health"] ? (200, """{"status":"OK","message":"Successfully queried the Prometheus API."}""")
        : parts.Length == 1 ? (200, source.ToJsonString())
        : Said(404, "Not found");

    private string Annotations(System.Collections.Specialized.NameValueCollection query) =>
        new JsonArray([
            .. _annotations
                .Where(one =>
                    one["time"]!.GetValue<long>() >= long.Parse(query["from"]!)
                    && one["time"]!.GetValue<long>() <= long.Parse(query["to"]!)
                )
                .Where(one =>
                    query["tags"] is not { } tag || one["tags"]!.AsArray().Any(given => given!.ToString() == tag)
                )
                .Take(int.Parse(query["limit"]!))
                .Select(one => one.DeepClone()),
        ]).ToJsonString();

    private (int, string) Annotate(JsonObject body)
    {
        if (body["text"]?.ToString() is not { Length: > 0 })
        {
            return Said(400, "Failed to save annotation: text field should not be empty");
        }

        if (body["dashboardUID"]?.ToString() is { } uid && !_dashboards.ContainsKey(uid))
        {
            return Said(404, "Dashboard not found");
        }

        (body["id"], body["login"]) = (++_ids, "sa-1-mcp");
        _annotations.Add(body.DeepClone().AsObject());
        return (200, new JsonObject { ["id"] = _ids, ["message"] = "Annotation added" }.ToJsonString());
    }

    private static JsonObject Source(int id, string uid, string name, string type, bool isDefault) =>
        new()
        {
            ["id"] = id,
            ["uid"] = uid,
            ["name"] = name,
            ["type"] = type,
            ["access"] = "proxy",
            ["isDefault"] = isDefault,
            ["url"] = $"http://ann:hunter2hunter2@{uid}:9090",
            ["jsonData"] = new JsonObject { ["httpHeaderName1"] = "Authorization" },
            ["secureJsonFields"] = new JsonObject { ["httpHeaderValue1"] = true },
            ["readOnly"] = uid == "loki1",
        };
}
