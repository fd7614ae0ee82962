using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Vikunja;

/// <summary>Projects, tasks, and what belongs to a task: comments, labels, assignees.</summary>
[McpServerToolType]
public sealed partial class VikunjaTools(VikunjaClient vikunja, VikunjaTasks tasks)
{
    private const string ProjectId = "The project's number, from vikunja_list_projects.";
    private const string TaskId =
        "The task's number, from vikunja_list_tasks or vikunja_search_tasks: id, not identifier.";
    private const string Text = "HTML; plain text is fine for one paragraph.";
    private const string Due =
        "With a zone (2026-02-01T12:00:00+01:00), or a day (2026-02-01), which means its end in"
        + " the server's zone, or seconds since 1970.";
    private const int MaxTitle = 250,
        MaxText = 200_000,
        MaxId = int.MaxValue;

    [McpServerTool(
        Name = "vikunja_list_projects",
        Title = "List projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the Vikunja projects that our user can see, with the numbers that other tools take.")]
    public async Task<ProjectList> ListProjects(
        [Description("Only projects whose title contains this."), StringLength(200)] string? search = null,
        [Description("true lists archived projects too.")] bool archived = false,
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    )
    {
        var (projects, more) = await vikunja.ListAsync(
            "projects",
            "projects: read_all",
            limit,
            ct,
            ("s", search),
            ("is_archived", archived ? "true" : null)
        );
        return new([.. projects.Select(tasks.ShowProject)], More(more, limit, "search"));
    }

    [McpServerTool(
        Name = "vikunja_get_project",
        Title = "Get a project",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Reads one Vikunja project: title, description, and what our user may do in it.")]
    public async Task<VikunjaProject> GetProject(
        [Description(ProjectId)] long project_id,
        CancellationToken ct = default
    ) => tasks.ShowProject(await vikunja.SendAsync(HttpMethod.Get, $"projects/{project_id}", "projects: read_one", ct));

    [McpServerTool(
        Name = "vikunja_create_project",
        Title = "Create a project",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Creates a Vikunja project and returns it with its number. List the projects first, so that none is there twice."
    )]
    public async Task<VikunjaProject> CreateProject(
        [Description("The project's title."), StringLength(MaxTitle, MinimumLength = 1)] string title,
        [Description(Text), StringLength(MaxText)] string? description = null,
        [Description("The project that it is a part of.")] long? parent_project_id = null,
        [Description("Up to ten letters that its tasks are numbered with, for example OPS."), StringLength(10)]
            string? identifier = null,
        CancellationToken ct = default
    )
    {
        var body = Body(
            ("title", Said(title)),
            ("description", description),
            ("parent_project_id", parent_project_id),
            ("identifier", identifier)
        );
        return tasks.ShowProject(await vikunja.SendAsync(HttpMethod.Put, "projects", "projects: create", ct, body));
    }

    [McpServerTool(
        Name = "vikunja_list_tasks",
        Title = "List tasks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the tasks of one Vikunja project. For tasks of all projects use vikunja_search_tasks.")]
    public Task<TaskList> ListTasks(
        [Description(ProjectId)] long project_id,
        [Description("Only tasks that are done (true) or open (false).")] bool? done = null,
        [Description("Vikunja's filter language, for example: priority >= 3 && dueDate < now+7d"), StringLength(500)]
            string? filter = null,
        [Description("Only tasks that contain this."), StringLength(200)] string? search = null,
        [Description("What to sort by.")] TaskOrder? sort = null,
        [Description("At most this many."), Range(1, 1000)] int limit = 100,
        CancellationToken ct = default
    ) => ListAsync($"projects/{project_id}/tasks", search, done, filter, sort, limit, ct);

    [McpServerTool(
        Name = "vikunja_get_task",
        Title = "Get a task",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Reads one Vikunja task with description, dates, labels and assignees.")]
    public async Task<VikunjaTask> GetTask(
        [Description(ProjectId)] long project_id,
        [Description(TaskId), Range(1, MaxId)] long task_id,
        CancellationToken ct = default
    )
    {
        var task = tasks.Show(await tasks.ReadAsync(task_id, ct));
        return task.ProjectId == project_id
            ? task
            : task with
            {
                Note = $"This task is in project {task.ProjectId} and not in {project_id}.",
            };
    }

    [McpServerTool(
        Name = "vikunja_create_task",
        Title = "Create a task",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Creates a task in a Vikunja project and returns it with its number.")]
    public async Task<VikunjaTask> CreateTask(
        [Description(ProjectId)] long project_id,
        [Description("What is to be done, in one line."), StringLength(MaxTitle, MinimumLength = 1)] string title,
        [Description(Text), StringLength(MaxText)] string? description = null,
        [Description("0 (none) to 5 (do now)."), Range(0, 5)] int priority = 0,
        [Description(Due), StringLength(40, MinimumLength = 1)] string? due_date = null,
        CancellationToken ct = default
    )
    {
        if (project_id <= 0)
        {
            throw new McpException(
                $"{project_id} is not a real project but a view (favourites, or a saved filter): no task can be created in it. vikunja_list_projects shows the others."
            );
        }

        var due = string.IsNullOrWhiteSpace(due_date) ? null : DueDate.Read(due_date, vikunja.Zone);
        var body = Body(
            ("title", Said(title)),
            ("description", description),
            ("priority", priority),
            ("due_date", due)
        );
        return tasks.Show(
            await vikunja.SendAsync(HttpMethod.Put, $"projects/{project_id}/tasks", "tasks: create", ct, body)
        );
    }

    [McpServerTool(
        Name = "vikunja_update_task",
        Title = "Change a task",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Changes what is said and leaves the rest of a Vikunja task as it is, its assignees and reminders too. A repeating task that is done moves to its next date and stays open."
    )]
    public Task<VikunjaTask> UpdateTask(
        [Description(ProjectId + " The task must be in it.")] long project_id,
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("A new title."), StringLength(MaxTitle, MinimumLength = 1)] string? title = null,
        [Description("A new description, which replaces the old one. " + Text), StringLength(MaxText)]
            string? description = null,
        [Description("true when it is done, false to open it again.")] bool? done = null,
        [Description("0 (none) to 5 (do now)."), Range(0, 5)] int? priority = null,
        [Description(Due + " \"none\" takes the date away."), StringLength(40, MinimumLength = 1)]
            string? due_date = null,
        CancellationToken ct = default
    )
    {
        var due =
            due_date is null ? null
            : due_date.Trim().ToLowerInvariant() is "none" ? "0001-01-01T00:00:00Z"
            : DueDate.Read(due_date, vikunja.Zone);
        var changes = Body(
            ("title", title is null ? null : Said(title)),
            ("description", description),
            ("done", done),
            ("priority", priority),
            ("due_date", due)
        );
        return changes.Count > 0
            ? tasks.UpdateAsync(project_id, task_id, changes, ct)
            : throw new McpException(
                "Nothing to change was said. Give at least one of title, description, done, priority and due_date."
            );
    }

    [McpServerTool(
        Name = "vikunja_delete_task",
        Title = "Delete a task",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Deletes a Vikunja task for good, with its comments and attachments. To keep a record, set it to done with vikunja_update_task instead."
    )]
    public async Task<DeletedTask> DeleteTask(
        [Description(ProjectId + " The task must be in it.")] long project_id,
        [Description(TaskId), Range(1, MaxId)] long task_id,
        CancellationToken ct = default
    )
    {
        var task = tasks.Show(await tasks.ReadAsync(project_id, task_id, ct));
        await vikunja.SendAsync(HttpMethod.Delete, $"tasks/{task_id}", "tasks: delete", ct);
        return new(task_id, task.Title, "It is gone for good. Its subtasks are still there, without it.");
    }

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

    private async Task<TaskList> ListAsync(
        string path,
        string? search,
        bool? done,
        string? filter,
        TaskOrder? sort,
        int limit,
        CancellationToken ct
    )
    {
        string? state = done switch
        {
            true => "done = true",
            false => "done = false",
            null => null,
        };
        var both =
            string.IsNullOrWhiteSpace(filter) ? state
            : state is null ? filter
            : $"({filter}) && {state}";
        var order = sort is null ? null : JsonNamingPolicy.SnakeCaseLower.ConvertName($"{sort}");
        var direction =
            sort is null ? null
            : sort is TaskOrder.DueDate or TaskOrder.Title ? "asc"
            : "desc";
        var (found, more) = await vikunja.ListAsync(
            path,
            "tasks: read_all",
            limit,
            ct,
            ("s", search),
            ("filter", both),
            ("filter_timezone", both is null ? null : vikunja.Zone.Id),
            ("sort_by", order),
            ("order_by", direction)
        );
        return new(
            [.. found.Select(task => tasks.Show(task, whole: false))],
            More(more, limit, "search, done or filter")
        );
    }

    private static string? More(bool more, int limit, string argument) =>
        more ? $"There are more than these. Narrow with {argument}{(limit < 1000 ? ", or raise limit" : "")}." : null;

    private static string Said(string title) =>
        title.Trim() is { Length: > 0 } said
            ? said
            : throw new McpException("The title is empty. Say in one line what it is about.");

    private static JsonObject Body(params (string Name, JsonNode? Value)[] members) =>
        [
            .. members
                .Where(member => member.Value is not null)
                .Select(member => KeyValuePair.Create(member.Name, member.Value)),
        ];

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
