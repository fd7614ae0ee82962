using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>Projects: finding, reading and comparing them; and what the connection to Cway is.</summary>
[McpServerToolType]
internal sealed partial class CwayTools(CwayClient cway)
{
    internal const string ProjectId = "The project's UUID, from cway_list_projects or cway_search_projects.";

    [McpServerTool(
        Name = "cway_get_system_status",
        Title = "Get the status of Cway",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Checks whether Cway answers and whom our token belongs to. Use it when other Cway tools fail.")]
    public async Task<CwaySystemStatus> GetSystemStatus(CancellationToken ct = default)
    {
        try
        {
            var (login, note) = await cway.AskAsync<CwayLogin>("CwayLoginInfo", "loginInfo", null, ct);
            return new(login is not null, login is null ? "degraded" : "healthy", cway.Url, login, note);
        }
        catch (Exception failed) when (failed is HttpRequestException or McpException)
        {
            return new(false, "unhealthy", cway.Url, null, failed.Message);
        }
    }

    [McpServerTool(
        Name = "cway_get_login_info",
        Title = "Get the signed-in user",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Reads which user and organisation of Cway this server acts as.")]
    public async Task<CwayLoginInfo> GetLoginInfo(CancellationToken ct = default)
    {
        var (login, note) = await cway.AskAsync<CwayLogin>("CwayLoginInfo", "loginInfo", null, ct);
        return new(login, login is null ? "Login info not available" : note);
    }

    [McpServerTool(
        Name = "cway_list_projects",
        Title = "List projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("aliases", "get_planner_projects")]
    [McpMeta("profile", "default")]
    [Description(
        "Lists the projects of Cway's planner with state, progress and dates. Use cway_search_projects to find one by "
            + "name, cway_get_project_by_id for everything about one."
    )]
    public Task<CwayProjectList> ListProjects(
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    ) => PlannedAsync(_ => true, limit, ct);

    [McpServerTool(
        Name = "cway_get_active_projects",
        Title = "List active projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Lists the planner projects that are in progress (state IN_PROGRESS).")]
    public Task<CwayProjectList> GetActiveProjects(
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    ) => PlannedAsync(project => project.IsActive, limit, ct);

    [McpServerTool(
        Name = "cway_get_completed_projects",
        Title = "List completed projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Lists the planner projects that are finished (state DELIVERED or CLOSED).")]
    public Task<CwayProjectList> GetCompletedProjects(
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    ) => PlannedAsync(project => project.IsCompleted, limit, ct);

    [McpServerTool(
        Name = "cway_get_project",
        Title = "Get a planner project",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Reads one project as the planner has it: state, progress and dates. cway_get_project_by_id returns more."
    )]
    public async Task<CwayPlannedProject> GetProject(
        [Description(ProjectId)] string project_id,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(project_id), project_id);
        var (projects, note) = await PlannerAsync(cway, ct);
        var project = projects.Find(project => project.Id == id);
        return new(project, project is null ? "Project not found" : note);
    }

    [McpServerTool(
        Name = "cway_search_projects",
        Title = "Search projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description(
        "Finds projects by words in their name, description, files or barcodes; without a query the first ones. "
            + "Returns order number, state, progress, last activity and the people responsible."
    )]
    public Task<CwaySearchResult> SearchProjects(
        [Description("What to look for, for example \"spring\"."), StringLength(200)] string? query = null,
        [Description("At most this many."), Range(1, 100)] int limit = 10,
        CancellationToken ct = default
    ) => SearchAsync(cway, query, limit, ct);

    [McpServerTool(
        Name = "cway_get_project_by_id",
        Title = "Get a project",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("aliases", "get_project_details")]
    [McpMeta("profile", "default")]
    [Description(
        "Reads everything about one project: description, notes, progress, people, artworks with their current "
            + "revision, and files."
    )]
    public async Task<CwayProjectResult> GetProjectById(
        [Description(ProjectId)] string project_id,
        CancellationToken ct = default
    )
    {
        var (project, note) = await ReadAsync(cway, CwayShape.Uuid(nameof(project_id), project_id), ct);
        return new(project, project is null ? "Project not found" : note);
    }

    [McpServerTool(
        Name = "cway_get_project_attachments",
        Title = "List the files of a project",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the files of a project with size and type. cway_get_file gives a link to download one.")]
    public async Task<CwayAttachments> GetProjectAttachments(
        [Description(ProjectId)] string project_id,
        CancellationToken ct = default
    )
    {
        var files = (await RequireAsync(cway, project_id, ct)).Files.Present();
        return new(files, files.Count);
    }

    [McpServerTool(
        Name = "cway_get_project_status_summary",
        Title = "Summarise all projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description(
        "Counts all projects by state and status, with their average progress, and lists those whose end date is "
            + "near or past while they are below 80 %."
    )]
    public static async Task<CwayStatusSummary> GetProjectStatusSummary(
        CwayHistoryClient history,
        CancellationToken ct = default
    )
    {
        var (projects, note) = await history.ProjectsAsync(ct);
        return CwayFigures.StatusSummary(projects, history.Today) with { Note = note };
    }

    [McpServerTool(
        Name = "cway_compare_projects",
        Title = "Compare projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Puts two or more projects side by side: progress, artworks, states, dates and last activity.")]
    public async Task<CwayComparison> CompareProjects(
        [Description("UUIDs of 2 to 20 projects."), MinLength(2), MaxLength(20)] string[] project_ids,
        CancellationToken ct = default
    )
    {
        var ids = CwayShape.Uuids(nameof(project_ids), project_ids);
        var read = await Task.WhenAll(ids.Select(id => ReadAsync(cway, id, ct)));
        var missing = ids.Where((_, at) => read[at].Value is null).ToArray();
        return CwayFigures.Compare(read.Select(one => one.Value).Present()) with
        {
            Note =
                missing.Length > 0
                    ? $"Not found: {string.Join(", ", missing)}."
                    : read.Select(one => one.Note).FirstOrDefault(note => note is not null),
        };
    }

    [McpServerTool(
        Name = "cway_get_project_history",
        Title = "Get a project's history",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Lists what happened in a project, newest first. cway_get_project_timeline starts with the oldest.")]
    public Task<CwayHistoryResult> GetProjectHistory(
        [Description(ProjectId)] string project_id,
        [Description("At most this many events."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    ) => HistoryAsync(project_id, newestFirst: true, limit, ct);

    [McpServerTool(
        Name = "cway_get_project_timeline",
        Title = "Get a project's timeline",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists what happened in a project, oldest first. cway_get_project_history starts with the newest.")]
    public Task<CwayHistoryResult> GetProjectTimeline(
        [Description(ProjectId)] string project_id,
        [Description("At most this many events."), Range(1, 1000)] int limit = 100,
        CancellationToken ct = default
    ) => HistoryAsync(project_id, newestFirst: false, limit, ct);

    [McpServerTool(
        Name = "cway_get_monthly_project_trends",
        Title = "Get open projects by month",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Counts how many projects were open in each month, with the change from the month before.")]
    public async Task<CwayTrends> GetMonthlyProjectTrends(CancellationToken ct = default)
    {
        var (months, note) = await cway.AskAsync<List<CwayMonth?>>(
            "CwayOpenProjectsByMonth",
            "openProjectsCountByMonth",
            null,
            ct
        );
        return CwayFigures.Trends(months.Present()) with { Note = note };
    }

    internal static async Task<(List<CwayProject> Projects, string? Note)> PlannerAsync(
        CwayClient cway,
        CancellationToken ct
    )
    {
        var (sent, note) = await cway.AskAsync<List<CwayProject?>>(
            "CwayListPlannerProjects",
            "plannerProjects",
            null,
            ct
        );
        var projects = sent.Present();
        cway.PlannerPercent.Learn(projects.Select(project => project.PercentageDone));
        return ([.. projects.Select(cway.PlannerPercent.Of)], note);
    }

    internal static async Task<CwaySearchResult> SearchAsync(
        CwayClient cway,
        string? query,
        int limit,
        CancellationToken ct
    )
    {
        var filter = string.IsNullOrWhiteSpace(query) ? null : new { name = query.Trim() };
        var (page, note) = await cway.AskAsync<CwayProjectPage>(
            "CwaySearchProjects",
            "projects",
            new { filter, paging = CwayShape.Page(0, limit) },
            ct
        );
        var found = page?.Projects.Present() ?? [];
        cway.Percent.Learn(found.Select(project => project.Progress?.PercentageDone));
        return new([.. found.Take(limit).Select(cway.Percent.Of)], page?.TotalHits ?? found.Count, note);
    }

    internal static async Task<CwayAnswer<CwayProjectDetails>> ReadAsync(
        CwayClient cway,
        string id,
        CancellationToken ct
    )
    {
        var (project, note) = await cway.AskAsync<CwayProjectDetails>("CwayGetProject", "project", new { id }, ct);
        return new(project is null ? null : cway.Percent.Of(project), note);
    }

    internal static async Task<CwayProjectDetails> RequireAsync(
        CwayClient cway,
        string project_id,
        CancellationToken ct
    )
    {
        var id = CwayShape.Uuid(nameof(project_id), project_id);
        return (await ReadAsync(cway, id, ct)).Value ?? throw CwayShape.NotFound("Project", id, "cway_search_projects");
    }

    private async Task<CwayProjectList> PlannedAsync(Func<CwayProject, bool> which, int limit, CancellationToken ct)
    {
        var (projects, note) = await PlannerAsync(cway, ct);
        var chosen = projects.Where(which).ToArray();
        return new(
            [.. chosen.Take(limit)],
            chosen.Length,
            chosen.Length > limit ? $"These are {limit} of {chosen.Length}. Raise limit, or search for a name." : note
        );
    }

    private async Task<CwayHistoryResult> HistoryAsync(
        string project_id,
        bool newestFirst,
        int limit,
        CancellationToken ct
    )
    {
        var id = CwayShape.Uuid(nameof(project_id), project_id);
        var (sent, note) = await cway.AskAsync<List<CwayRawEvent?>>(
            "CwayProjectHistory",
            "projectHistory",
            new { id },
            ct
        );
        return CwayHistoryResult.Of(sent, newestFirst, limit, note);
    }
}
