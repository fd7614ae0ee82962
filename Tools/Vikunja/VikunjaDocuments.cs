using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>
/// Tasks and projects as documents, for a client that searches all systems at once (search and fetch).
/// </summary>
internal sealed partial class VikunjaTools
{
    [McpMeta("documents", "search")]
    [McpMeta("documents_from", "vikunja_search_tasks")]
    [McpMeta("documents_from", "vikunja_list_projects")]
    public async Task<IReadOnlyList<TaskDocument>> SearchDocuments(string query, CancellationToken ct)
    {
        var (found, _) = await vikunja.ListAsync("tasks", "tasks: read_all", 7, ct, [("s", query)]);
        var projects = await ProjectsAsync(query, archived: false, 3, ct);
        return
        [
            .. found
                .Select(task => VikunjaTask.Of(task, vikunja, whole: false))
                .Select(task => new TaskDocument($"task/{task.Id}", task.Title, task.Url)),
            .. projects
                .Items.Where(project => VikunjaClient.Number(project, "id") > 0)
                .Select(project => VikunjaProject.Of(project, vikunja))
                .Select(project => new TaskDocument($"project/{project.Id}", project.Title, project.Url)),
        ];
    }

    [McpMeta("documents", "fetch")]
    [McpMeta("documents_from", "vikunja_get_task")]
    [McpMeta("documents_from", "vikunja_list_tasks")]
    [McpMeta("documents_from", "vikunja_list_comments")]
    public async Task<TaskDocument?> FetchDocument(string id, CancellationToken ct) =>
        id.Split('/') switch
        {
            ["task", var number] when Number(number) is > 0 and var task => await TaskDocumentAsync(id, task, ct),
            ["project", var number] when Number(number) is > 0 and var project => await ProjectDocumentAsync(
                id,
                project,
                ct
            ),
            _ => null,
        };

    private async Task<TaskDocument> TaskDocumentAsync(string id, long number, CancellationToken ct)
    {
        var raw = await tasks.ReadAsync(number, ct);
        var task = VikunjaTask.Of(raw, vikunja);
        var facts = new (string Name, string? Value)[]
        {
            ("done", task.Done ? "true" : "false"),
            ("project_id", $"{task.ProjectId}"),
            ("identifier", task.Identifier),
            ("priority", task.Priority?.ToString(CultureInfo.InvariantCulture)),
            ("due_date", task.DueDate?.ToString("O", CultureInfo.InvariantCulture)),
            ("labels", Joined(task.Labels)),
            ("assignees", Joined(task.Assignees)),
        };
        var text = new StringBuilder($"# {task.Title}\n\n");
        text.Append(task.Done ? "Done" : "Open");
        AddFact(text, "due", Day(task.DueDate));
        AddFact(text, "priority", task.Priority?.ToString(CultureInfo.InvariantCulture));
        AddFact(text, "labels", Joined(task.Labels));
        AddFact(text, "assigned to", Joined(task.Assignees));
        AddFact(text, "created", Day(task.Created));
        AddFact(text, "updated", Day(task.Updated));
        text.Append($".\n\n{Markdown(VikunjaClient.Text(raw, "description"))}\n");
        text.Append(await CommentTextAsync(number, ct));
        return new(
            id,
            task.Title,
            task.Url,
            text.ToString().TrimEnd(),
            facts.Where(fact => fact.Value is not null).ToDictionary(fact => fact.Name, fact => fact.Value!)
        );
    }

    private async Task<string> CommentTextAsync(long task, CancellationToken ct)
    {
        try
        {
            var (comments, more) = await CommentsAsync(task, newestFirst: false, 1000, null, ct);
            var texts = comments
                .Select(VikunjaJson.Read<RawComment>)
                .Select(one => $"\n**{one.Author?.Username}, {Day(one.Created)}**\n\n{Markdown(one.Comment)}\n");
            return comments.Count == 0
                ? ""
                : $"\n## Comments\n{string.Concat(texts)}{(more ? "\nThere are more comments.\n" : "")}";
        }
        catch (HttpRequestException failure)
        {
            return $"\nThe comments could not be read: {failure.Message}\n";
        }
    }

    private async Task<TaskDocument> ProjectDocumentAsync(string id, long number, CancellationToken ct)
    {
        var raw = await vikunja.SendAsync(HttpMethod.Get, $"projects/{number}", "projects: read_one", ct);
        var (found, more) = await vikunja.ListAsync($"projects/{number}/tasks", "tasks: read_all", 500, ct);
        var project = VikunjaProject.Of(raw, vikunja);
        var lines = found
            .Select(task => VikunjaTask.Of(task, vikunja, whole: false))
            .Select(task =>
                $"- [{(task.Done ? "x" : " ")}] {task.Title} (task {task.Id}"
                + $"{(Day(task.DueDate) is { } due ? $", due {due}" : "")})\n"
            );
        var text =
            $"# {project.Title}\n\n{Markdown(VikunjaClient.Text(raw, "description"))}\n\n## Tasks\n\n"
            + (found.Count == 0 ? "None.\n" : string.Concat(lines))
            + (more ? "There are more tasks: vikunja_list_tasks lists them.\n" : "");
        return new(id, project.Title, project.Url, text.TrimEnd());
    }

    private static void AddFact(StringBuilder text, string name, string? value) =>
        text.Append(value is null ? "" : $"; {name} {value}");

    private string? Day(DateTimeOffset? time) =>
        VikunjaJson.Date(time) is { } date
            ? TimeZoneInfo.ConvertTime(date, vikunja.Zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)
            : null;

    private static string? Joined(IReadOnlyList<string>? names) => names is null ? null : string.Join(", ", names);

    // Vikunja's editor writes HTML of a few elements. Others are left out, and their text stays.
    private static string Markdown(string? html)
    {
        var text = Space().Replace(html ?? "", " ");
        (Regex Element, string Markdown)[] elements =
        [
            (Checked(), "\n- [x] "),
            (Unchecked(), "\n- [ ] "),
            (Item(), "\n- "),
            (Heading(), "\n\n## "),
            (Bold(), "**"),
            (Italic(), "*"),
            (Code(), "`"),
            (Link(), "[$2]($1)"),
            (Break(), "\n"),
            (Block(), "\n\n"),
            (Element(), ""),
        ];
        text = elements.Aggregate(text, (before, one) => one.Element.Replace(before, one.Markdown));
        return Gap().Replace(WebUtility.HtmlDecode(text), "\n\n").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex("<li[^<>]*data-checked=\"true\"[^<>]*>( *<(p|label|div)[^<>]*>)?", RegexOptions.IgnoreCase)]
    private static partial Regex Checked();

    [GeneratedRegex("<li[^<>]*data-checked=\"false\"[^<>]*>( *<(p|label|div)[^<>]*>)?", RegexOptions.IgnoreCase)]
    private static partial Regex Unchecked();

    [GeneratedRegex("<li[^<>]*>( *<p[^<>]*>)?", RegexOptions.IgnoreCase)]
    private static partial Regex Item();

    [GeneratedRegex("<h[1-6][^<>]*>", RegexOptions.IgnoreCase)]
    private static partial Regex Heading();

    [GeneratedRegex("</?(b|strong)>", RegexOptions.IgnoreCase)]
    private static partial Regex Bold();

    [GeneratedRegex("</?(i|em)>", RegexOptions.IgnoreCase)]
    private static partial Regex Italic();

    [GeneratedRegex("</?code[^<>]*>", RegexOptions.IgnoreCase)]
    private static partial Regex Code();

    [GeneratedRegex("<a [^<>]*href=\"([^\"<>]*)\"[^<>]*>(.{0,500}?)</a>", RegexOptions.IgnoreCase)]
    private static partial Regex Link();

    [GeneratedRegex("<br */?>", RegexOptions.IgnoreCase)]
    private static partial Regex Break();

    [GeneratedRegex("</(p|h[1-6]|ul|ol|pre|blockquote|table|tr)>", RegexOptions.IgnoreCase)]
    private static partial Regex Block();

    [GeneratedRegex("<[^<>]*>")]
    private static partial Regex Element();

    [GeneratedRegex(@"\s*\n\s*\n\s*")]
    private static partial Regex Gap();
}
