using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Vikunja;

public sealed partial class VikunjaTools
{
    [McpServerTool(
        Name = "vikunja_search_tasks",
        Title = "Search tasks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Finds tasks in all Vikunja projects by words, by Vikunja's filter language, or both.")]
    public Task<TaskList> SearchTasks(
        [Description("Words that the task contains."), StringLength(200)] string? query = null,
        [Description("For example: done = false && dueDate < now"), StringLength(500)] string? filter = null,
        [Description("Only tasks that are done (true) or open (false).")] bool? done = null,
        [Description("What to sort by.")] TaskOrder? sort = null,
        [Description("At most this many."), Range(1, 1000)] int limit = 50,
        CancellationToken ct = default
    ) => ListAsync("tasks", query, done, filter, sort, limit, ct);

    [McpServerTool(
        Name = "vikunja_list_comments",
        Title = "List comments",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the comments on a Vikunja task, oldest first.")]
    public async Task<CommentList> ListComments(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        CancellationToken ct = default
    ) =>
        new([
            .. (await vikunja.AllAsync($"tasks/{task_id}/comments", "tasks_comments: read_all", ct))
                .OfType<JsonObject>()
                .Select(Comment),
        ]);

    [McpServerTool(
        Name = "vikunja_add_comment",
        Title = "Add a comment",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Adds a comment to a Vikunja task. It is signed with our user's name, and people who follow the task are told."
    )]
    public async Task<TaskComment> AddComment(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description(Text), StringLength(MaxText, MinimumLength = 1)] string comment,
        CancellationToken ct = default
    ) =>
        Comment(
            await vikunja.SendAsync(
                HttpMethod.Put,
                $"tasks/{task_id}/comments",
                "tasks_comments: create",
                ct,
                Body(("comment", comment))
            )
        );

    [McpServerTool(
        Name = "vikunja_list_labels",
        Title = "List labels",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the labels of Vikunja that our user can use, with the numbers that vikunja_add_label takes.")]
    public async Task<LabelList> ListLabels(
        [Description("Only labels whose title contains this."), StringLength(200)] string? search = null,
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    )
    {
        var (labels, more) = await vikunja.ListAsync("labels", "labels: read_all", limit, ct, ("s", search));
        return new(
            [.. labels.Select(VikunjaTasks.Read<RawLabel>).Select(label => new TaskLabel(label.Id, label.Title ?? ""))],
            More(more, limit, "search")
        );
    }

    [McpServerTool(
        Name = "vikunja_add_label",
        Title = "Add a label",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Puts a label on a Vikunja task, and returns the task.")]
    public async Task<VikunjaTask> AddLabel(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("From vikunja_list_labels."), Range(1, MaxId)] long label_id,
        CancellationToken ct = default
    )
    {
        var task = await tasks.ReadAsync(task_id, ct);
        if (Has(task, "labels", label_id))
        {
            return tasks.Show(task, note: "The label was on the task already.");
        }

        await vikunja.SendAsync(
            HttpMethod.Put,
            $"tasks/{task_id}/labels",
            "tasks_labels: create",
            ct,
            Body(("label_id", label_id))
        );
        return await tasks.AfterAsync(task_id, "labels", label_id, there: true, ct);
    }

    [McpServerTool(
        Name = "vikunja_remove_label",
        Title = "Remove a label",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Takes a label off a Vikunja task, and returns the task. The label itself stays.")]
    public async Task<VikunjaTask> RemoveLabel(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("From vikunja_list_labels."), Range(1, MaxId)] long label_id,
        CancellationToken ct = default
    )
    {
        await vikunja.SendAsync(HttpMethod.Delete, $"tasks/{task_id}/labels/{label_id}", "tasks_labels: delete", ct);
        return await tasks.AfterAsync(task_id, "labels", label_id, there: false, ct);
    }

    [McpServerTool(
        Name = "vikunja_assign",
        Title = "Assign a task",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Gives a Vikunja task to a user who can see its project, beside those who have it already, and returns the task."
    )]
    public async Task<VikunjaTask> Assign(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("User name, or number."), StringLength(250, MinimumLength = 1)] string user,
        CancellationToken ct = default
    )
    {
        var task = await tasks.ReadAsync(task_id, ct);
        var id = await UserAsync(
            user,
            $"projects/{task["project_id"]}/projectusers?s={Uri.EscapeDataString(user.Trim())}",
            ct
        );
        if (Has(task, "assignees", id))
        {
            return tasks.Show(task, note: "The user had the task already.");
        }

        await vikunja.SendAsync(
            HttpMethod.Put,
            $"tasks/{task_id}/assignees",
            "tasks_assignees: create",
            ct,
            Body(("user_id", id))
        );
        return await tasks.AfterAsync(task_id, "assignees", id, there: true, ct);
    }

    [McpServerTool(
        Name = "vikunja_unassign",
        Title = "Unassign a task",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Takes a Vikunja task from one of its assignees, and returns the task. The others keep it.")]
    public async Task<VikunjaTask> Unassign(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("User name, or number."), StringLength(250, MinimumLength = 1)] string user,
        CancellationToken ct = default
    )
    {
        var assigned = (await tasks.ReadAsync(task_id, ct))["assignees"] as JsonArray ?? [];
        var id = Find(assigned, user)
            ?? throw new McpException(
                $"{user} is not an assignee of task {task_id}. {Known("Its assignees", assigned)}"
            );
        await vikunja.SendAsync(HttpMethod.Delete, $"tasks/{task_id}/assignees/{id}", "tasks_assignees: delete", ct);
        return await tasks.AfterAsync(task_id, "assignees", id, there: false, ct);
    }

    private async Task<long> UserAsync(string user, string path, CancellationToken ct)
    {
        if (Number(user) is > 0 and var number)
        {
            return number;
        }

        var users = await vikunja.AllAsync(path, "projects: read_one", ct);
        return Find(users, user)
            ?? throw new McpException(
                $"Nobody named {user} can see the project of this task. {Known("Near it", users)}"
            );
    }

    private static bool Has(JsonObject task, string list, long id) =>
        (task[list] as JsonArray)?.OfType<JsonObject>().Any(member => VikunjaClient.Number(member, "id") == id) is true;

    private static long? Find(JsonArray users, string user) =>
        users
            .OfType<JsonObject>()
            .Select(VikunjaTasks.Read<RawUser>)
            .FirstOrDefault(known =>
                known.Id == Number(user) || user.Trim().Equals(known.Username, StringComparison.OrdinalIgnoreCase)
            )
            ?.Id;

    private static string Known(string what, JsonArray users)
    {
        var names = users.OfType<JsonObject>().Select(known => VikunjaClient.Text(known, "username")).ToArray();
        return names.Length > 0
            ? $"{what}: {string.Join(", ", names.Take(10))}."
            : "Share the project with the user in Vikunja first.";
    }

    private static TaskComment Comment(JsonObject raw)
    {
        var comment = VikunjaTasks.Read<RawComment>(raw);
        return new(comment.Id, comment.Comment ?? "", comment.Author?.Username, comment.Created);
    }

    private static long? Number(string text) =>
        long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
