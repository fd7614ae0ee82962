using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>
/// Stands in for Grafana 12: keeps dashboards, data sources and annotations, and refuses what Grafana refuses. What a
/// save leaves out is gone; a save without its folder moves the dashboard to General; dashboards of schema v2 are in an
/// API of their own, and the old one answers 406 with their address.
/// </summary>
internal sealed class FakeGrafana : IAsyncDisposable
{
    public const string Token = "glsa_0123456789abcdef_00000000";

    private const string V2 = "/apis/dashboard.grafana.app/v2beta1/namespaces/default/dashboards";

    private readonly Dictionary<string, (JsonObject Dashboard, JsonObject Meta)> _dashboards = [];
    private readonly Dictionary<string, JsonObject> _resources = [];
    private List<JsonObject> _sources = [],
        _annotations = [];
    private int _ids = 10;

    private FakeGrafana(Upstream system) => System = system;

    public Upstream System { get; }

    /// <summary>Permissions that the token lacks, by the beginning of the path.</summary>
    public Dictionary<string, string> Forbidden { get; } = [];

    /// <summary>What somebody else does meanwhile.</summary>
    public Action? AfterNextRead { get; set; }

    /// <summary>Answers as Grafana 10 and 11: evaluated rules have no uid, and there are no newer APIs.</summary>
    public bool IsOld { get; set; }

    public JsonObject Dashboard(string uid) => _dashboards[uid].Dashboard;

    /// <summary>A dashboard of schema v2 with its metadata.</summary>
    public JsonObject Resource(string uid) => _resources[uid];

    /// <summary>Adds a dashboard of the classic schema.</summary>
    public void Add(string uid, string title, string json) => Put(uid, title, "infra1", json);

    public static async Task<FakeGrafana> StartAsync()
    {
        var grafana = new FakeGrafana(await Upstream.StartAsync());
        grafana.System.Handle = question => grafana.Answer(question);
        grafana.Put(
            "infra",
            "Node exporter",
            "infra1",
            """{"panels":[{"id":1,"type":"timeseries","title":"CPU","datasource":"""
                + """{"type":"prometheus","uid":"prom1"},"targets":"""
                + """[{"refId":"A","expr":"rate(node_cpu_seconds_total{job=~\"$job\"}[5m])"}]},{"id":"""
                + """2,"type":"row","collapsed":true,"panels":[{"id":"""
                + """3,"type":"stat","title":"Up","datasource":"prom1","targets":[{"refId":"A","expr":"up"}]}"""
                + """]}],"templating":{"list":[{"name":"job","type":"query","query":"""
                + """{"query":"label_values(up, job)"},"current":{"value":"node"}}]},"tags":"""
                + """["nodes"],"links":[{"title":"wiki"}]}"""
        );
        grafana.Put(
            "secrets",
            "Has secrets",
            "",
            """{"panels":[{"id":1,"type":"text","targets":[{"url":"https:"""
                + """//x","authorizationToken":"hunter2hunter2"}]}],"secureJsonData":"""
                + """{"basicAuthPassword":"hunter2hunter2"}}"""
        );
        grafana._resources["v2board"] = Resource("v2board", JsonNode.Parse(GrafanaAnswers.V2Spec)!.AsObject());
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
                var resources = _resources.ToArray();
                var (dashboards, sources, annotations, ids) = (
                    _dashboards.ToArray(),
                    _sources.ToArray(),
                    _annotations.ToArray(),
                    _ids
                );
                var answer = Answer(question);
                _resources.Clear();
                Array.ForEach(resources, one => _resources.Add(one.Key, one.Value));
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
            ("GET", "/api/folders/infra1") => (200, """{"id":3,"uid":"infra1","title":"Infrastructure"}"""),
            ("GET", "/api/folders/apps1") => (200, """{"id":4,"uid":"apps1","title":"Applications"}"""),
            ("GET", "/api/library-elements/lib1") => (200, GrafanaAnswers.LibraryPanel),
            ("GET", "/apis/dashboard.grafana.app") when !IsOld => (200, GrafanaAnswers.Versions),
            (_, _) when path.StartsWith(V2, StringComparison.Ordinal) && !IsOld => OneOfV2(
                method,
                path[V2.Length..].TrimStart('/'),
                question.Body
            ),
            (_, _) when path.StartsWith("/apis/", StringComparison.Ordinal) => (404, "404 page not found"),
            ("POST", "/api/dashboards/db") => Save(question.Json),
            ("GET", "/api/datasources") => (
                200,
                new JsonArray([.. _sources.Select(source => source.DeepClone())]).ToJsonString()
            ),
            ("POST", "/api/datasources") => AddSource(JsonNode.Parse(question.Body)!.AsObject()),
            ("GET", "/api/frontend/settings") => (
                200,
                """{"namespace":"default","defaultDatasource":"Prometheus","datasources":{"Prometheus":"""
                    + """{"uid":"prom1","type":"prometheus"},"-- Mixed --":{"uid":"-- Mixed """
                    + """--","type":"datasource"}}}"""
            ),
            ("POST", "/api/ds/query") => GrafanaAnswers.Query(question.Json, _sources),
            ("GET", "/api/v1/provisioning/alert-rules") => (
                200,
                IsOld ? GrafanaAnswers.OldRules : GrafanaAnswers.Rules
            ),
            ("GET", "/api/prometheus/grafana/api/v1/rules") => (
                200,
                IsOld ? GrafanaAnswers.OldStates : GrafanaAnswers.States
            ),
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
        var all = _dashboards.Values.Concat(
            _resources.Select(one =>
                (
                    new JsonObject { ["uid"] = one.Key, ["title"] = one.Value["spec"]!["title"]!.ToString() },
                    new JsonObject
                    {
                        ["url"] = $"/d/{one.Key}",
                        ["folderUid"] = "infra1",
                        ["folderTitle"] = "Infrastructure",
                    }
                )
            )
        );
        var found = all.Select(one => (Dashboard: one.Item1, Meta: one.Item2))
            .Where(one =>
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

    private static JsonObject Resource(string uid, JsonObject spec) =>
        new()
        {
            ["kind"] = "Dashboard",
            ["apiVersion"] = "dashboard.grafana.app/v2beta1",
            ["metadata"] = new JsonObject
            {
                ["name"] = uid,
                ["namespace"] = "default",
                ["uid"] = "1f2e3d4c-0000-4000-8000-000000000001",
                ["resourceVersion"] = "1758777451428472",
                ["generation"] = 3,
                ["creationTimestamp"] = "2026-01-20T09:00:00Z",
                ["labels"] = new JsonObject { ["grafana.app/deprecatedInternalID"] = "42" },
                ["annotations"] = new JsonObject
                {
                    ["grafana.app/createdBy"] = "user:admin",
                    ["grafana.app/folder"] = "infra1",
                },
            },
            ["spec"] = spec,
            ["status"] = new JsonObject(),
        };

    // Resources are saved as those of Kubernetes: by name, and over the version that was read.
    private (int, string) OneOfV2(string method, string name, string body)
    {
        var given = body.Length > 0 ? JsonNode.Parse(body)!.AsObject() : null;
        if (method == "POST" && name.Length == 0)
        {
            var metadata = given!["metadata"]!;
            name = metadata["name"]?.ToString() ?? metadata["generateName"]!.ToString() + ++_ids;
            if (_resources.ContainsKey(name))
            {
                return Status(409, "AlreadyExists", $"dashboards.dashboard.grafana.app \"{name}\" already exists");
            }

            var made = Resource(name, given["spec"]!.DeepClone().AsObject());
            made["metadata"]!["generation"] = 1;
            made["metadata"]!["annotations"] = metadata["annotations"]!.DeepClone();
            _resources[name] = made;
            return (201, made.ToJsonString());
        }

        if (!_resources.TryGetValue(name, out var there))
        {
            return Status(404, "NotFound", $"dashboards.dashboard.grafana.app \"{name}\" not found");
        }

        if (method == "DELETE")
        {
            _resources.Remove(name);
            return (200, there.ToJsonString());
        }

        if (method == "PUT")
        {
            if (given!["metadata"]!["resourceVersion"]?.ToString() != there["metadata"]!["resourceVersion"]!.ToString())
            {
                return Status(
                    409,
                    "Conflict",
                    $"Operation cannot be fulfilled on dashboards.dashboard.grafana.app \"{name}\": the "
                        + $"object has been modified"
                );
            }

            there["spec"] = given["spec"]!.DeepClone();
            there["metadata"]!["annotations"] = given["metadata"]!["annotations"]!.DeepClone();
            Touch(name);
        }

        var read = there.ToJsonString();
        AfterNextRead?.Invoke();
        AfterNextRead = null;
        return (200, read);
    }

    /// <summary>Somebody saves the dashboard of schema v2.</summary>
    public void Touch(string uid)
    {
        var metadata = _resources[uid]["metadata"]!;
        metadata["generation"] = metadata["generation"]!.GetValue<int>() + 1;
        metadata["resourceVersion"] = metadata["resourceVersion"]! + "1";
    }

    private static (int, string) Status(int code, string reason, string message) =>
        (
            code,
            new JsonObject
            {
                ["kind"] = "Status",
                ["apiVersion"] = "v1",
                ["status"] = "Failure",
                ["message"] = message,
                ["reason"] = reason,
                ["code"] = code,
            }.ToJsonString()
        );

    private (int, string) One(string method, string uid)
    {
        if (_resources.TryGetValue(uid, out var resource))
        {
            _ = method == "DELETE" && _resources.Remove(uid);
            return method == "GET"
                ? Said(406, $"dashboard api version not supported, use {V2}/{uid} instead")
                : (200, new JsonObject { ["title"] = resource["spec"]!["title"]!.ToString() }.ToJsonString());
        }

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
