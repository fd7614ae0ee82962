using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Grafana;

using static GrafanaJson;

/// <summary>Finds, reads, creates, changes and deletes dashboards.</summary>
[McpServerToolType]
internal sealed partial class GrafanaDashboardTools(
    GrafanaClient grafana,
    IOptions<GrafanaOptions> options,
    PartitionedRateLimiter<string> turns
)
{
    // Beside it an answer has titles, variables and notes.
    private const int MaxAnswer = 85_000;

    private const int MaxLibraryPanels = 20;

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
        "Search for dashboards by title, tag or folder. Returns uid, title, folder, url and tags. Start here: the "
            + "other dashboard tools need the uid. Lists at most 500 at once; page gives the rest."
    )]
    public async Task<DashboardList> ListDashboards(
        [Description("Words of the title, for example node exporter. Default: all."), StringLength(200)]
            string? query = null,
        [Description("Only dashboards with this tag, for example production. Default: all."), StringLength(200)]
            string? tag = null,
        [
            Description("Only dashboards of this folder: its uid from grafana_list_folders. Default: all."),
            StringLength(200)
        ]
            string? folder_uid = null,
        [Description("The highest number of dashboards to list, 1 to 500. Default 100."), Range(1, 500)]
            int limit = 100,
        [Description("The number of the page, from 1. Default 1."), Range(1, 100_000)] int page = 1,
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
            found.Length == limit
                    ? $"There may be more. Go on with page={page + 1}, or narrow with query, tag or folder_uid."
                : found.Length == 0 ? "No dashboard matches."
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
        "Read one dashboard: its panels with their queries and data sources, rows, variables, folder and version. Use "
            + "full for the whole JSON, which grafana_update_dashboard needs, and path for a part of a large one. "
            + "Secrets are replaced. Returns at most 80,000 characters of JSON; offset gives the rest."
    )]
    public async Task<DashboardResult> GetDashboard(
        [
            Description("The uid of the dashboard from grafana_list_dashboards, for example ffaprcnsaw2rkf."),
            StringLength(200, MinimumLength = 1)
        ]
            string uid,
        [Description("true also returns the whole JSON. Default false.")] bool full = false,
        [
            Description(
                "Return only this part of the JSON, as a JSON Pointer (RFC 6901): a panel's path, for example "
                    + "/panels/3, or /templating. Default: none."
            ),
            StringLength(1000)
        ]
            string? path = null,
        [
            Description(
                "How many panels to skip; with path or full how many members, items or characters of that part. "
                    + "Default 0. Use the offset that the note of the previous answer names."
            ),
            Range(0, 100_000_000)
        ]
            int offset = 0,
        CancellationToken ct = default
    )
    {
        var stored = await grafana.DashboardAsync(uid, ct);
        var all = await WithLibraryPanelsAsync(stored.Panels(), ct);
        var part = full || path is not null ? DashboardPart.At(Visible(stored.Spec), path ?? "", offset) : null;
        var isWhole = part is { Note: null, Large.Count: 0 } && path is null && offset == 0;
        var skipped = part is null ? offset : 0;
        var left = MaxAnswer - (part?.Value?.ToJsonString().Length ?? 0);
        PanelSummary[] panels = path is null
            ? [.. all.Skip(skipped).TakeWhile((panel, i) => Fits(panel) || i == 0)]
            : [];
        var cut =
            path is null && skipped + panels.Length < all.Length
                ? $"These are panels {skipped} to {skipped + panels.Length - 1} of {all.Length}. "
                    + $"Go on with offset={skipped + panels.Length}{(full ? " without full" : "")}."
                : null;
        var schema = stored.IsV2 && full ? "dashboard is the spec of a dashboard of schema v2." : null;
        return new(
            stored.Uid,
            stored.Spec.Text("title") ?? "",
            stored.Version,
            stored.IsV2 ? "v2" : "classic",
            stored.Url,
            stored.FolderUid,
            stored.FolderTitle ?? await FolderTitleAsync(stored, ct),
            stored.Spec.Texts("tags"),
            stored.Updated,
            stored.UpdatedBy,
            stored.IsProvisioned ? true : null,
            all.Length,
            panels,
            SectionSummary.Of(stored),
            stored.Variables(),
            isWhole ? JsonSerializer.SerializeToElement(part!.Value) : null,
            part is null || isWhole ? null : JsonSerializer.SerializeToElement(part.Value),
            part is { Large.Count: > 0 } ? part.Large : null,
            string.Join(' ', new[] { part?.Note, cut, schema }.Where(note => note is not null)) is { Length: > 0 } note
                ? note
                : null
        );

        bool Fits(PanelSummary panel) => (left -= JsonSerializer.SerializeToUtf8Bytes(panel, Options).Length) >= 0;
    }

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
        "Create a new dashboard, empty or from JSON of the classic schema or schema v2. Returns its uid, url and "
            + "version. It never replaces an existing dashboard: use grafana_update_dashboard for that."
    )]
    public async Task<SavedDashboard> CreateDashboard(
        [Description("The title, for example Checkout latency."), StringLength(200, MinimumLength = 1)] string title,
        [Description("The folder: its uid from grafana_list_folders. Default: the folder General."), StringLength(200)]
            string? folder_uid = null,
        [Description(
            "The dashboard as a JSON object: panels, templating, time, tags; or the spec of schema v2 with elements "
                + "and layout (Grafana 12 and later). Default: an empty dashboard."
        )]
            Dictionary<string, JsonElement>? dashboard = null,
        CancellationToken ct = default
    )
    {
        var given = GivenDashboard.Of(dashboard);
        if (given is { Uid: { } uid })
        {
            return await InTurnAsync(
                uid,
                async () =>
                {
                    await RefuseIfThereAsync(uid, ct);
                    return await CreateAsync(title, folder_uid, given, ct);
                },
                ct
            );
        }

        return await CreateAsync(title, folder_uid, given, ct);
    }

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
        "Replace a dashboard by a changed version of itself; it stays in its folder. Returns the new version. Read the "
            + "dashboard first with grafana_get_dashboard and full, change that JSON, and send all of it with the "
            + "version that you read. Refuses to remove most panels or all variables without confirm."
    )]
    public Task<SavedDashboard> UpdateDashboard(
        [Description("The uid of the dashboard, for example ffaprcnsaw2rkf."), StringLength(200, MinimumLength = 1)]
            string uid,
        [
            Description(
                "The version that you read, for example 7. Nothing is saved when somebody saved another one since."
            ),
            Range(0, int.MaxValue)
        ]
            int version,
        [Description("The whole dashboard as a JSON object, as grafana_get_dashboard returned it, with your change.")]
            Dictionary<string, JsonElement> dashboard,
        [Description("What you changed, for the version history. Default: Changed via MCP."), StringLength(500)]
            string? message = null,
        [Description("true when the user agreed that most panels or all variables are removed. Default false.")]
            bool confirm = false,
        CancellationToken ct = default
    ) => InTurnAsync(uid, () => UpdateAsync(uid, version, GivenDashboard.Of(dashboard)!, message, confirm, ct), ct);

    [McpServerTool(
        Name = "grafana_delete_dashboard",
        Title = "Delete a dashboard",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Delete a dashboard with its version history. Returns the title that it had. Show the user the title from "
            + "grafana_get_dashboard first. A provisioned dashboard cannot be deleted."
    )]
    public Task<DeletedDashboard> DeleteDashboard(
        [
            Description("The uid of the dashboard from grafana_list_dashboards, for example ffaprcnsaw2rkf."),
            StringLength(200, MinimumLength = 1)
        ]
            string uid,
        CancellationToken ct = default
    ) =>
        InTurnAsync(
            uid,
            async () =>
            {
                var segment = GrafanaClient.Segment(uid, "uid");
                try
                {
                    var path = $"dashboards/uid/{segment}";
                    var deleted = await grafana.DeleteAsync(path, ct, GrafanaClient.UidsAreListed);
                    return new DeletedDashboard(uid, deleted.Text("title"));
                }
                catch (HttpRequestException v2) when (v2.StatusCode is HttpStatusCode.NotAcceptable)
                {
                    var stored = await grafana.DashboardAsync(uid, ct);
                    await grafana.DeleteAsync($"{GrafanaClient.DashboardsOf(stored.Api, stored.Space)}/{segment}", ct);
                    return new(uid, stored.Spec.Text("title"));
                }
            },
            ct
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
    [Description(
        "List the folders of dashboards at the top, or those inside one folder. Returns uid and title. Use "
            + "grafana_list_dashboards with folder_uid for what is in a folder. Lists at most 500; page gives the rest."
    )]
    public async Task<FolderList> ListFolders(
        [
            Description("List the folders inside this one: its uid, for example infra1. Default: those at the top."),
            StringLength(200)
        ]
            string? parent_uid = null,
        [Description("The highest number of folders to list, 1 to 500. Default 100."), Range(1, 500)] int limit = 100,
        [Description("The number of the page, from 1. Default 1."), Range(1, 100_000)] int page = 1,
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
        return new(found, found.Length == limit ? $"There may be more. Go on with page={page + 1}." : null);
    }

    private static JsonElement Visible(JsonElement spec) =>
        JsonSerializer.SerializeToElement(WithoutSecrets(JsonNode.Parse(spec.GetRawText())));

    // A dashboard only names a library panel: what it shows is defined elsewhere.
    private async Task<PanelSummary[]> WithLibraryPanelsAsync(PanelSummary[] panels, CancellationToken ct)
    {
        var models = new Dictionary<string, JsonElement>();
        var named = panels.Select(panel => panel.LibraryPanel).OfType<string>().Distinct();
        foreach (var uid in named.Take(MaxLibraryPanels))
        {
            try
            {
                var path = $"library-elements/{GrafanaClient.Segment(uid, "libraryPanel")}";
                models[uid] = (await grafana.GetAsync(path, ct)).Member("result").Member("model");
            }
            catch (Exception unknown) when (unknown is McpException or HttpRequestException)
            {
                // It was deleted, or the token may not read it: the panel is listed with its name only.
            }
        }

        return
        [
            .. panels.Select(panel =>
                panel.LibraryPanel is { } uid && models.TryGetValue(uid, out var model)
                    ? panel.WithLibrary(model)
                    : panel
            ),
        ];
    }

    private async Task<string?> FolderTitleAsync(StoredDashboard stored, CancellationToken ct)
    {
        if (!stored.IsV2 || stored.FolderUid is not { } folder)
        {
            return null;
        }

        try
        {
            return (await grafana.GetAsync($"folders/{GrafanaClient.Segment(folder, "folderUid")}", ct)).Text("title");
        }
        catch (Exception unknown) when (unknown is McpException or HttpRequestException)
        {
            return null;
        }
    }

    private async Task<SavedDashboard> CreateAsync(
        string title,
        string? folder,
        GivenDashboard? given,
        CancellationToken ct
    )
    {
        var json = given?.Json
            ?? new JsonObject
            {
                ["tags"] = new JsonArray("mcp"),
                ["panels"] = new JsonArray(),
                ["time"] = new JsonObject { ["from"] = "now-6h", ["to"] = "now" },
            };
        json["title"] = title;
        if (given is { IsV2: true })
        {
            var api = await grafana.V2ApiAsync(given.Api, ct);
            var space = await grafana.NamespaceAsync(ct);
            var metadata = new JsonObject { ["annotations"] = Annotations(folder, "Created via MCP") };
            metadata[given.Uid is null ? "generateName" : "name"] = given.Uid ?? "mcp-";
            return await SaveV2Async(api, space, null, metadata, json, folder, ct);
        }

        json.Remove("id"); // it belongs to another Grafana; here it would be an unknown dashboard
        json.Remove("version");
        return await SaveAsync(json, folder, "Created via MCP", ct);
    }

    private async Task<SavedDashboard> UpdateAsync(
        string uid,
        long version,
        GivenDashboard given,
        string? message,
        bool confirm,
        CancellationToken ct
    )
    {
        var stored = await grafana.DashboardAsync(uid, ct);
        if (stored.IsV2 != given.IsV2)
        {
            throw new McpException(
                stored.IsV2
                    ? "This dashboard has schema v2, and was not saved: dashboard must be its spec, with elements and "
                        + "layout, as grafana_get_dashboard returns it with full."
                    : "This dashboard has the classic schema, and was not saved: dashboard has schema v2. Give panels, "
                        + "templating and time, as grafana_get_dashboard returns them with full."
            );
        }

        if (stored.IsProvisioned)
        {
            throw new McpException(
                "This dashboard is provisioned from a file or a repository, and was not saved. Change it there."
            );
        }

        if (stored.Version is { } current && current != version)
        {
            throw new McpException(
                $"The dashboard has version {current}, not {version}: somebody changed it. Read it again with "
                    + "grafana_get_dashboard and full, and make the change in that."
            );
        }

        if (!confirm)
        {
            RefuseLosses(stored, given);
        }

        var json = given.Json;
        json["title"] ??= stored.Spec.Text("title");
        if (stored.IsV2)
        {
            var metadata = new JsonObject
            {
                ["name"] = stored.Uid,
                ["namespace"] = stored.Space,
                ["resourceVersion"] = stored.Resource.Member("metadata").Text("resourceVersion"),
                ["labels"] = Node(stored.Resource.Member("metadata").Member("labels")),
                ["annotations"] = Annotations(
                    stored.FolderUid,
                    message ?? "Changed via MCP",
                    Node(stored.Resource.Member("metadata").Member("annotations")) as JsonObject
                ),
            };
            return await SaveV2Async(stored.Api, stored.Space, stored.Uid, metadata, json, stored.FolderUid, ct);
        }

        (json["uid"], json["version"], json["id"]) = (uid, version, stored.Spec.Number("id"));
        // Without its folder it would move to General.
        return await SaveAsync(json, stored.FolderUid, message ?? "Changed via MCP", ct);
    }

    // Saving replaces the whole dashboard: what a model left out would be gone.
    private static void RefuseLosses(StoredDashboard stored, GivenDashboard given)
    {
        var before = stored.Panels();
        var after = given.Panels();
        if (before.Length > 0 && after.Length * 2 < before.Length)
        {
            var kept = after.Select(panel => panel.Id).ToHashSet();
            var gone = before.Where(panel => !kept.Contains(panel.Id)).Select(panel => panel.Title ?? $"{panel.Id}");
            var many = after.Length == 0 ? "all" : $"{before.Length - after.Length} of";
            throw new McpException(
                $"That would remove {many} {before.Length} panels ({string.Join(", ", gone.Take(10))}), "
                    + "because saving replaces the whole dashboard. Send all of it, as grafana_get_dashboard returns "
                    + "it with full, with your change. If they are to go, ask the user and call again with "
                    + "confirm=true."
            );
        }

        var variables = stored.Variables();
        if (variables.Length > 0 && given.CountVariables() == 0)
        {
            var names = variables.Select(variable => variable.Name).Take(10);
            throw new McpException(
                $"That would remove all {variables.Length} variables ({string.Join(", ", names)}), "
                    + "because saving replaces the whole dashboard. If they are to go, ask the user and call again "
                    + "with confirm=true."
            );
        }
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
            ["overwrite"] = false, // never over a newer version
        };
        if (!string.IsNullOrEmpty(folder))
        {
            body["folderUid"] = folder;
        }

        var saved = await grafana.PostAsync("dashboards/db", body, ct, "grafana_list_folders returns the folders.");
        return saved.Text("uid") is { } uid
            ? new(uid, saved.Text("url"), saved.Number("version"), saved.Text("folderUid") ?? folder)
            : throw GrafanaClient.Shape();
    }

    private async Task<SavedDashboard> SaveV2Async(
        string api,
        string space,
        string? uid,
        JsonObject metadata,
        JsonObject spec,
        string? folder,
        CancellationToken ct
    )
    {
        var body = new JsonObject
        {
            ["apiVersion"] = $"dashboard.grafana.app/{api}",
            ["kind"] = "Dashboard",
            ["metadata"] = metadata,
            ["spec"] = spec,
        };
        var path = GrafanaClient.DashboardsOf(api, space);
        var saved = uid is null
            ? await grafana.PostAsync(path, body, ct, "grafana_list_folders returns the folders.")
            : await grafana.PutAsync($"{path}/{GrafanaClient.Segment(uid, "uid")}", body, ct);
        var resource = saved.Member("metadata");
        return resource.Text("name") is { } name
            ? new(
                name,
                $"/d/{Uri.EscapeDataString(name)}",
                resource.Number("generation"),
                resource.Member("annotations").Text("grafana.app/folder") ?? folder
            )
            : throw GrafanaClient.Shape();
    }

    private static JsonObject Annotations(string? folder, string message, JsonObject? stored = null)
    {
        var annotations = stored ?? [];
        if (!string.IsNullOrEmpty(folder))
        {
            annotations["grafana.app/folder"] = folder;
        }

        annotations["grafana.app/message"] = message;
        return annotations;
    }

    private static JsonNode? Node(JsonElement json) =>
        json.ValueKind is JsonValueKind.Undefined ? null : JsonNode.Parse(json.GetRawText());

    // Grafana itself would take it for a change of that one.
    private async Task RefuseIfThereAsync(string uid, CancellationToken ct)
    {
        if (uid.Length > 40)
        {
            throw new McpException(
                $"dashboard.uid must have at most 40 characters; it has {uid.Length}. "
                    + "Leave it out, and Grafana makes one."
            );
        }

        _ = GrafanaClient.Segment(uid, "dashboard.uid");
        try
        {
            await grafana.DashboardAsync(uid, ct);
        }
        catch (GrafanaMissingException)
        {
            return;
        }

        throw new McpException(
            $"There is a dashboard with the uid \"{uid}\" already. Leave dashboard.uid out to make a new one, or "
                + "change that one with grafana_update_dashboard."
        );
    }

    private async Task<T> InTurnAsync<T>(string uid, Func<Task<T>> change, CancellationToken ct)
    {
        using var turn = await turns.AcquireAsync("grafana/" + uid, 1, ct);
        return turn.IsAcquired
            ? await change()
            : throw new McpException(
                "Nothing was changed: another change of this dashboard is under way. Try again in a moment."
            );
    }

    /// <summary>The JSON of a dashboard that a caller gave, in whichever wrapping.</summary>
    private sealed record GivenDashboard(JsonObject Json, bool IsV2, string? Uid, string? Api)
    {
        public static GivenDashboard? Of(Dictionary<string, JsonElement>? given)
        {
            if (given is null)
            {
                return null;
            }

            var json = JsonNode.Parse(JsonSerializer.Serialize(given))!.AsObject();
            // The body of a save, an answer of Grafana, or one of grafana_get_dashboard: the dashboard is inside.
            if (json["dashboard"] is JsonObject inner && !HasContent(json))
            {
                json.Remove("dashboard");
                json = inner;
            }

            var (uid, api) = (Name(json["uid"]), (string?)null);
            if (json["spec"] is JsonObject spec && (json["apiVersion"] ?? json["kind"]) is not null)
            {
                (uid, api) = (
                    Name((json["metadata"] as JsonObject)?["name"]) ?? uid,
                    Name(json["apiVersion"])?.Split('/')[^1]
                );
                json.Remove("spec");
                json = spec;
            }

            var isV2 = json["elements"] is JsonObject || api?.StartsWith("v2", StringComparison.Ordinal) is true;
            if (isV2)
            {
                // They belong to the resource, not to its spec.
                Array.ForEach(["uid", "id", "version"], name => json.Remove(name));
            }
            else if (uid is not null)
            {
                json["uid"] = uid;
            }

            return json.ToJsonString().Contains(Redacted, StringComparison.Ordinal)
                ? throw new McpException(
                    $"dashboard contains {Redacted}, which would be saved in place of the secret. "
                        + "Change this dashboard in Grafana."
                )
                : new(json, isV2, uid, api);
        }

        public PanelSummary[] Panels()
        {
            var json = JsonSerializer.SerializeToElement(Json);
            return [.. IsV2 ? PanelSummary.OfV2(json) : PanelSummary.OfClassic(json)];
        }

        public int CountVariables() =>
            (IsV2 ? Json["variables"] as JsonArray : (Json["templating"] as JsonObject)?["list"] as JsonArray)?.Count
            ?? 0;

        private static bool HasContent(JsonObject json) =>
            json["panels"] is not null || json["elements"] is not null || json["rows"] is not null;

        private static string? Name(JsonNode? node) => node?.ToString() is { Length: > 0 } name ? name : null;
    }
}
