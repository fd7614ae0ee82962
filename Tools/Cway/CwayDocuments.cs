using System.Globalization;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>Projects as documents, for a host that looks into all systems at once (search and fetch).</summary>
internal sealed partial class CwayTools
{
    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "cway_search_projects")]
    public async Task<IReadOnlyList<CwayFoundDocument>> SearchDocuments(string query, CancellationToken ct)
    {
        var found = await SearchAsync(cway, query, 10, ct);
        return
        [
            .. found
                .Projects.Where(project => project.Id is not null)
                .Select(project => new CwayFoundDocument(
                    $"project/{project.Id}",
                    project.Name ?? "",
                    Link(project.Id!)
                )),
        ];
    }

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "cway_get_project_by_id")]
    public async Task<CwayFoundDocument?> FetchDocument(string id, CancellationToken ct)
    {
        if (
            id.Split('/') is not ["project", var number]
            || !Guid.TryParse(number, out var uuid)
            || (await ReadAsync(cway, $"{uuid}", ct)).Value is not { } project
        )
        {
            return null;
        }

        var artworks = project.Artworks.Present();
        var facts = new Dictionary<string, string?>
        {
            ["state"] = project.State,
            ["order_number"] = project.OrderNo,
            ["percent_done"] = project.Progress?.PercentageDone?.ToString(CultureInfo.InvariantCulture),
            ["end_date"] = project.EndDate,
            ["project_manager"] = project.ProjectManager?.Name,
        };
        return new(
            id,
            project.Name ?? "",
            Link($"{uuid}"),
            $"{project.Name}\n\n{project.Description}\n\n{project.Notes}\n\nArtworks:\n"
                + string.Join('\n', artworks.Select(artwork => $"- {artwork.Name} ({artwork.State})")),
            facts.Where(fact => fact.Value is not null).ToDictionary(fact => fact.Key, fact => fact.Value!)
        );
    }

    // Cway documents no address of a project's page, so this is that of the application with the project's id.
    private string Link(string id) => $"{new Uri(cway.Url).GetLeftPart(UriPartial.Authority)}/#/projects/{id}";
}

internal sealed record CwayFoundDocument(
    string Id,
    string Title,
    string Url,
    string? Text = null,
    IReadOnlyDictionary<string, string>? Metadata = null
);
