using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Charts;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Grafana;

using static GrafanaJson;

/// <summary>Data sources, alert rules and annotations: what a model can ask Grafana, and mark in it.</summary>
[McpServerToolType]
public sealed class GrafanaTools(GrafanaClient grafana, TimeProvider clock)
{
    // The member that holds the text of the query, and what else that type needs; by the type's name, or how it begins.
    private static readonly (string Type, string Member, string Beside)[] Types =
    [
        ("prometheus", "expr", """{"format":"time_series"}"""),
        ("grafana-amazonprometheus", "expr", """{"format":"time_series"}"""),
        ("loki", "expr", """{"queryType":"range","direction":"backward"}"""),
        ("mysql", "rawSql", """{"format":"table"}"""),
        ("postgres", "rawSql", """{"format":"table"}"""),
        ("grafana-postgresql", "rawSql", """{"format":"table"}"""),
        ("mssql", "rawSql", """{"format":"table"}"""),
        ("grafana-clickhouse", "rawSql", """{"format":1}"""),
        ("frser-sqlite", "queryText", """{"queryType":"table"}"""),
        ("influxdb", "query", """{"rawQuery":true,"resultFormat":"time_series"}"""),
        ("graphite", "target", "{}"),
        (
            "elasticsearch",
            "query",
            """{"metrics":[{"id":"1","type":"raw_data","settings":{"size":"100"}}],"bucketAggs":[]}"""
        ),
        ("tempo", "query", """{"queryType":"traceql","limit":20}"""),
    ];

    [McpServerTool(
        Name = "grafana_list_datasources",
        Title = "List data sources",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists the systems that Grafana can query, with uid and type. grafana_query_datasource needs the uid."
    )]
    public Task<DataSourceList> ListDataSources(CancellationToken ct = default) => DataSourcesAsync(ct);

    [McpServerTool(
        Name = "grafana_create_datasource",
        Title = "Create a data source",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "HIGH")]
    [McpMeta("addresses", "url json_data")]
    [Description(
        "Adds a system that Grafana can query. Credentials are not taken here: a person sets them in Grafana."
    )]
    public Task<CreatedDataSource> CreateDataSource(
        [Description("A name that no other has."), StringLength(190, MinimumLength = 1)] string name,
        [Description("The type, for example prometheus, loki, elasticsearch."), StringLength(190, MinimumLength = 1)]
            string type,
        [
            Description("Its address as Grafana reaches it, for example http://prometheus:9090."),
            StringLength(1000, MinimumLength = 1)
        ]
            string url,
        [Description("Make it the default, in place of the one that is now.")] bool is_default = false,
        [Description("A uid of your own, at most 40 letters. Leave out, and Grafana makes one."), StringLength(40)]
            string? uid = null,
        [Description("Settings of its type that are not secret, as Grafana's jsonData.")]
            Dictionary<string, JsonElement>? json_data = null,
        [Description("Let Grafana test it then.")] bool test = false,
        CancellationToken ct = default
    ) => CreateAsync(name, type, url, is_default, uid, json_data, test, ct);

    [McpServerTool(
        Name = "grafana_query_datasource",
        Title = "Query a data source",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true,
        OutputSchemaType = typeof(DataResult)
    )]
    [McpMeta("addresses", "query")]
    [McpMeta("old_names", "from=start to=end")]
    [Description(
        "Asks a data source through Grafana, in its own language: PromQL, LogQL, SQL. Gives series or rows, and a line chart when asked."
    )]
    public async Task<CallToolResult> QueryDataSource(
        [
            Description("The data source, by its uid from grafana_list_datasources."),
            StringLength(200, MinimumLength = 1)
        ]
            string datasource_uid,
        [
            Description(
                "The query in the language of the data source; or a JSON object with the members of a panel's target, for types that need more."
            ),
            StringLength(50_000, MinimumLength = 1)
        ]
            string query,
        [
            Description("Beginning: a span back from now (1h, 7d, now-1h30m), RFC 3339 or Unix seconds."),
            StringLength(60, MinimumLength = 1)
        ]
            string start = "1h",
        [Description("End, in the same forms."), StringLength(60, MinimumLength = 1)] string end = "now",
        [Description("Only the value at the end, of Prometheus or Loki.")] bool instant = false,
        [Description("About how many values a series may have."), Range(10, 1000)] int max_data_points = 100,
        [Description("At most this many rows of a table or lines of a log."), Range(1, 1000)] int limit = 100,
        [Description("Also draw the series as a picture.")] bool chart = false,
        CancellationToken ct = default
    )
    {
        var axis = Read(() =>
            TimeAxis.Parse(start, end, null, clock.GetUtcNow(), max_data_points, TimeSpan.FromSeconds(1))
        );
        var (result, picture) = await QueryAsync(
            datasource_uid,
            query,
            axis,
            instant,
            max_data_points,
            limit,
            chart,
            ct
        );
        return new()
        {
            StructuredContent = JsonSerializer.SerializeToElement(result, Options),
            Content = picture is null ? [] : [ImageContentBlock.FromBytes(picture.ToPng(), "image/png")],
        };
    }

    [McpServerTool(
        Name = "grafana_list_alert_rules",
        Title = "List alert rules",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists Grafana's alert rules with their state, health and queries. Use state=firing to see what is wrong now."
    )]
    public Task<AlertRuleList> ListAlertRules(
        [Description("Only rules in this state.")]
        [AllowedValues("firing", "pending", "inactive")]
            string? state = null,
        [Description("Only rules of this folder, by its uid."), StringLength(200)] string? folder_uid = null,
        [Description("Only rules whose title contains this."), StringLength(200)] string? search = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    ) => AlertRulesAsync(state, folder_uid, search, limit, ct);

    [McpServerTool(
        Name = "grafana_list_annotations",
        Title = "List annotations",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("old_names", "from=start to=end")]
    [Description(
        "Lists what was marked in a time: deployments, incidents, changes of alerts. Useful to explain a change in a graph."
    )]
    public Task<AnnotationList> ListAnnotations(
        [
            Description("Beginning: a span back from now (1h, 7d), RFC 3339 or Unix seconds."),
            StringLength(60, MinimumLength = 1)
        ]
            string start = "24h",
        [Description("End, in the same forms."), StringLength(60, MinimumLength = 1)] string end = "now",
        [Description("Only those of this dashboard, by its uid."), StringLength(200)] string? dashboard_uid = null,
        [Description("Only those with this tag."), StringLength(200)] string? tag = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    ) =>
        AnnotationsAsync(
            Read(() => TimeAxis.Parse(start, end, null, clock.GetUtcNow(), 100, TimeSpan.FromSeconds(1))),
            dashboard_uid,
            tag,
            limit,
            ct
        );

    [McpServerTool(
        Name = "grafana_create_annotation",
        Title = "Mark a moment",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Marks a moment or a time in graphs, for example a deployment: in one dashboard, or in all that show its tags."
    )]
    public Task<Annotation> CreateAnnotation(
        [Description("What happened."), StringLength(2000, MinimumLength = 1)] string text,
        [Description("Tags, for example deploy."), MaxLength(20)] string[]? tags = null,
        [Description("The dashboard, by its uid. Leave out for the whole organisation."), StringLength(200)]
            string? dashboard_uid = null,
        [Description("The panel, by its id from grafana_get_dashboard."), Range(1, int.MaxValue)] int? panel_id = null,
        [Description("When it happened or began."), StringLength(60, MinimumLength = 1)] string time = "now",
        [Description("When it ended, if it lasted."), StringLength(60, MinimumLength = 1)] string? time_end = null,
        CancellationToken ct = default
    )
    {
        var now = clock.GetUtcNow();
        return AnnotateAsync(
            text,
            tags,
            dashboard_uid,
            panel_id,
            Read(() => TimeAxis.ParseTime(time, now)),
            time_end is null ? null : Read(() => TimeAxis.ParseTime(time_end, now)),
            ct
        );
    }

    [McpServerTool(
        Name = "grafana_get_health",
        Title = "Grafana's health",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Says whether Grafana and its database work, its version, and whether it accepts our token.")]
    public Task<HealthResult> GetHealth(CancellationToken ct = default) => grafana.HealthAsync(ct);

    private async Task<DataSourceList> DataSourcesAsync(CancellationToken ct)
    {
        try
        {
            return new([.. (await grafana.GetAsync("datasources", ct)).All().Select(DataSource.From)]);
        }
        catch (HttpRequestException refused) when (refused.StatusCode is HttpStatusCode.Forbidden)
        {
            // A viewer may not list them, but is told which there are for the pages that it may see.
            var settings = await grafana.GetAsync("frontend/settings", ct);
            var standard = settings.Text("defaultDatasource");
            DataSource[] sources =
            [
                .. settings.Member("datasources").ValueKind is JsonValueKind.Object
                    ? settings
                        .Member("datasources")
                        .EnumerateObject()
                        .Where(source =>
                            source.Value.Text("uid")
                                is not null
                                    and not "-- Mixed --"
                                    and not "-- Dashboard --"
                                    and not "grafana"
                        )
                        .Select(source => new DataSource(
                            source.Value.Text("uid")!,
                            source.Name,
                            source.Value.Text("type") ?? "",
                            IsDefault: source.Name == standard
                        ))
                    : throw GrafanaClient.Shape(),
            ];
            return new(
                sources,
                "Addresses are missing: the token may not read the settings of data sources (datasources:read)."
            );
        }
    }

    private async Task<CreatedDataSource> CreateAsync(
        string name,
        string type,
        string url,
        bool isDefault,
        string? uid,
        Dictionary<string, JsonElement>? settings,
        bool test,
        CancellationToken ct
    )
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.UserInfo.Length > 0)
        {
            throw new McpException(
                "url must be an absolute address without user name, for example http://prometheus:9090. Credentials are set in Grafana."
            );
        }

        var before = isDefault
            ? (await DataSourcesAsync(ct)).DataSources.FirstOrDefault(source => source.IsDefault)
            : null;
        var body = new JsonObject
        {
            ["name"] = name,
            ["type"] = type,
            ["url"] = url,
            ["access"] = "proxy",
            ["isDefault"] = isDefault, // Grafana asks it, not the browser
            ["jsonData"] = settings is null ? new JsonObject() : JsonNode.Parse(JsonSerializer.Serialize(settings)),
        };
        if (!string.IsNullOrEmpty(uid))
        {
            body["uid"] = uid;
        }

        var created = DataSource.From((await grafana.PostAsync("datasources", body, ct)).Member("datasource")); // the answer has it inside
        string? health = null;
        if (test)
        {
            try
            {
                health = (
                    await grafana.GetAsync($"datasources/uid/{GrafanaClient.Segment(created.Uid, "uid")}/health", ct)
                ).Text("message");
            }
            catch (Exception failed) when (failed is McpException or HttpRequestException)
            {
                health = failed.Message;
            }
        }

        return new(
            created,
            health,
            before is null ? null : $"It is the default now; {before.Name} ({before.Uid}) no longer is."
        );
    }

    private async Task<AlertRuleList> AlertRulesAsync(
        string? state,
        string? folder,
        string? search,
        int limit,
        CancellationToken ct
    )
    {
        var rules = (await grafana.GetAsync("v1/provisioning/alert-rules", ct)).All().ToArray();
        var (states, note) = (new Dictionary<string, JsonElement>(), (string?)null);
        try
        {
            // The rules as they are defined have no state: that is told elsewhere.
            var groups = (await grafana.GetAsync("prometheus/grafana/api/v1/rules", ct)).Member("data").Items("groups");
            states = groups
                .SelectMany(group => group.Items("rules"))
                .Where(rule => rule.Text("uid") is not null)
                .DistinctBy(rule => rule.Text("uid"))
                .ToDictionary(rule => rule.Text("uid")!);
        }
        catch (Exception failed)
            when (string.IsNullOrEmpty(state)
                && (
                    failed is McpException
                    || failed is HttpRequestException { StatusCode: not HttpStatusCode.Unauthorized }
                )
            )
        {
            note = "States are missing. " + failed.Message;
        }

        var all = rules
            .Select(rule => AlertRule.From(rule, states.GetValueOrDefault(rule.Text("uid") ?? "")))
            .Where(rule =>
                (string.IsNullOrEmpty(state) || rule.State == state)
                && (string.IsNullOrEmpty(folder) || rule.FolderUid == folder)
                && (string.IsNullOrEmpty(search) || rule.Title.Contains(search, StringComparison.OrdinalIgnoreCase))
            )
            .ToArray();
        note =
            all.Length > limit
                ? $"These are {limit} of {all.Length}. Narrow with state, folder_uid or search, or raise limit. {note}".Trim()
            : all.Length == 0 ? $"There is no such rule. {note}".Trim()
            : note;
        return new(all.Length, [.. all.Take(limit)], note);
    }

    private async Task<AnnotationList> AnnotationsAsync(
        TimeAxis axis,
        string? dashboard,
        string? tag,
        int limit,
        CancellationToken ct
    )
    {
        var path =
            $"annotations?from={axis.From.ToUnixTimeMilliseconds()}&to={axis.To.ToUnixTimeMilliseconds()}&limit={limit}"
            + (string.IsNullOrEmpty(dashboard) ? "" : $"&dashboardUID={Uri.EscapeDataString(dashboard)}")
            + (string.IsNullOrEmpty(tag) ? "" : $"&tags={Uri.EscapeDataString(tag)}");
        Annotation[] found =
        [
            .. (await grafana.GetAsync(path, ct))
                .All()
                .Select(annotation => new Annotation(
                    annotation.Number("id") ?? 0,
                    Time(annotation, "time"),
                    Time(annotation, "timeEnd"),
                    annotation.Text("text"),
                    annotation.Texts("tags"),
                    annotation.Text("dashboardUID"),
                    annotation.Number("panelId") is > 0 and var panel ? panel : null,
                    annotation.Text("login")
                )),
        ];
        return new(
            found,
            found.Length == limit ? "There may be more. Narrow start and end, or raise limit."
                : found.Length == 0 ? "There is none in that time."
                : null
        );
    }

    private async Task<Annotation> AnnotateAsync(
        string text,
        string[]? tags,
        string? dashboard,
        int? panel,
        DateTimeOffset time,
        DateTimeOffset? end,
        CancellationToken ct
    )
    {
        var body = new JsonObject
        {
            ["text"] = text,
            ["time"] = time.ToUnixTimeMilliseconds(),
            ["tags"] = new JsonArray([.. (tags ?? []).Select(tag => JsonValue.Create(tag))]),
        };
        if (end is { } until)
        {
            body["timeEnd"] =
                until >= time ? until.ToUnixTimeMilliseconds() : throw new McpException("time_end is before time.");
        }

        if (panel is not null && string.IsNullOrEmpty(dashboard))
        {
            throw new McpException("panel_id is a panel of a dashboard: give dashboard_uid, too.");
        }

        if (!string.IsNullOrEmpty(dashboard))
        {
            (body["dashboardUID"], body["panelId"]) = (dashboard, panel ?? 0);
        }

        var made = await grafana.PostAsync("annotations", body, ct, "grafana_list_dashboards has the uids.");
        return new(
            made.Number("id") ?? throw GrafanaClient.Shape(),
            TimeAxis.Show(time),
            end is null ? null : TimeAxis.Show(end.Value),
            text,
            tags,
            dashboard,
            panel
        );
    }

    private async Task<(DataResult Result, LineChart? Chart)> QueryAsync(
        string uid,
        string query,
        TimeAxis axis,
        bool instant,
        int points,
        int rows,
        bool chart,
        CancellationToken ct
    )
    {
        var type = await TypeAsync(uid, ct);
        var asked = Query(type, query, instant, rows);
        asked["refId"] = "A";
        asked["datasource"] = new JsonObject { ["uid"] = uid, ["type"] = type };
        asked["intervalMs"] = (long)axis.Step.TotalMilliseconds;
        asked["maxDataPoints"] = points;
        var answer = await grafana.PostAsync(
            "ds/query",
            new()
            {
                ["from"] = Milliseconds(axis.From), // as text: that is how this API has them
                ["to"] = Milliseconds(axis.To),
                ["queries"] = new JsonArray(asked),
            },
            ct,
            "grafana_list_datasources has the uids."
        );
        var result = answer.Member("results").Member("A");
        if (result.Text("error") is { } error)
        {
            throw new McpException(
                $"The data source refused the query: {GrafanaJson.Clean(error)}. A query of the type {type} was sent."
            );
        }

        if (result.ValueKind is not JsonValueKind.Object)
        {
            throw GrafanaClient.Shape();
        }

        var frames = result.Items("frames").Select(frame => new Frame(frame)).ToArray();
        return (DataResult.From(type, frames, axis, rows), chart ? GrafanaFigures.Chart(query, frames, axis) : null);
    }

    private async Task<string> TypeAsync(string uid, CancellationToken ct)
    {
        var segment = GrafanaClient.Segment(uid, "datasource_uid");
        try
        {
            return (
                await grafana.GetAsync($"datasources/uid/{segment}", ct, "grafana_list_datasources has the uids.")
            ).Text("type") ?? throw GrafanaClient.Shape();
        }
        catch (HttpRequestException refused) when (refused.StatusCode is System.Net.HttpStatusCode.Forbidden)
        {
            // Who may query need not be allowed to read the settings.
            return (await DataSourcesAsync(ct)).DataSources.FirstOrDefault(source => source.Uid == uid)?.Type
                ?? throw new McpException(
                    $"There is no data source with the uid \"{uid}\". grafana_list_datasources has the uids."
                );
        }
    }

    private static JsonObject Query(string type, string query, bool instant, int rows)
    {
        if (query.TrimStart().StartsWith('{') && Model(query) is { } model)
        {
            return model;
        }

        var known = Array.Find(Types, known => type.StartsWith(known.Type, StringComparison.Ordinal));
        if (known.Member is null)
        {
            throw new McpException(
                $"Data sources of the type {type} want more than a text. Give query as a JSON object: the members of a target, as a panel of grafana_get_dashboard with full has them."
            );
        }

        var body = JsonNode.Parse(known.Beside)!.AsObject();
        body[known.Member] = query;
        if (known.Member == "expr" && type != "loki")
        {
            (body["instant"], body["range"]) = (instant, !instant);
        }
        else if (type == "loki")
        {
            body["maxLines"] = rows;
            body["queryType"] = instant ? "instant" : "range";
        }

        return body;
    }

    // LogQL begins with a brace as well: only what reads as JSON is a query in parts.
    private static JsonObject? Model(string query)
    {
        try
        {
            return JsonNode.Parse(query) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Time(JsonElement json, string name) =>
        json.Number(name) is > 0 and < 200_000_000_000_000 and var milliseconds
            ? TimeAxis.Show(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds))
            : null;

    private static string Milliseconds(DateTimeOffset time) =>
        time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
}
