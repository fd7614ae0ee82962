using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>
/// Closing and deleting projects. A <c>prepare_</c> tool shows what would happen and gives the token of the common
/// confirmation; its <c>confirm_</c> tool does it. A confirm tool that is called first answers with a preview too.
/// </summary>
[McpServerToolType]
internal sealed class CwayClosingTools(CwayClient cway, ConfirmationDoor confirmation)
{
    private const string ProjectIds = "UUIDs of 1 to 50 projects.";

    [McpServerTool(
        Name = "cway_prepare_close_projects",
        Title = "Preview closing projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description(
        "Shows which projects would be closed, with warnings, and gives the confirmation token that "
            + "cway_confirm_close_projects needs. It changes nothing."
    )]
    public Task<CwayPreview> PrepareCloseProjects(
        ClaimsPrincipal? user,
        [Description(ProjectIds), MinLength(1), MaxLength(50)] string[] project_ids,
        [Description("true closes them although artworks are not complete.")] bool force = false,
        CancellationToken ct = default
    ) => PrepareAsync(user, "close", project_ids, force, ct);

    [McpServerTool(
        Name = "cway_confirm_close_projects",
        Title = "Close projects",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "CRITICAL")]
    [McpMeta("profile", "default")]
    [Description(
        "Closes projects. Call cway_prepare_close_projects first, show the user its preview, and when the user agrees "
            + "send the same arguments with its confirmation_token. cway_reopen_projects undoes it."
    )]
    public async Task<CwayClosed> ConfirmCloseProjects(
        [Description(ProjectIds), MinLength(1), MaxLength(50)] string[] project_ids,
        [Description("As it was previewed.")] bool force = false,
        CancellationToken ct = default
    )
    {
        var ids = CwayShape.Uuids(nameof(project_ids), project_ids);
        await cway.ChangeAsync("CwayCloseProjects", "closeProjects", new { ids, force }, ct);
        return new(true, "closed", ids.Length, ids, $"Successfully closed {ids.Length} project(s)");
    }

    [McpServerTool(
        Name = "cway_reopen_projects",
        Title = "Reopen projects",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Opens closed projects again.")]
    public async Task<CwayClosed> ReopenProjects(
        [Description(ProjectIds), MinLength(1), MaxLength(50)] string[] project_ids,
        CancellationToken ct = default
    )
    {
        var ids = CwayShape.Uuids(nameof(project_ids), project_ids);
        await cway.ChangeAsync("CwayReopenProjects", "reopenProjects", new { ids }, ct);
        return new(true, "reopened", ids.Length, ids, $"Successfully reopened {ids.Length} projects");
    }

    [McpServerTool(
        Name = "cway_prepare_delete_projects",
        Title = "Preview deleting projects",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Shows which projects would be deleted, with warnings, and gives the confirmation token that "
            + "cway_confirm_delete_projects needs. It changes nothing."
    )]
    public Task<CwayPreview> PrepareDeleteProjects(
        ClaimsPrincipal? user,
        [Description(ProjectIds), MinLength(1), MaxLength(50)] string[] project_ids,
        [Description("true deletes them although they are not empty.")] bool force = false,
        CancellationToken ct = default
    ) => PrepareAsync(user, "delete", project_ids, force, ct);

    [McpServerTool(
        Name = "cway_confirm_delete_projects",
        Title = "Delete projects",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "CRITICAL")]
    [Description(
        "Deletes projects for good. Call cway_prepare_delete_projects first, show the user its preview, and when the "
            + "user agrees send the same arguments with its confirmation_token. To keep them, close them instead."
    )]
    public async Task<CwayClosed> ConfirmDeleteProjects(
        [Description(ProjectIds), MinLength(1), MaxLength(50)] string[] project_ids,
        [Description("As it was previewed.")] bool force = false,
        CancellationToken ct = default
    )
    {
        var ids = CwayShape.Uuids(nameof(project_ids), project_ids);
        await cway.ChangeAsync("CwayDeleteProjects", "deleteProjects", new { ids, force }, ct);
        return new(true, "deleted", ids.Length, ids, $"Successfully deleted {ids.Length} project(s)");
    }

    private async Task<CwayPreview> PrepareAsync(
        ClaimsPrincipal? user,
        string operation,
        string[] project_ids,
        bool force,
        CancellationToken ct
    )
    {
        var ids = CwayShape.Uuids(nameof(project_ids), project_ids);
        var read = await Task.WhenAll(ids.Select(id => CwayTools.ReadAsync(cway, id, ct)));
        var found = read.Select(one => one.Value).Present();
        var missing = ids.Except(found.Select(project => project.Id)).ToArray();
        if (missing.Length > 0)
        {
            throw CwayShape.NotFound("Project", string.Join(", ", missing!), "cway_search_projects");
        }

        var arguments = CwayProjectTools.Given(("project_ids", ids), ("force", force ? true : null));
        var tool = $"cway_confirm_{operation}_projects";
        return await CwayPreview.OfAsync(
            confirmation,
            user,
            operation,
            "projects",
            [
                .. found.Select(project => new CwayPreviewItem(
                    project.Id,
                    project.Name,
                    project.State,
                    project.Artworks?.Count ?? 0
                )),
            ],
            [.. Warnings(operation, found, force)],
            tool,
            arguments,
            ct
        );
    }

    private static IEnumerable<string> Warnings(string operation, List<CwayProjectDetails> projects, bool force)
    {
        yield return operation == "close"
            ? $"{projects.Count} project(s) will be closed. cway_reopen_projects undoes it."
            : $"{projects.Count} project(s) will be deleted for good, with all that belongs to them.";
        var blocked = projects
            .Where(project => (operation == "close" ? project.IsInClosableState : project.IsInDeleteableState) is false)
            .Select(project => project.Name)
            .ToArray();
        if (blocked.Length > 0)
        {
            yield return force
                ? $"Not ready, and forced: {string.Join(", ", blocked)}."
                : $"Cway will refuse these without force: {string.Join(", ", blocked)}.";
        }
    }
}
