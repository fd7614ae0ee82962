using System.Text;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Grafana;

using static GrafanaJson;

/// <summary>Dashboards as documents, for a host that looks into all systems at once (search and fetch).</summary>
public sealed partial class GrafanaDashboardTools
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
        var dashboard = await ReadAsync(id, full: false, ct);
        var text = new StringBuilder($"{dashboard.Title}\n");
        foreach (var panel in dashboard.Panels)
        {
            text.Append(
                $"\n## {panel.Title ?? "Panel"} ({panel.Type ?? "panel"})\n{string.Join('\n', panel.Queries)}\n"
            );
        }

        foreach (var variable in dashboard.Variables)
        {
            text.Append($"\nVariable {variable.Name}: {variable.Query}");
        }

        var facts = new (string Name, string? Value)[]
        {
            ("folder", dashboard.FolderTitle),
            ("tags", dashboard.Tags is null ? null : string.Join(", ", dashboard.Tags)),
            ("version", dashboard.Version?.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("updated", dashboard.Updated),
            ("updated_by", dashboard.UpdatedBy),
        };
        return new(
            id,
            dashboard.Title,
            LinkTo(dashboard.Uid),
            text.ToString(),
            facts.Where(fact => fact.Value is not null).ToDictionary(fact => fact.Name, fact => fact.Value!)
        );
    }

    // Grafana leads from there to the address with the title in it. Its own links have the path of its address, which may not be the one that people use.
    private string LinkTo(string uid) =>
        $"{(options.Value.PublicUrl is { Length: > 0 } open ? open : options.Value.Url)?.TrimEnd('/')}/d/{Uri.EscapeDataString(uid)}";
}

public sealed record DashboardDocument(
    string Id,
    string Title,
    string Url,
    string Text = "",
    IReadOnlyDictionary<string, string>? Metadata = null
);
