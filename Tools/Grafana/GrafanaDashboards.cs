using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Grafana;

/// <summary>Dashboards: what is in them, without the JSON that draws them, and saving them without losing anything.</summary>
internal static class GrafanaDashboards
{
    public const string Missing = "grafana_list_dashboards has the uids.";

    private const int MaxPanels = 200;

    public static async Task<DashboardResult> ReadAsync(
        this GrafanaClient grafana,
        string uid,
        bool full,
        CancellationToken ct
    )
    {
        var answer = await grafana.GetAsync($"dashboards/uid/{GrafanaClient.Segment(uid, "uid")}", ct, Missing);
        var (meta, dashboard) = Parts(answer);
        var isV2 = IsV2(meta, dashboard);
        var panels = Panels(dashboard.Items("panels"))
            .Concat(isV2 ? Elements(dashboard.Member("elements")) : [])
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
            [.. dashboard.Member("templating").Items("list").Select(Variable)],
            full
                ? JsonSerializer.SerializeToElement(GrafanaJson.WithoutSecrets(JsonNode.Parse(dashboard.GetRawText())))
                : null,
            isV2 ? "This dashboard has schema v2, which these tools read but do not save: they would lose parts of it."
                : panels.Length > MaxPanels ? $"Only the first {MaxPanels} panels are listed."
                : null
        );
    }

    public static async Task<SavedDashboard> CreateAsync(
        this GrafanaClient grafana,
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
            await RefuseIfThereAsync(grafana, name, ct);
        }

        return await SaveAsync(grafana, dashboard, folder, "Created via MCP", ct);
    }

    public static async Task<SavedDashboard> UpdateAsync(
        this GrafanaClient grafana,
        string uid,
        long version,
        Dictionary<string, JsonElement> given,
        string? message,
        CancellationToken ct
    )
    {
        var answer = await grafana.GetAsync($"dashboards/uid/{GrafanaClient.Segment(uid, "uid")}", ct, Missing);
        var (meta, there) = Parts(answer);
        if (IsV2(meta, there))
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
        return await SaveAsync(grafana, dashboard, meta.Text("folderUid"), message ?? "Changed via MCP", ct);
    }

    private static async Task<SavedDashboard> SaveAsync(
        GrafanaClient grafana,
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
    private static async Task RefuseIfThereAsync(GrafanaClient grafana, string uid, CancellationToken ct)
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

    private static bool IsV2(JsonElement meta, JsonElement dashboard) =>
        dashboard.Has("elements") || meta.Text("apiVersion")?.StartsWith("v2", StringComparison.Ordinal) is true;

    // A collapsed row has its panels inside.
    private static IEnumerable<PanelSummary> Panels(IEnumerable<JsonElement> panels) =>
        panels.SelectMany(panel =>
            panel.Text("type") == "row"
                ? Panels(panel.Items("panels"))
                :
                [
                    new PanelSummary(
                        panel.Number("id"),
                        panel.Text("type"),
                        panel.Text("title"),
                        DataSource(panel),
                        [.. panel.Items("targets").Select(Query)]
                    ),
                ]
        );

    private static IEnumerable<PanelSummary> Elements(JsonElement elements) =>
        elements.ValueKind is not JsonValueKind.Object
            ? []
            : elements
                .EnumerateObject()
                .Select(element => element.Value.Member("spec"))
                .Select(spec => new PanelSummary(
                    spec.Number("id"),
                    spec.Member("vizConfig").Text("group") ?? spec.Member("vizConfig").Text("kind"),
                    spec.Text("title"),
                    null,
                    [
                        .. spec.Member("data")
                            .Member("spec")
                            .Items("queries")
                            .Select(query => Query(query.Member("spec").Member("query").Member("spec"))),
                    ]
                ));

    private static string? DataSource(JsonElement owner) =>
        owner.Text("datasource") ?? owner.Member("datasource").Text("uid");

    private static string Query(JsonElement target) =>
        GrafanaJson.Clean(
            target.Text("expr")
                ?? target.Text("rawSql")
                ?? target.Text("query")
                ?? target.Text("target")
                ?? target.Text("queryText")
                ?? target.Text("expression")
                ?? target.GetRawTextOrNothing()
        );

    private static string GetRawTextOrNothing(this JsonElement json) =>
        json.ValueKind is JsonValueKind.Undefined
            ? ""
            : GrafanaJson.WithoutSecrets(JsonNode.Parse(json.GetRawText()))?.ToJsonString() ?? "";

    private static VariableSummary Variable(JsonElement variable) =>
        new(
            variable.Text("name") ?? "",
            variable.Text("type"),
            variable.Text("query") ?? variable.Member("query").Text("query"),
            variable.Member("current").Member("value")
                is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } value
                ? value.ToString()
                : null
        );
}
