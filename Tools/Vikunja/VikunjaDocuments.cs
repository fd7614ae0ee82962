using System.Globalization;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>Tasks and projects as documents, for a host that looks into all systems at once (search and fetch).</summary>
public sealed partial class VikunjaTools
{
    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "vikunja_list_tasks")]
    public async Task<IReadOnlyList<TaskDocument>> SearchDocuments(string query, CancellationToken ct)
    {
        var (found, _) = await vikunja.ListAsync("tasks", "tasks: read_all", 7, ct, ("s", query));
        var (projects, _) = await vikunja.ListAsync("projects", "projects: read_all", 3, ct, ("s", query));
        return
        [
            .. found
                .Select(task => tasks.Show(task, whole: false))
                .Select(task => new TaskDocument($"task/{task.Id}", task.Title, task.Url)),
            .. projects
                .Select(tasks.ShowProject)
                .Select(project => new TaskDocument($"project/{project.Id}", project.Title, project.Url)),
        ];
    }

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "vikunja_get_task")]
    public async Task<TaskDocument?> FetchDocument(string id, CancellationToken ct)
    {
        switch (id.Split('/'))
        {
            case ["task", var number] when Number(number) is > 0 and var task:
                var one = tasks.Show(await tasks.ReadAsync(task, ct));
                var facts = new (string Name, string? Value)[]
                {
                    ("done", one.Done ? "true" : "false"),
                    ("project_id", $"{one.ProjectId}"),
                    ("identifier", one.Identifier),
                    ("priority", one.Priority?.ToString(CultureInfo.InvariantCulture)),
                    ("due_date", one.DueDate?.ToString("O", CultureInfo.InvariantCulture)),
                    ("labels", Joined(one.Labels)),
                    ("assignees", Joined(one.Assignees)),
                };
                var metadata = facts
                    .Where(fact => fact.Value is not null)
                    .ToDictionary(fact => fact.Name, fact => fact.Value!);
                return new(id, one.Title, one.Url, $"{one.Title}\n\n{one.Description}", metadata);
            case ["project", var number] when Number(number) is { } project:
                var whole = tasks.ShowProject(
                    await vikunja.SendAsync(HttpMethod.Get, $"projects/{project}", "projects: read_one", ct)
                );
                return new(id, whole.Title, whole.Url, $"{whole.Title}\n\n{whole.Description}");
            default:
                return null;
        }
    }

    private static string? Joined(IReadOnlyList<string>? names) => names is null ? null : string.Join(", ", names);
}
