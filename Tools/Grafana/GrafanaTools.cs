using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MinimalMcp.Charts;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Grafana;

using static GrafanaJson;

/// <summary>What a model can do with Grafana: find, read, query, mark; make and change dashboards.</summary>
[McpServerToolType]
public sealed partial class GrafanaTools(GrafanaClient grafana, IOptions<GrafanaOptions> options, TimeProvider clock)
{
    [McpServerTool(
        Name = "grafana_list_dashboards",
        Title = "Find dashboards",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Finds dashboards by words of their title, tag or folder. Start here: other tools need the uid that this returns."
    )]
    public async Task<DashboardList> ListDashboards(
        [Description("Words of the title. Leave out for all."), StringLength(200)] string? query = null,
        [Description("Only dashboards with this tag."), StringLength(200)] string? tag = null,
        [Description("Only dashboards of this folder, by its uid from grafana_list_folders."), StringLength(200)]
            string? folder_uid = null,
        [Description("At most this many."), Range(1, 500)] int limit = 100,
        [Description("The page, from 1."), Range(1, 100_000)] int page = 1,
        CancellationToken ct = default
    )
    {
        var path =
            $"search?type=dash-db&limit={limit}&page={page}"
            + Parameter("query", query)
            + Parameter("tag", tag)
            + Parameter("folderUIDs", folder_uid);
        DashboardHit[] found =
        [
            .. (await grafana.GetAsync(path, ct))
                .All()
                .Select(hit => new DashboardHit(
                    hit.Text("uid") ?? "",
                    hit.Text("title") ?? "",
                    hit.Text("folderUid"),
                    hit.Text("folderTitle"),
                    hit.Text("url"),
                    hit.Texts("tags")
                )),
        ];
        return new(
            found,
            found.Length == limit ? $"There may be more: page={page + 1}, or narrow with query, tag or folder_uid."
                : found.Length == 0 ? "No dashboard is like that."
                : null
        );
    }

    [McpServerTool(
        Name = "grafana_get_dashboard",
        Title = "Read a dashboard",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Reads a dashboard: its panels with their queries, its variables, folder and version. The whole JSON, which is long, comes only with full; grafana_update_dashboard needs that."
    )]
    public Task<DashboardResult> GetDashboard(
        [Description("The dashboard, by its uid from grafana_list_dashboards."), StringLength(200, MinimumLength = 1)]
            string uid,
        [Description("Also give the whole dashboard as JSON.")] bool full = false,
        CancellationToken ct = default
    ) => grafana.ReadAsync(uid, full, ct);

    [McpServerTool(
        Name = "grafana_create_dashboard",
        Title = "Create a dashboard",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("addresses", "dashboard")]
    [Description(
        "Creates a new dashboard, empty or from JSON. It never replaces one that is there: grafana_update_dashboard does."
    )]
    public Task<SavedDashboard> CreateDashboard(
        [Description("Its title."), StringLength(200, MinimumLength = 1)] string title,
        [Description("The folder, by its uid from grafana_list_folders. Leave out for General."), StringLength(200)]
            string? folder_uid = null,
        [Description("The dashboard as JSON: panels, templating, time, tags. Leave out for an empty one.")]
            Dictionary<string, JsonElement>? dashboard = null,
        CancellationToken ct = default
    ) => grafana.CreateAsync(title, folder_uid, dashboard, ct);

    [McpServerTool(
        Name = "grafana_update_dashboard",
        Title = "Change a dashboard",
        ReadOnly = false,
        Destructive = true,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("addresses", "dashboard")]
    [Description(
        "Replaces a dashboard by a changed version of itself; its folder stays. Read it first with grafana_get_dashboard and full, change that, and give all of it with the version that you read."
    )]
    public Task<SavedDashboard> UpdateDashboard(
        [Description("The dashboard, by its uid."), StringLength(200, MinimumLength = 1)] string uid,
        [Description("The version that was read. When somebody saved since, nothing is done."), Range(0, int.MaxValue)]
            int version,
        [Description("The whole dashboard as JSON, as it was read, with the change.")]
            Dictionary<string, JsonElement> dashboard,
        [Description("What was changed, for the history."), StringLength(500)] string? message = null,
        CancellationToken ct = default
    ) => grafana.UpdateAsync(uid, version, dashboard, message, ct);

    [McpServerTool(
        Name = "grafana_delete_dashboard",
        Title = "Delete a dashboard",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Deletes a dashboard with its history. Show the user its title from grafana_get_dashboard first.")]
    public async Task<DeletedDashboard> DeleteDashboard(
        [Description("The dashboard, by its uid from grafana_list_dashboards."), StringLength(200, MinimumLength = 1)]
            string uid,
        CancellationToken ct = default
    ) =>
        new(
            uid,
            (
                await grafana.DeleteAsync(
                    $"dashboards/uid/{GrafanaClient.Segment(uid, "uid")}",
                    ct,
                    GrafanaDashboards.Missing
                )
            ).Text("title")
        );

    [McpServerTool(
        Name = "grafana_list_folders",
        Title = "List folders",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the folders of dashboards, or those inside one.")]
    public async Task<FolderList> ListFolders(
        [Description("List the folders inside this one, by its uid."), StringLength(200)] string? parent_uid = null,
        [Description("At most this many."), Range(1, 500)] int limit = 100,
        [Description("The page, from 1."), Range(1, 100_000)] int page = 1,
        CancellationToken ct = default
    )
    {
        var folders = (
            await grafana.GetAsync($"folders?limit={limit}&page={page}" + Parameter("parentUid", parent_uid), ct)
        ).All();
        FolderHit[] found =
        [
            .. folders.Select(folder => new FolderHit(
                folder.Text("uid") ?? "",
                folder.Text("title") ?? "",
                folder.Text("parentUid")
            )),
        ];
        return new(found, found.Length == limit ? $"There may be more: page={page + 1}." : null);
    }

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
    public Task<DataSourceList> ListDataSources(CancellationToken ct = default) => grafana.DataSourcesAsync(ct);

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
    ) => grafana.CreateAsync(name, type, url, is_default, uid, json_data, test, ct);

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
        var (result, picture) = await grafana.QueryAsync(
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
    ) => grafana.AlertRulesAsync(state, folder_uid, search, limit, ct);

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
        grafana.AnnotationsAsync(
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
        return grafana.AnnotateAsync(
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
}
