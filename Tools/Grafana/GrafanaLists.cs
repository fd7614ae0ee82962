using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Charts;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Grafana;

/// <summary>Data sources, alert rules and annotations, as much as a model reads.</summary>
internal static class GrafanaLists
{
    public static async Task<DataSourceList> DataSourcesAsync(this GrafanaClient grafana, CancellationToken ct)
    {
        try
        {
            return new([.. (await grafana.GetAsync("datasources", ct)).All().Select(source => Read(source))]);
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

    public static async Task<CreatedDataSource> CreateAsync(
        this GrafanaClient grafana,
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
            ? (await grafana.DataSourcesAsync(ct)).DataSources.FirstOrDefault(source => source.IsDefault)
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

        var created = Read((await grafana.PostAsync("datasources", body, ct)).Member("datasource")); // the answer has it inside
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

    public static async Task<AlertRuleList> AlertRulesAsync(
        this GrafanaClient grafana,
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
            .Select(rule => Rule(rule, states.GetValueOrDefault(rule.Text("uid") ?? "")))
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

    public static async Task<AnnotationList> AnnotationsAsync(
        this GrafanaClient grafana,
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

    public static async Task<Annotation> AnnotateAsync(
        this GrafanaClient grafana,
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

        var made = await grafana.PostAsync("annotations", body, ct, GrafanaDashboards.Missing);
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

    private static DataSource Read(JsonElement source) =>
        new(
            source.Text("uid") ?? throw GrafanaClient.Shape(),
            source.Text("name") ?? "",
            source.Text("type") ?? "",
            GrafanaJson.WithoutPassword(source.Text("url")),
            source.Flag("isDefault"),
            source.Flag("readOnly") ? true : null
        );

    private static AlertRule Rule(JsonElement rule, JsonElement state) =>
        new(
            rule.Text("uid") ?? "",
            rule.Text("title") ?? "",
            rule.Text("folderUID"),
            rule.Text("ruleGroup"),
            state.Text("state"),
            state.Text("health"),
            state.Text("lastError"),
            state.Has("alerts") ? state.Items("alerts").Count() : null,
            rule.Text("for"),
            rule.Flag("isPaused") ? true : null,
            rule.Pairs("labels"),
            rule.Pairs("annotations"),
            [
                .. rule.Items("data")
                    .Where(query => query.Text("datasourceUid") is not "__expr__")
                    .Select(query => query.Member("model"))
                    .Select(model => model.Text("expr") ?? model.Text("rawSql") ?? model.Text("query"))
                    .OfType<string>(),
            ]
        );

    private static string? Time(JsonElement json, string name) =>
        json.Number(name) is > 0 and < 200_000_000_000_000 and var milliseconds
            ? TimeAxis.Show(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds))
            : null;
}
