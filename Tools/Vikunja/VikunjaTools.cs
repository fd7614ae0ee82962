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
internal sealed partial class VikunjaTools(VikunjaClient vikunja, VikunjaTasks tasks)
{
    private const string ProjectId = "Number of the project, from vikunja_list_projects. For example `2`.";
    private const string TaskId =
        "Number (id, not identifier) of the task, from vikunja_list_tasks or vikunja_search_tasks. For example `12`.";
    private const string Html =
        "HTML; plain text is fine for one paragraph. For example `<p>Call the <b>roofer</b>.</p>`.";
    private const string Due =
        "A time with its zone (RFC 3339), a day, which means its end in the server's time zone, or seconds since 1970.";
    private const string User = "User name or number of the user. For example `ann`.";
    private const string LabelId = "Number of the label, from vikunja_list_labels. For example `3`.";
    private const string Done = "true for tasks that are done, false for open ones. Omit it for both.";
    private const string Filter =
        "Condition in Vikunja's filter language: fields such as done, priority, due_date, labels (by number),"
        + " compared with = != > >= < <= like in, combined with && and ||.";
    private const string Sort =
        "Field to sort by. due_date and title sort upwards, priority, updated and created downwards.";
    private const string Limit = "Number of items to return, 1 to 1000.";
    private const string Offset = "Number of characters of the description to skip, to read on. For example `4000`.";
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
    [Description(
        "List the Vikunja projects that the user of the token can see. Returns number, title and the"
            + " beginning of the description of each; other tools take the number. Negative numbers are views"
            + " (favourites, saved filters)."
    )]
    public async Task<ProjectList> ListProjects(
        [
            Description(
                "Only projects whose title or identifier contains this; upper and lower case are the same."
                    + " For example `ops`."
            ),
            StringLength(200)
        ]
            string? search = null,
        [Description("true also lists archived projects.")] bool archived = false,
        [Description(Limit), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    )
    {
        var (projects, more) = await ProjectsAsync(search, archived, limit, ct);
        return new(
            [.. projects.Select(project => VikunjaProject.Of(project, vikunja, max: 500))],
            More(more, limit, "search")
        );
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
    [Description(
        "Read one Vikunja project. Returns its title, its description, and whether the user of the token"
            + " may read, write or administer it. For its tasks, use vikunja_list_tasks."
    )]
    public async Task<VikunjaProject> GetProject(
        [Description(ProjectId)] long project_id,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    )
    {
        RequireProject(project_id);
        var path = $"projects/{project_id}";
        var raw = await vikunja.SendAsync(HttpMethod.Get, path, "projects: read_one", ct);
        return VikunjaProject.Of(raw, vikunja, offset, VikunjaJson.LongText);
    }

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
        "Create a Vikunja project. Returns the project with its number. Look with vikunja_list_projects first, so that"
            + " there are not two of it."
    )]
    public async Task<VikunjaProject> CreateProject(
        [Description("Title of the project. For example `Garden`.")]
        [StringLength(MaxTitle, MinimumLength = 1)]
            string title,
        [Description("Description in " + Html), StringLength(MaxText)] string? description = null,
        [Description("Number of the project that it becomes a part of. For example `2`.")]
            long? parent_project_id = null,
        [Description("Short name for the numbers of its tasks (GAR-1), 1 to 10 characters. For example `GAR`.")]
        [StringLength(10)]
            string? identifier = null,
        CancellationToken ct = default
    )
    {
        if (parent_project_id is { } parent)
        {
            RequireRealProject(parent);
        }

        var body = Body(
            ("title", Title(title)),
            ("description", description),
            ("parent_project_id", parent_project_id),
            ("identifier", identifier)
        );
        return VikunjaProject.Of(
            await vikunja.SendAsync(HttpMethod.Put, "projects", "projects: create", ct, body),
            vikunja
        );
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
    [Description(
        "List the tasks of one Vikunja project. Returns number, title, state, due date, labels and"
            + " assignees of each, and a note when there are more. For tasks of all projects, use"
            + " vikunja_search_tasks; for the description of one task, use vikunja_get_task."
    )]
    public Task<TaskList> ListTasks(
        [Description(ProjectId)] long project_id,
        [Description(Done)] bool? done = null,
        [Description(Filter + " For example `priority >= 3 && due_date < now+7d`."), StringLength(500)]
            string? filter = null,
        [Description("Only tasks whose title or description contains this. For example `certs`."), StringLength(200)]
            string? search = null,
        [Description(Sort)] TaskOrder? sort = null,
        [Description(Limit), Range(1, 1000)] int limit = 100,
        CancellationToken ct = default
    )
    {
        RequireProject(project_id);
        return ListAsync($"projects/{project_id}/tasks", search, done, filter, sort, limit, ct);
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
    [Description(
        "Search the tasks of all Vikunja projects, by words, by Vikunja's filter language, or both. Returns"
            + " what vikunja_list_tasks returns. For the tasks of one project, use vikunja_list_tasks; to search"
            + " other systems too, use search."
    )]
    public Task<TaskList> SearchTasks(
        [Description("Text that the title or description contains, as one phrase. For example `certs`.")]
        [StringLength(200)]
            string? query = null,
        [Description(Filter + " For example `done = false && due_date < now`."), StringLength(500)]
            string? filter = null,
        [Description(Done)] bool? done = null,
        [Description(Sort)] TaskOrder? sort = null,
        [Description(Limit), Range(1, 1000)] int limit = 50,
        CancellationToken ct = default
    ) => ListAsync("tasks", query, done, filter, sort, limit, ct);

    [McpServerTool(
        Name = "vikunja_get_task",
        Title = "Get a task",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Read one Vikunja task. Returns its description, dates, labels, assignees, progress and number of"
            + " reminders. For its comments, use vikunja_list_comments."
    )]
    public async Task<VikunjaTask> GetTask(
        [Description(ProjectId)] long project_id,
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    )
    {
        RequireProject(project_id);
        var raw = await tasks.ReadAsync(task_id, ct);
        var actual = VikunjaClient.Number(raw, "project_id");
        var note =
            actual == project_id || project_id < 0
                ? null
                : $"This task is in project {actual} and not in {project_id}.";
        return VikunjaTask.Of(raw, vikunja, note: note, offset: offset, max: VikunjaJson.LongText);
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
    [Description(
        "Create a task in a Vikunja project. Returns the task with its number. To change a task that is there, use"
            + " vikunja_update_task."
    )]
    public async Task<VikunjaTask> CreateTask(
        [Description(ProjectId)] long project_id,
        [Description("What is to be done, in one line. For example `Order filters`.")]
        [StringLength(MaxTitle, MinimumLength = 1)]
            string title,
        [Description("Description in " + Html), StringLength(MaxText)] string? description = null,
        [Description("Priority from 0 (none) over 1 (low) to 5 (do now)."), Range(0, 5)] int priority = 0,
        [Description("Due date. " + Due + " For example `2026-02-01T12:00:00+01:00`.")]
        [StringLength(40, MinimumLength = 1)]
            string? due_date = null,
        CancellationToken ct = default
    )
    {
        RequireRealProject(project_id);
        var due = string.IsNullOrWhiteSpace(due_date) ? null : DueDate.Read(due_date, vikunja.Zone);
        var body = Body(
            ("title", Title(title)),
            ("description", description),
            ("priority", priority),
            ("due_date", due)
        );
        var path = $"projects/{project_id}/tasks";
        return VikunjaTask.Of(await vikunja.SendAsync(HttpMethod.Put, path, "tasks: create", ct, body), vikunja);
    }

    [McpServerTool(
        Name = "vikunja_update_task",
        Title = "Change a task",
        ReadOnly = false,
        Destructive = true,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Change the given fields of a Vikunja task; the others, its assignees and its reminders stay."
            + " Returns the task after the change. A repeating task that is set to done moves to its next date"
            + " and stays open: each such call moves it again. For labels and people, use vikunja_add_label and"
            + " vikunja_assign."
    )]
    public Task<VikunjaTask> UpdateTask(
        [Description(ProjectId + " The task must be in it.")] long project_id,
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("New title. For example `Order three filters`.")]
        [StringLength(MaxTitle, MinimumLength = 1)]
            string? title = null,
        [Description("New description, instead of the old one, in " + Html), StringLength(MaxText)]
            string? description = null,
        [Description("true when the task is done, false to open it again.")] bool? done = null,
        [Description("New priority from 0 (none) over 1 (low) to 5 (do now)."), Range(0, 5)] int? priority = null,
        [Description("New due date. " + Due + " none removes it. For example `2026-02-01`.")]
        [StringLength(40, MinimumLength = 1)]
            string? due_date = null,
        CancellationToken ct = default
    )
    {
        RequireRealProject(project_id);
        var due =
            due_date is null ? null
            : due_date.Trim().ToLowerInvariant() is "none" ? "0001-01-01T00:00:00Z"
            : DueDate.Read(due_date, vikunja.Zone);
        var changes = Body(
            ("title", title is null ? null : Title(title)),
            ("description", description),
            ("done", done),
            ("priority", priority),
            ("due_date", due)
        );
        return changes.Count > 0
            ? tasks.UpdateAsync(project_id, task_id, changes, ct)
            : throw new McpException(
                "There is nothing to change. Give at least one of title, description, done, priority and due_date."
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
        "Delete a Vikunja task with its comments and attachments. There is no undo. Returns its title. To"
            + " keep a record, set it to done with vikunja_update_task instead."
    )]
    public Task<DeletedTask> DeleteTask(
        [Description(ProjectId + " The task must be in it.")] long project_id,
        [Description(TaskId), Range(1, MaxId)] long task_id,
        CancellationToken ct = default
    )
    {
        RequireRealProject(project_id);
        return tasks.DeleteAsync(project_id, task_id, ct);
    }

    [McpServerTool(
        Name = "vikunja_list_comments",
        Title = "List comments",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the comments on a Vikunja task, or read one of them whole. Returns text (HTML), author and"
            + " time of each. The text of a long comment is truncated, with a note that says how to read on."
    )]
    public async Task<CommentList> ListComments(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("true lists the newest comment first.")] bool newest_first = false,
        [Description(Limit), Range(1, 1000)] int limit = 100,
        [Description("Number of one comment, to return only it. For example `1`."), Range(1, MaxId)]
            long? comment_id = null,
        [Description("Number of characters of each text to skip, to read on in a comment. For example `4000`.")]
        [Range(0, int.MaxValue)]
            int offset = 0,
        CancellationToken ct = default
    )
    {
        var (comments, more) = await CommentsAsync(task_id, newest_first, limit, comment_id, ct);
        var max = comment_id is null ? VikunjaJson.ShortText : VikunjaJson.LongText;
        return comment_id is { } missing && comments.Count == 0
            ? throw new McpException(
                $"Task {task_id} has no comment {missing}. Call vikunja_list_comments without comment_id to find it."
            )
            : new(
                [.. comments.Select(comment => TaskComment.Of(comment, offset, max))],
                comment_id is null ? More(more, limit, "newest_first") : null
            );
    }

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
        "Add a comment to a Vikunja task. Returns the comment. It carries the name of the token's user, and"
            + " Vikunja notifies the people who follow the task."
    )]
    public async Task<TaskComment> AddComment(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description("Text in " + Html), StringLength(MaxText, MinimumLength = 1)] string comment,
        CancellationToken ct = default
    )
    {
        var (path, body) = ($"tasks/{task_id}/comments", Body(("comment", comment)));
        var added = await vikunja.SendAsync(HttpMethod.Put, path, "tasks_comments: create", ct, body);
        return TaskComment.Of(added, 0, VikunjaJson.ShortText);
    }

    [McpServerTool(
        Name = "vikunja_list_labels",
        Title = "List labels",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the labels that the user of the token can use. Returns title and number of each; vikunja_add_label and"
            + " vikunja_remove_label take the number."
    )]
    public async Task<LabelList> ListLabels(
        [Description("Only labels whose title contains this. For example `infra`."), StringLength(200)]
            string? search = null,
        [Description(Limit), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    )
    {
        var (labels, more) = await vikunja.ListAsync("labels", "labels: read_all", limit, ct, [("s", search)]);
        return new(
            [.. labels.Select(VikunjaJson.Read<RawLabel>).Select(label => new TaskLabel(label.Id, label.Title ?? ""))],
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
    [Description("Add a label to a Vikunja task, beside those that it has. Returns the task after the change.")]
    public Task<VikunjaTask> AddLabel(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description(LabelId), Range(1, MaxId)] long label_id,
        CancellationToken ct = default
    ) =>
        tasks.ChangeAsync(
            task_id,
            "labels",
            isThere: true,
            _ => Task.FromResult(label_id),
            label =>
                vikunja.SendAsync(
                    HttpMethod.Put,
                    $"tasks/{task_id}/labels",
                    "tasks_labels: create",
                    ct,
                    Body(("label_id", label))
                ),
            "The label was on the task already; nothing was changed.",
            ct
        );

    [McpServerTool(
        Name = "vikunja_remove_label",
        Title = "Remove a label",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Remove a label from a Vikunja task. Returns the task after the change. The label itself stays.")]
    public Task<VikunjaTask> RemoveLabel(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description(LabelId), Range(1, MaxId)] long label_id,
        CancellationToken ct = default
    ) =>
        tasks.ChangeAsync(
            task_id,
            "labels",
            isThere: false,
            _ => Task.FromResult(label_id),
            label =>
                vikunja.SendAsync(HttpMethod.Delete, $"tasks/{task_id}/labels/{label}", "tasks_labels: delete", ct),
            $"The label {label_id} was not on the task; nothing was changed.",
            ct
        );

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
        "Assign a Vikunja task to a user who can see its project, beside those who have it already. Returns"
            + " the task after the change."
    )]
    public Task<VikunjaTask> Assign(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description(User), StringLength(250, MinimumLength = 1)] string user,
        CancellationToken ct = default
    ) =>
        tasks.ChangeAsync(
            task_id,
            "assignees",
            isThere: true,
            task => UserAsync(user, VikunjaClient.Number(task, "project_id"), ct),
            id =>
                vikunja.SendAsync(
                    HttpMethod.Put,
                    $"tasks/{task_id}/assignees",
                    "tasks_assignees: create",
                    ct,
                    Body(("user_id", id))
                ),
            "The user had the task already; nothing was changed.",
            ct
        );

    [McpServerTool(
        Name = "vikunja_unassign",
        Title = "Unassign a task",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Remove one of the assignees of a Vikunja task. Returns the task after the change. The others keep it."
    )]
    public Task<VikunjaTask> Unassign(
        [Description(TaskId), Range(1, MaxId)] long task_id,
        [Description(User), StringLength(250, MinimumLength = 1)] string user,
        CancellationToken ct = default
    ) =>
        tasks.ChangeAsync(
            task_id,
            "assignees",
            isThere: false,
            task =>
            {
                var assigned = task["assignees"] as JsonArray ?? [];
                return Task.FromResult(
                    Find(assigned, user)
                        ?? throw new McpException(
                            $"{user} is not an assignee of task {task_id}, and nothing was changed."
                                + $" {Known("Its assignees", assigned, "Nobody is.")}"
                        )
                );
            },
            id =>
                vikunja.SendAsync(HttpMethod.Delete, $"tasks/{task_id}/assignees/{id}", "tasks_assignees: delete", ct),
            "The user did not have the task; nothing was changed.",
            ct
        );

    // Vikunja's own search also gives the parts of a project that matches, and its views whatever is searched.
    private Task<(IReadOnlyList<JsonObject> Items, bool More)> ProjectsAsync(
        string? search,
        bool archived,
        int limit,
        CancellationToken ct
    ) =>
        vikunja.ListAsync(
            "projects",
            "projects: read_all",
            limit,
            ct,
            [("s", search), ("is_archived", archived ? "true" : null)],
            project =>
                string.IsNullOrWhiteSpace(search)
                || Has(VikunjaClient.Text(project, "title"), search)
                || Has(VikunjaClient.Text(project, "identifier"), search)
        );

    private static bool Has(string? text, string part) =>
        text?.Contains(part.Trim(), StringComparison.OrdinalIgnoreCase) is true;

    private Task<(IReadOnlyList<JsonObject> Items, bool More)> CommentsAsync(
        long task,
        bool newestFirst,
        int limit,
        long? only,
        CancellationToken ct
    ) =>
        vikunja.ListAsync(
            $"tasks/{task}/comments",
            "tasks_comments: read_all",
            only is null ? limit : 1,
            ct,
            [("order_by", newestFirst ? "desc" : null)],
            comment => only is null || VikunjaClient.Number(comment, "id") == only
        );

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
            [
                ("s", search),
                ("filter", both),
                ("filter_timezone", both is null ? null : vikunja.Zone.Id),
                ("sort_by", order),
                ("order_by", direction),
            ]
        );
        return new(
            [.. found.Select(task => VikunjaTask.Of(task, vikunja, whole: false))],
            More(more, limit, "search, done or filter")
        );
    }

    private async Task<long> UserAsync(string user, long project, CancellationToken ct)
    {
        if (Number(user) is > 0 and var number)
        {
            return number;
        }

        var path = $"projects/{project}/projectusers?s={Uri.EscapeDataString(user.Trim())}";
        var users = await vikunja.AllAsync(path, "projects: projectusers", ct);
        return Find(users, user)
            ?? throw new McpException(
                $"Nobody named {user} can see the project of this task, and nothing was changed."
                    + $" {Known("Similar names", users, "Share the project with the user in Vikunja first.")}"
            );
    }

    private static long? Find(JsonArray users, string user) =>
        users
            .OfType<JsonObject>()
            .Select(VikunjaJson.Read<RawUser>)
            .FirstOrDefault(known =>
                known.Id == Number(user) || user.Trim().Equals(known.Username, StringComparison.OrdinalIgnoreCase)
            )
            ?.Id;

    private static string Known(string what, JsonArray users, string none)
    {
        var names = users.OfType<JsonObject>().Select(known => VikunjaClient.Text(known, "username")).ToArray();
        return names.Length > 0 ? $"{what}: {string.Join(", ", names.Take(10))}." : none;
    }

    private static long? Number(string text) =>
        long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static string? More(bool more, int limit, string argument) =>
        more ? $"There are more than these. Narrow with {argument}{(limit < 1000 ? ", or raise limit" : "")}." : null;

    private static void RequireProject(long project)
    {
        if (project == 0)
        {
            throw new McpException("project_id must not be 0. Find the number with vikunja_list_projects.");
        }
    }

    private static void RequireRealProject(long project)
    {
        RequireProject(project);
        if (project < 0)
        {
            throw new McpException(
                $"{project} is not a real project but a view (favourites, or a saved filter), which has no tasks of its"
                    + " own. Find the number of the project with vikunja_list_projects."
            );
        }
    }

    private static string Title(string title) =>
        title.Trim() is { Length: > 0 } trimmed
            ? trimmed
            : throw new McpException("title must not be empty. Write in one line what it is about.");

    private static JsonObject Body(params (string Name, JsonNode? Value)[] members) =>
        [
            .. members
                .Where(member => member.Value is not null)
                .Select(member => KeyValuePair.Create(member.Name, member.Value)),
        ];
}
