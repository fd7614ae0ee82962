using System.Globalization;
using System.Text;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Grafana;

using static GrafanaJson;

/// <summary>Dashboards as documents, for search and fetch, which look into all systems at once.</summary>
internal sealed partial class GrafanaDashboardTools
{
    private const int MaxDocuments = 10;

    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "grafana_list_dashboards")]
    public async Task<IReadOnlyList<DashboardDocument>> SearchDocuments(string query, CancellationToken ct) =>
        [
            .. from hit in (
                await grafana.GetAsync(
                    $"search?type=dash-db&limit={MaxDocuments}&page=1" + Parameter("query", query),
                    ct
                )
            ).All()
            let uid = hit.Text("uid")
            where uid is not null
            select new DashboardDocument(uid, hit.Text("title") ?? uid, LinkTo(uid)),
        ];

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "grafana_get_dashboard")]
    public async Task<DashboardDocument?> FetchDocument(string id, CancellationToken ct)
    {
        var dashboard = await grafana.DashboardAsync(id, ct);
        var (title, folder) = (dashboard.Spec.Text("title") ?? "", await FolderTitleAsync(dashboard, ct));
        var text = new StringBuilder($"# {title}\n");
        if (dashboard.Spec.Text("description") is { } description)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{description}\n");
        }

        string? section = null;
        foreach (var panel in await WithLibraryPanelsAsync(dashboard.Panels(), ct))
        {
            if (panel.Section is not null && panel.Section != section)
            {
                text.Append(CultureInfo.InvariantCulture, $"\n# {panel.Section}\n");
            }

            section = panel.Section;
            Write(text, panel);
        }

        foreach (var variable in dashboard.Variables())
        {
            text.Append(CultureInfo.InvariantCulture, $"\nVariable {variable.Name}: {variable.Query}");
        }

        var facts = new (string Name, string? Value)[]
        {
            ("folder", dashboard.FolderTitle ?? folder),
            ("tags", dashboard.Spec.Texts("tags") is { } tags ? string.Join(", ", tags) : null),
            ("version", dashboard.Version?.ToString(CultureInfo.InvariantCulture)),
            ("updated", dashboard.Updated),
            ("updated_by", dashboard.UpdatedBy),
        };
        return new(
            id,
            title,
            LinkTo(dashboard.Uid),
            text.ToString(),
            facts.Where(fact => fact.Value is not null).ToDictionary(fact => fact.Name, fact => fact.Value!)
        );
    }

    private static void Write(StringBuilder text, PanelSummary panel)
    {
        var repeat = panel.Repeat is { } variable ? $", once for each value of {variable}" : "";
        text.Append(CultureInfo.InvariantCulture, $"\n## {panel.Title ?? "Panel"} ({panel.Type ?? "panel"}{repeat})\n");
        foreach (var line in new[] { panel.Description, panel.Text }.OfType<string>())
        {
            text.Append(CultureInfo.InvariantCulture, $"{line}\n");
        }

        for (var i = 0; i < panel.Queries.Count; i++)
        {
            var source = panel.QueryDatasources?[i] is { } uid ? $" [{uid}]" : "";
            text.Append(CultureInfo.InvariantCulture, $"{panel.Queries[i]}{source}\n");
        }
    }

    // Grafana leads from there to the address with the title in it. Its own links have the path of its address, which
    // may not be the one that people use.
    private string LinkTo(string uid)
    {
        var address = options.Value.PublicUrl is { Length: > 0 } open ? open : options.Value.Url;
        return $"{address?.TrimEnd('/')}/d/{Uri.EscapeDataString(uid)}";
    }
}

internal sealed record DashboardDocument(
    string Id,
    string Title,
    string Url,
    string Text = "",
    IReadOnlyDictionary<string, string>? Metadata = null
);
