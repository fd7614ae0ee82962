using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Grafana;

using static GrafanaJson;

/// <summary>Dashboards and their folders: what is in them, without the JSON that draws them, and saving them without losing anything.</summary>
[McpServerToolType]
public sealed partial class GrafanaDashboardTools(GrafanaClient grafana, IOptions<GrafanaOptions> options)
{
    private const string Missing = "grafana_list_dashboards has the uids.";

    private const int MaxPanels = 200;

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
    ) => ReadAsync(uid, full, ct);

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
    ) => CreateAsync(title, folder_uid, dashboard, ct);

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
    ) => UpdateAsync(uid, version, dashboard, message, ct);

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
            (await grafana.DeleteAsync($"dashboards/uid/{GrafanaClient.Segment(uid, "uid")}", ct, Missing)).Text(
                "title"
            )
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

    private async Task<DashboardResult> ReadAsync(string uid, bool full, CancellationToken ct)
    {
        var answer = await grafana.GetAsync($"dashboards/uid/{GrafanaClient.Segment(uid, "uid")}", ct, Missing);
        var (meta, dashboard) = Parts(answer);
        var isV2 = DashboardResult.IsV2(meta, dashboard);
        var panels = PanelSummary
            .Of(dashboard.Items("panels"))
            .Concat(isV2 ? PanelSummary.OfElements(dashboard.Member("elements")) : [])
            .ToArray();
        return new(
            dashboard.Text("uid") ?? uid,
            dashboard.Text("title") ?? "",
            dashboard.Number("version") ?? meta.Number("version"),
            meta.Text("url"),
            meta.Text("folderUid"),
            meta.Text("folderTitle"),
            dashboard.Texts("tags"),
            meta.Text("updated"),
            meta.Text("updatedBy"),
            meta.Flag("provisioned") ? true : null,
            panels.Length,
            [.. panels.Take(MaxPanels)],
            [.. dashboard.Member("templating").Items("list").Select(VariableSummary.From)],
            full
                ? JsonSerializer.SerializeToElement(GrafanaJson.WithoutSecrets(JsonNode.Parse(dashboard.GetRawText())))
                : null,
            isV2 ? "This dashboard has schema v2, which these tools read but do not save: they would lose parts of it."
                : panels.Length > MaxPanels ? $"Only the first {MaxPanels} panels are listed."
                : null
        );
    }

    private async Task<SavedDashboard> CreateAsync(
        string title,
        string? folder,
        Dictionary<string, JsonElement>? given,
        CancellationToken ct
    )
    {
        var dashboard = Object(given)
            ?? new JsonObject
            {
                ["tags"] = new JsonArray("mcp"),
                ["panels"] = new JsonArray(),
                ["time"] = new JsonObject { ["from"] = "now-6h", ["to"] = "now" },
            };
        dashboard.Remove("id"); // of another Grafana; here it would be an unknown dashboard
        dashboard.Remove("version");
        dashboard["title"] = title;
        if (dashboard["uid"] is { } uid && uid.ToString() is { Length: > 0 } name)
        {
            await RefuseIfThereAsync(name, ct);
        }

        return await SaveAsync(dashboard, folder, "Created via MCP", ct);
    }

    private async Task<SavedDashboard> UpdateAsync(
        string uid,
        long version,
        Dictionary<string, JsonElement> given,
        string? message,
        CancellationToken ct
    )
    {
        var answer = await grafana.GetAsync($"dashboards/uid/{GrafanaClient.Segment(uid, "uid")}", ct, Missing);
        var (meta, there) = Parts(answer);
        if (DashboardResult.IsV2(meta, there))
        {
            throw new McpException(
                "This dashboard has schema v2, and was not saved: this API would lose parts of it. Change it in Grafana."
            );
        }

        if (meta.Flag("provisioned"))
        {
            throw new McpException("This dashboard is provisioned from a file, and was not saved: change that file.");
        }

        if (there.Number("version") is { } current && current != version)
        {
            throw new McpException(
                $"The dashboard has version {current}, not {version}: somebody changed it. Read it again with grafana_get_dashboard and full, and make the change in that."
            );
        }

        var dashboard = Object(given)!;
        var panels = there.Items("panels").Count();
        if (panels > 0 && dashboard["panels"] is not JsonArray { Count: > 0 })
        {
            throw new McpException(
                $"That would remove all {panels} panels, because saving replaces the whole dashboard. Give all of it, as grafana_get_dashboard gives it with full, with your change."
            );
        }

        (dashboard["uid"], dashboard["version"]) = (uid, version);
        dashboard["id"] = there.Number("id");
        dashboard["title"] ??= there.Text("title");
        // Without its folder it would move to General.
        return await SaveAsync(dashboard, meta.Text("folderUid"), message ?? "Changed via MCP", ct);
    }

    private async Task<SavedDashboard> SaveAsync(
        JsonObject dashboard,
        string? folder,
        string message,
        CancellationToken ct
    )
    {
        var body = new JsonObject
        {
            ["dashboard"] = dashboard,
            ["message"] = message,
            ["overwrite"] = false,
        }; // never over a newer version
        if (!string.IsNullOrEmpty(folder))
        {
            body["folderUid"] = folder;
        }

        var saved = await grafana.PostAsync("dashboards/db", body, ct, "grafana_list_folders has the folders.");
        return saved.Text("uid") is { } uid
            ? new(uid, saved.Text("url"), saved.Number("version"), saved.Text("folderUid") ?? folder)
            : throw GrafanaClient.Shape();
    }

    // Grafana itself would take it for a change of that one.
    private async Task RefuseIfThereAsync(string uid, CancellationToken ct)
    {
        if (uid.Length > 40)
        {
            throw new McpException(
                "dashboard.uid is too long: at most 40 characters. Leave it out, and Grafana makes one."
            );
        }

        try
        {
            await grafana.GetAsync($"dashboards/uid/{GrafanaClient.Segment(uid, "dashboard.uid")}", ct);
        }
        catch (McpException missing) when (missing.Message.StartsWith("Grafana knows no", StringComparison.Ordinal))
        {
            return;
        }

        throw new McpException(
            $"There is a dashboard with the uid \"{uid}\" already. Leave dashboard.uid out to make a new one, or change that one with grafana_update_dashboard."
        );
    }

    private static JsonObject? Object(Dictionary<string, JsonElement>? given)
    {
        var dashboard = given is null ? null : JsonNode.Parse(JsonSerializer.Serialize(given))!.AsObject();
        return dashboard is null ? null
            : dashboard["elements"] is not null
            || (dashboard["spec"] is not null && dashboard["apiVersion"] is not null)
                ? throw new McpException(
                    "dashboard has schema v2, which this API does not save. Give the classic form: panels, templating, time."
                )
            : dashboard.ToJsonString().Contains(GrafanaJson.Redacted, StringComparison.Ordinal)
                ? throw new McpException(
                    $"dashboard has {GrafanaJson.Redacted} in it, which would be saved in place of the secret. Change this dashboard in Grafana."
                )
            : dashboard;
    }

    private static (JsonElement Meta, JsonElement Dashboard) Parts(JsonElement answer) =>
        answer.Member("dashboard").ValueKind is JsonValueKind.Object
            ? (answer.Member("meta"), answer.Member("dashboard"))
            : throw GrafanaClient.Shape();
}
