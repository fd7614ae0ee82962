using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>New projects and changes of projects. Closing and deleting stand in CwayClosingTools.cs.</summary>
[McpServerToolType]
internal sealed class CwayProjectTools(CwayClient cway)
{
    private const int MaxText = 2000;

    [McpServerTool(
        Name = "cway_create_project",
        Title = "Create a project",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("aliases", "create_cway_project")]
    [McpMeta("profile", "default")]
    [Description("Creates a project and returns it. Search for it first, so that it does not exist twice.")]
    public async Task<CwayProjectChange> CreateProject(
        [Description("The project's name."), StringLength(255, MinimumLength = 1)] string name,
        [Description("What it is about."), StringLength(MaxText)] string? description = null,
        [Description("First day, such as 2026-01-31."), StringLength(10)] string? start_date = null,
        [Description("Last day, such as 2026-03-31."), StringLength(10)] string? end_date = null,
        [Description("UUID of the user who orders it; by default the user of our token.")] string? orderer_id = null,
        CancellationToken ct = default
    )
    {
        var orderer = orderer_id is null ? await OwnIdAsync(ct) : CwayShape.Uuid(nameof(orderer_id), orderer_id);
        var id = Guid.NewGuid().ToString("D"); // createProject answers true, so we choose the id to know it
        await cway.ChangeAsync(
            "CwayCreateProject",
            "createProject",
            new
            {
                input = Given(
                    ("projectId", id),
                    ("name", name.Trim()),
                    ("ordererId", orderer),
                    ("description", description),
                    ("startDate", CwayShape.Day(nameof(start_date), start_date)),
                    ("endDate", CwayShape.Day(nameof(end_date), end_date))
                ),
            },
            ct
        );
        return await ReadAgainAsync(id, "Project created successfully", ct);
    }

    [McpServerTool(
        Name = "cway_update_project",
        Title = "Change a project",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [McpMeta("aliases", "update_cway_project")]
    [McpMeta("profile", "default")]
    [Description("Replaces name, description, order number or dates of a project; what is left out stays as it is.")]
    public async Task<CwayProjectChange> UpdateProject(
        [Description(CwayTools.ProjectId)] string project_id,
        [Description("A new name."), StringLength(255, MinimumLength = 1)] string? name = null,
        [Description("A new description."), StringLength(MaxText)] string? description = null,
        [Description("A new first day, such as 2026-01-31."), StringLength(10)] string? start_date = null,
        [Description("A new last day."), StringLength(10)] string? end_date = null,
        [Description("A new order number."), StringLength(100)] string? order_number = null,
        CancellationToken ct = default
    )
    {
        var id = (await CwayTools.RequireAsync(cway, project_id, ct)).Id!;
        var input = Given(
            ("projectId", id),
            ("name", name),
            ("description", description),
            ("startDate", CwayShape.Day(nameof(start_date), start_date)),
            ("endDate", CwayShape.Day(nameof(end_date), end_date)),
            ("orderNumber", order_number)
        );
        if (input.Count == 1)
        {
            throw new McpException(
                "Nothing to change was given. "
                    + "Give at least one of name, description, start_date, end_date and order_number."
            );
        }

        await cway.ChangeAsync("CwayChangeProject", "changeBasicProjectData", new { input }, ct);
        return await ReadAgainAsync(id, "Project updated successfully", ct);
    }

    [McpServerTool(
        Name = "cway_update_project_notes",
        Title = "Replace a project's notes",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description(
        "Replaces the internal notes of a project. Read them first with cway_get_project_by_id to add to them."
    )]
    public async Task<CwayProjectChange> UpdateProjectNotes(
        [Description(CwayTools.ProjectId)] string project_id,
        [Description("The whole new text; empty removes the notes."), StringLength(20_000)] string notes,
        CancellationToken ct = default
    )
    {
        var id = (await CwayTools.RequireAsync(cway, project_id, ct)).Id!;
        await cway.ChangeAsync("CwayUpdateProjectNotes", "updateProjectNotes", new { id, notes }, ct);
        return await ReadAgainAsync(id, "Notes replaced", ct);
    }

    [McpServerTool(
        Name = "cway_transfer_project_ownership",
        Title = "Set the project manager",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Makes another user the manager of a project.")]
    public async Task<CwayProjectChange> TransferProjectOwnership(
        [Description(CwayTools.ProjectId)] string project_id,
        [Description("The user's UUID, from cway_search_users.")] string new_owner_id,
        CancellationToken ct = default
    )
    {
        var id = (await CwayTools.RequireAsync(cway, project_id, ct)).Id!;
        var projectManagerId = CwayShape.Uuid(nameof(new_owner_id), new_owner_id);
        await cway.ChangeAsync(
            "CwaySetProjectManager",
            "setProjectManager",
            new { projectId = id, projectManagerId },
            ct
        );
        return await ReadAgainAsync(id, $"Project ownership transferred to user {projectManagerId}", ct);
    }

    [McpServerTool(
        Name = "cway_upload_project_attachment",
        Title = "Add files to a project",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Adds a file that Cway already has to a project. It does not upload one.")]
    public async Task<CwayProjectChange> UploadProjectAttachment(
        [Description(CwayTools.ProjectId)] string project_id,
        [Description("The file's UUID, from cway_search_media_center.")] string file_id,
        [Description("What the file is, for the answer; Cway keeps the file's own name."), StringLength(255)]
            string? name = null,
        CancellationToken ct = default
    )
    {
        var id = (await CwayTools.RequireAsync(cway, project_id, ct)).Id!;
        var file = CwayShape.Uuid(nameof(file_id), file_id);
        await cway.ChangeAsync(
            "CwayAddFilesToProject",
            "addFilesToProject",
            new { projectId = id, files = (string[])[file] },
            ct
        );
        return await ReadAgainAsync(id, $"File '{name ?? file}' attached to project", ct);
    }

    [McpServerTool(
        Name = "cway_generate_project_summary_ai",
        Title = "Summarise a project",
        ReadOnly = true,
        Destructive = false,
        Idempotent = false,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [Description(
        "Lets Cway's own AI write a summary of a project for an audience. For the facts themselves use the other tools."
    )]
    public async Task<CwaySummary> GenerateProjectSummaryAi(
        [Description(CwayTools.ProjectId)] string project_id,
        [Description("PROJECT_MANAGER, ORDERER or GRAPHICS_CREATOR.")]
        [AllowedValues("PROJECT_MANAGER", "ORDERER", "GRAPHICS_CREATOR")]
            string audience = "PROJECT_MANAGER",
        CancellationToken ct = default
    )
    {
        var projectId = CwayShape.Uuid(nameof(project_id), project_id);
        var (summary, note) = await cway.AskAsync<string>(
            "CwayProjectSummary",
            "openAIProjectSummary",
            new { projectId, audience },
            ct
        );
        return new(summary ?? "", audience, note);
    }

    private async Task<string> OwnIdAsync(CancellationToken ct) =>
        (await cway.AskAsync<CwayLogin>("CwayLoginInfo", "loginInfo", null, ct)).Value?.User?.Id
        ?? throw new McpException("Cway does not say who the user of CWAY_API_TOKEN is. Give orderer_id.");

    private async Task<CwayProjectChange> ReadAgainAsync(string id, string message, CancellationToken ct)
    {
        var (project, note) = await CwayTools.ReadAsync(cway, id, ct);
        return new(project, message, project is null ? "It cannot be read again yet." : note);
    }

    /// <summary>The members that were given.</summary>
    internal static Dictionary<string, object> Given(params (string Name, object? Value)[] members) =>
        members.Where(member => member.Value is not null).ToDictionary(member => member.Name, member => member.Value!);
}
