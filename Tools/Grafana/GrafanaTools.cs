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

/// <summary>Queries data sources, lists alert rules, and reads and writes annotations.</summary>
[McpServerToolType]
internal sealed class GrafanaTools(GrafanaClient grafana, TimeProvider clock)
{
    private const string Offset =
        "How many to skip. Default 0. Use the offset that the note of the previous answer names.";

    private const string SourcesAreListed = "grafana_list_datasources returns the uids.";

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
        "List the data sources that Grafana can query. Returns uid, name, type and address; "
            + "grafana_query_datasource needs the uid. Lists at most 500 at once; offset gives the rest."
    )]
    public async Task<DataSourceList> ListDataSources(
        [Description("The highest number of data sources to list, 1 to 500. Default 200."), Range(1, 500)]
            int limit = 200,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var (all, note) = await DataSourcesAsync(ct);
        var listed = all.Skip(offset).Take(limit).ToArray();
        return new(listed, Join(Rest(all.Count, offset, listed.Length, "data sources"), note));
    }

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
        "Add a data source that Grafana can query. Returns its uid, and the result of Grafana's test if you ask for "
            + "one. Takes no credentials: a person sets them in Grafana."
    )]
    public async Task<CreatedDataSource> CreateDataSource(
        [
            Description("A name that no other data source has, for example Prometheus staging."),
            StringLength(190, MinimumLength = 1)
        ]
            string name,
        [Description("The type, for example prometheus, loki, elasticsearch."), StringLength(190, MinimumLength = 1)]
            string type,
        [
            Description("Its address as Grafana reaches it, for example http://prometheus:9090."),
            StringLength(1000, MinimumLength = 1)
        ]
            string url,
        [Description("true makes it the default data source, in place of the present one. Default false.")]
            bool is_default = false,
        [
            Description("A uid, at most 40 characters, for example prom-staging. Default: Grafana makes one."),
            StringLength(40)
        ]
            string? uid = null,
        [Description(
            "Settings of its type that are not secret, as Grafana's jsonData, for example {\"httpMethod\":\"POST\"}. "
                + "Default: none."
        )]
            Dictionary<string, JsonElement>? json_data = null,
        [Description("true lets Grafana test the data source afterwards. Default false.")] bool test = false,
        CancellationToken ct = default
    )
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.UserInfo.Length > 0)
        {
            throw new McpException(
                "url must be an absolute address without user name, for example http://prometheus:9090. "
                    + "Credentials are set in Grafana."
            );
        }

        var before = is_default ? (await DataSourcesAsync(ct)).All.FirstOrDefault(source => source.IsDefault) : null;
        var body = new JsonObject
        {
            ["name"] = name,
            ["type"] = type,
            ["url"] = url,
            ["access"] = "proxy", // Grafana queries it, not the browser
            ["isDefault"] = is_default,
            ["jsonData"] = json_data is null ? new JsonObject() : JsonNode.Parse(JsonSerializer.Serialize(json_data)),
        };
        if (!string.IsNullOrEmpty(uid))
        {
            body["uid"] = uid;
        }

        var created = DataSource.From((await grafana.PostAsync("datasources", body, ct)).Member("datasource"));
        return new(
            created,
            test ? await TestAsync(created.Uid, ct) : null,
            before is null ? null : $"It is the default now; {before.Name} ({before.Uid}) no longer is."
        );
    }

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
        "Query a data source through Grafana in its own language: PromQL, LogQL, SQL and others. Returns series or "
            + "rows, and a line chart if you ask for one. Returns at most 2000 values or 1000 rows; offset gives the "
            + "rest."
    )]
    public async Task<CallToolResult> QueryDataSource(
        [
            Description("The uid of the data source from grafana_list_datasources, for example prom1."),
            StringLength(200, MinimumLength = 1)
        ]
            string datasource_uid,
        [
            Description(
                "The query in the language of the data source, for example up == 0. For types that need more than a "
                    + "text: a JSON object with the members of a panel's target."
            ),
            StringLength(50_000, MinimumLength = 1)
        ]
            string query,
        [
            Description(
                "The start: a span back from now (1h, 7d, now-1h30m), yesterday, now/d, RFC 3339 "
                    + "(2026-01-31T12:00:00Z) or Unix seconds. Default 1h."
            ),
            StringLength(60, MinimumLength = 1)
        ]
            string start = "1h",
        [
            Description("The end, in the forms of start. A day means its end. Default now."),
            StringLength(60, MinimumLength = 1)
        ]
            string end = "now",
        [Description("true returns only the value at the end; for Prometheus and Loki. Default false.")]
            bool instant = false,
        [Description("About how many values a series may have, 10 to 1000. Default 100."), Range(10, 1000)]
            int max_data_points = 100,
        [
            Description("The highest number of rows of a table or lines of a log to list, 1 to 1000. Default 100."),
            Range(1, 1000)
        ]
            int limit = 100,
        [Description("true also returns a line chart (PNG) of the 12 largest series. Default false.")]
            bool chart = false,
        [
            Description(
                "How many series, or rows of each table, to skip. Default 0. Use the offset that the note of the "
                    + "previous answer names."
            ),
            Range(0, 1_000_000)
        ]
            int offset = 0,
        CancellationToken ct = default
    )
    {
        var axis = Read(() =>
            TimeAxis.Parse(start, end, null, clock.GetUtcNow(), max_data_points, TimeSpan.FromSeconds(1))
        );
        var type = await TypeAsync(datasource_uid, ct);
        var target = Target(type, query, instant, offset + limit);
        target["refId"] = "A";
        target["datasource"] = new JsonObject { ["uid"] = datasource_uid, ["type"] = type };
        target["intervalMs"] = (long)axis.Step.TotalMilliseconds;
        target["maxDataPoints"] = max_data_points;
        var body = new JsonObject
        {
            ["from"] = Milliseconds(axis.From), // this API has times as text
            ["to"] = Milliseconds(axis.To),
            ["queries"] = new JsonArray(target),
        };
        var result = (await grafana.QueryAsync("ds/query", body, ct, SourcesAreListed)).Member("results").Member("A");
        if (result.Text("error") is { } error)
        {
            throw new McpException(
                $"The data source refused the query: {Clean(error)}. A query of the type {type} was sent."
            );
        }

        if (result.ValueKind is not JsonValueKind.Object)
        {
            throw GrafanaClient.Shape();
        }

        var frames = result.Items("frames").Select(frame => new Frame(frame)).ToArray();
        var picture = chart ? GrafanaFigures.Chart(query, frames, axis) : null;
        return new()
        {
            StructuredContent = JsonSerializer.SerializeToElement(
                DataResult.From(type, frames, axis, offset, limit, picture is not null),
                Options
            ),
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
        "List Grafana's alert rules. Returns state, health, last error, labels and queries. Use state=firing to see "
            + "what is wrong now. Rules of an external Prometheus are in prometheus_list_rules. Lists at most 500 at "
            + "once; offset gives the rest."
    )]
    public async Task<AlertRuleList> ListAlertRules(
        [Description("Only rules in this state. Default: all.")]
        [AllowedValues("firing", "pending", "recovering", "inactive")]
            string? state = null,
        [Description("Only rules of this folder: its uid from grafana_list_folders. Default: all."), StringLength(200)]
            string? folder_uid = null,
        [Description("Only rules whose title contains this text, for example disk. Default: all."), StringLength(200)]
            string? search = null,
        [Description("The highest number of rules to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        [Description(Offset), Range(0, 1_000_000)] int offset = 0,
        CancellationToken ct = default
    )
    {
        // The rules as they are defined have no state: another API returns it.
        var defined = (await grafana.GetAsync("v1/provisioning/alert-rules", ct)).All().ToArray();
        AlertStates states;
        string? missing = null;
        try
        {
            states = AlertStates.Of(
                defined,
                (await grafana.GetAsync("prometheus/grafana/api/v1/rules", ct)).Member("data").Items("groups"),
                defined.Length > 0 ? await FolderTitlesAsync(defined, ct) : []
            );
        }
        catch (Exception failed)
            when (string.IsNullOrEmpty(state)
                && (
                    failed is McpException
                    || failed is HttpRequestException { StatusCode: not HttpStatusCode.Unauthorized }
                )
            )
        {
            (states, missing) = (AlertStates.None, "States are missing. " + failed.Message);
        }

        var wanted = defined
            .Select(rule => AlertRule.From(rule, states.Of(rule)))
            .Where(rule =>
                (string.IsNullOrEmpty(folder_uid) || rule.FolderUid == folder_uid)
                && (string.IsNullOrEmpty(search) || rule.Title.Contains(search, StringComparison.OrdinalIgnoreCase))
            )
            .ToArray();
        var all = wanted.Where(rule => string.IsNullOrEmpty(state) || rule.State == state).ToArray();
        var unknown = wanted.Where(rule => rule is { State: null, Paused: null, Record: null }).ToArray();
        var listed = all.Skip(offset).Take(limit).ToArray();
        return new(
            all.Length,
            listed,
            Join(
                all.Length == 0 && (unknown.Length == 0 || string.IsNullOrEmpty(state))
                    ? "There is no such rule."
                    : Rest(all.Length, offset, listed.Length, "rules", "narrow with state, folder_uid or search"),
                missing
                    ?? (
                        unknown.Length == 0
                            ? null
                            : $"The state of {unknown.Length} rules is not known, for example of "
                                + $"\"{unknown[0].Title}\" ({unknown[0].Uid}). Look at them in Grafana."
                    )
            )
        );
    }

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
        "List the annotations of a time range: deployments, incidents, alert state changes. Returns time, text, tags "
            + "and dashboard, newest first. Use it to explain a change in a graph. Lists at most 500; end gives older "
            + "ones."
    )]
    public async Task<AnnotationList> ListAnnotations(
        [
            Description(
                "The start: a span back from now (1h, 7d), yesterday, RFC 3339 (2026-01-31T12:00:00Z) or Unix seconds. "
                    + "Default 24h."
            ),
            StringLength(60, MinimumLength = 1)
        ]
            string start = "24h",
        [
            Description("The end, in the forms of start. A day means its end. Default now."),
            StringLength(60, MinimumLength = 1)
        ]
            string end = "now",
        [Description("Only those of this dashboard: its uid, for example infra. Default: all."), StringLength(200)]
            string? dashboard_uid = null,
        [Description("Only those with this tag, for example deploy. Default: all."), StringLength(200)]
            string? tag = null,
        [Description("The highest number of annotations to list, 1 to 500. Default 50."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    )
    {
        var axis = Read(() => TimeAxis.Parse(start, end, null, clock.GetUtcNow(), 100, TimeSpan.FromSeconds(1)));
        var path =
            $"annotations?from={Milliseconds(axis.From)}&to={Milliseconds(axis.To)}&limit={limit}"
            + Parameter("dashboardUID", dashboard_uid)
            + Parameter("tags", tag);
        Annotation[] found = [.. (await grafana.GetAsync(path, ct)).All().Select(Annotation.From)];
        return new(
            found,
            found.Length == 0 ? "There is none in that time."
                : found.Length < limit ? null
                : found[^1].Time is { } oldest ? $"There may be more. Go on with end={oldest}, or narrow with tag."
                : "There may be more. Narrow start and end, or raise limit."
        );
    }

    [McpServerTool(
        Name = "grafana_create_annotation",
        Title = "Create an annotation",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Create an annotation that marks a moment or a time range in graphs, for example a deployment. Returns its id. "
            + "It shows in one dashboard, or in all dashboards that show its tags."
    )]
    public async Task<Annotation> CreateAnnotation(
        [Description("What happened, for example Deployed checkout 2.4."), StringLength(2000, MinimumLength = 1)]
            string text,
        [Description("At most 20 tags, for example [\"deploy\"]. Default: none."), MaxLength(20)] string[]? tags = null,
        [
            Description("The uid of the dashboard, for example infra. Default: the whole organisation."),
            StringLength(200)
        ]
            string? dashboard_uid = null,
        [
            Description("The id of a panel of dashboard_uid from grafana_get_dashboard, for example 3. Default: none."),
            Range(1, int.MaxValue)
        ]
            int? panel_id = null,
        [
            Description(
                "When it happened or began: now, a span back from now (15m), RFC 3339 or Unix seconds. Default now."
            ),
            StringLength(60, MinimumLength = 1)
        ]
            string time = "now",
        [
            Description("When it ended, in the forms of time. Default: it was a moment."),
            StringLength(60, MinimumLength = 1)
        ]
            string? time_end = null,
        CancellationToken ct = default
    )
    {
        var now = clock.GetUtcNow();
        var began = Read(() => TimeAxis.ParseTime(time, now));
        DateTimeOffset? ended = time_end is null ? null : Read(() => TimeAxis.ParseTime(time_end, now, isEnd: true));
        if (ended < began)
        {
            throw new McpException(
                $"time_end is before time: it ends at {TimeAxis.Show(ended.Value)} and begins at "
                    + $"{TimeAxis.Show(began)}."
            );
        }

        if (panel_id is not null && string.IsNullOrEmpty(dashboard_uid))
        {
            throw new McpException("panel_id is a panel of a dashboard: give dashboard_uid, too.");
        }

        var body = new JsonObject
        {
            ["text"] = text,
            ["time"] = began.ToUnixTimeMilliseconds(),
            ["tags"] = new JsonArray([.. (tags ?? []).Select(tag => JsonValue.Create(tag))]),
        };
        if (ended is not null)
        {
            body["timeEnd"] = ended.Value.ToUnixTimeMilliseconds();
        }

        if (!string.IsNullOrEmpty(dashboard_uid))
        {
            (body["dashboardUID"], body["panelId"]) = (dashboard_uid, panel_id ?? 0);
        }

        var made = await grafana.PostAsync("annotations", body, ct, GrafanaClient.UidsAreListed);
        return new(
            made.Number("id") ?? throw GrafanaClient.Shape(),
            TimeAxis.Show(began),
            ended is null ? null : TimeAxis.Show(ended.Value),
            text,
            tags,
            dashboard_uid,
            panel_id
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
    [Description(
        "Check whether Grafana and its database work. Returns the version, the organisation, and whether Grafana "
            + "accepts the token of this server."
    )]
    public Task<HealthResult> GetHealth(CancellationToken ct = default) => grafana.HealthAsync(ct);

    private async Task<(IReadOnlyList<DataSource> All, string? Note)> DataSourcesAsync(CancellationToken ct)
    {
        try
        {
            return ([.. (await grafana.GetAsync("datasources", ct)).All().Select(DataSource.From)], null);
        }
        catch (HttpRequestException refused) when (refused.StatusCode is HttpStatusCode.Forbidden)
        {
            // A viewer may not list them, but gets those of the pages that it may see.
            var settings = await grafana.GetAsync("frontend/settings", ct);
            return (
                DataSource.OfSettings(settings),
                "Addresses are missing: the token may not read the settings of data sources (datasources:read)."
            );
        }
    }

    // What was created stays created, whatever its test does.
    private async Task<string?> TestAsync(string uid, CancellationToken ct)
    {
        try
        {
            return (await grafana.GetAsync($"datasources/uid/{GrafanaClient.Segment(uid, "uid")}/health", ct)).Text(
                "message"
            );
        }
        catch (Exception failed) when (failed is McpException or HttpRequestException)
        {
            return failed.Message;
        }
    }

    private async Task<string> TypeAsync(string uid, CancellationToken ct)
    {
        var segment = GrafanaClient.Segment(uid, "datasource_uid");
        try
        {
            return (await grafana.GetAsync($"datasources/uid/{segment}", ct, SourcesAreListed)).Text("type")
                ?? throw GrafanaClient.Shape();
        }
        catch (HttpRequestException refused) when (refused.StatusCode is HttpStatusCode.Forbidden)
        {
            // Who may query need not be allowed to read the settings.
            return (await DataSourcesAsync(ct)).All.FirstOrDefault(source => source.Uid == uid)?.Type
                ?? throw new McpException($"There is no data source with the uid \"{uid}\". {SourcesAreListed}");
        }
    }

    private static JsonObject Target(string type, string query, bool instant, int rows)
    {
        if (query.TrimStart().StartsWith('{') && Model(query) is { } model)
        {
            return model;
        }

        var known = Array.Find(Types, known => type.StartsWith(known.Type, StringComparison.Ordinal));
        if (known.Member is null)
        {
            throw new McpException(
                $"Data sources of the type {type} need more than a text. Give query as a JSON object: the members of a "
                    + "target, as a panel of grafana_get_dashboard with full has them."
            );
        }

        var body = JsonNode.Parse(known.Beside)!.AsObject();
        body[known.Member] = query;
        if (type == "loki")
        {
            body["maxLines"] = rows;
            body["queryType"] = instant ? "instant" : "range";
        }
        else if (known.Member == "expr")
        {
            (body["instant"], body["range"]) = (instant, !instant);
        }

        return body;
    }

    // LogQL begins with a brace as well: only what reads as JSON is a target.
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

    // Only where two folders have a rule of the same group and title, and Grafana (before 12) does not give the uid.
    private async Task<Dictionary<string, string>> FolderTitlesAsync(JsonElement[] rules, CancellationToken ct)
    {
        var titles = new Dictionary<string, string>();
        var twins = rules
            .GroupBy(rule => (rule.Text("ruleGroup"), rule.Text("title")))
            .Where(group => group.Count() > 1)
            .SelectMany(group => group.Select(rule => rule.Text("folderUID")))
            .OfType<string>()
            .Distinct();
        foreach (var uid in twins.Take(50))
        {
            try
            {
                var folder = await grafana.GetAsync($"folders/{GrafanaClient.Segment(uid, "folderUID")}", ct);
                titles[uid] = folder.Text("title") ?? "";
            }
            catch (Exception unknown) when (unknown is McpException or HttpRequestException)
            {
                // Without its title the rules of that folder have no state, which the note reports.
            }
        }

        return titles;
    }

    private static string? Rest(int total, int offset, int listed, string items, string? narrow = null) =>
        total > 0 && offset >= total ? $"There are only {total} {items}: offset must be lower than that."
        : offset + listed < total
            ? $"These are {listed} of {total} {items}, from number {offset + 1}. Go on with offset={offset + listed}"
                + (narrow is null ? "." : $", or {narrow}.")
        : null;

    private static string? Join(params string?[] notes) =>
        string.Join(' ', notes.Where(note => note is not null)) is { Length: > 0 } note ? note : null;

    private static string Milliseconds(DateTimeOffset time) =>
        time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
}
