using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>Artworks: reading them, and the decisions about them.</summary>
[McpServerToolType]
internal sealed class CwayArtworkTools(CwayClient cway)
{
    internal const string ArtworkId = "The artwork's UUID, from cway_get_project_by_id or cway_get_my_artworks.";

    [McpServerTool(
        Name = "cway_get_artwork",
        Title = "Get an artwork",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Reads one artwork: state, dates, category, current revision with its file, and earlier revisions.")]
    public async Task<CwayArtworkResult> GetArtwork(
        [Description(ArtworkId)] string artwork_id,
        CancellationToken ct = default
    )
    {
        var (artwork, note) = await ReadAsync(CwayShape.Uuid(nameof(artwork_id), artwork_id), ct);
        return new(artwork, artwork is null ? "Artwork not found" : note);
    }

    [McpServerTool(
        Name = "cway_get_artwork_versions",
        Title = "List the revisions of an artwork",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists all revisions of an artwork with their comments.")]
    public async Task<CwayVersions> GetArtworkVersions(
        [Description(ArtworkId)] string artwork_id,
        CancellationToken ct = default
    )
    {
        var versions = (await RequireAsync(artwork_id, ct)).Revisions.Present();
        return new(versions, versions.Count);
    }

    [McpServerTool(
        Name = "cway_get_artwork_preview",
        Title = "Get the preview of an artwork",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Gives the preview file of an artwork with a link to it that works for a short time.")]
    public async Task<CwayFileResult> GetArtworkPreview(
        [Description(ArtworkId)] string artwork_id,
        CancellationToken ct = default
    )
    {
        var artwork = await RequireAsync(artwork_id, ct);
        var file = artwork.PreviewFile ?? artwork.CurrentRevision?.File;
        return file?.Id is null
            ? new(null, null, "No preview available for this artwork")
            : new(file, await CwayMediaTools.LinkAsync(cway, file.Id, ct), null);
    }

    [McpServerTool(
        Name = "cway_get_artwork_history",
        Title = "Get an artwork's history",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists what happened to an artwork, newest first.")]
    public async Task<CwayHistoryResult> GetArtworkHistory(
        [Description(ArtworkId)] string artwork_id,
        [Description("At most this many events."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(artwork_id), artwork_id);
        var (sent, note) = await cway.AskAsync<List<CwayRawEvent?>>(
            "CwayArtworkHistory",
            "artworkHistory",
            new { id },
            ct
        );
        return CwayHistoryResult.Of(sent, newestFirst: true, limit, note);
    }

    [McpServerTool(
        Name = "cway_get_my_artworks",
        Title = "List my artworks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Lists what waits for the user of our token: artworks to approve and artworks to upload.")]
    public async Task<CwayMyArtworks> GetMyArtworks(CancellationToken ct = default)
    {
        var approve = GetArtworksToApprove(ct);
        var upload = GetArtworksToUpload(ct);
        await Task.WhenAll(approve, upload);
        var total = (await approve).Count + (await upload).Count;
        return new(
            (await approve).Artworks,
            (await upload).Artworks,
            total,
            $"Found {total} artworks requiring action"
        );
    }

    [McpServerTool(
        Name = "cway_get_artworks_to_approve",
        Title = "List artworks to approve",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the artworks that wait for an approval by the user of our token.")]
    public Task<CwayArtworkList> GetArtworksToApprove(CancellationToken ct = default) =>
        ListAsync("CwayArtworksToApprove", "artworksToApprove", ct);

    [McpServerTool(
        Name = "cway_get_artworks_to_upload",
        Title = "List artworks to upload",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the artworks for which the user of our token has to upload a revision.")]
    public Task<CwayArtworkList> GetArtworksToUpload(CancellationToken ct = default) =>
        ListAsync("CwayArtworksToUpload", "artworksToUpload", ct);

    [McpServerTool(
        Name = "cway_create_artwork",
        Title = "Create an artwork",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Creates an artwork in a project. It needs a category: cway_get_categories lists them.")]
    public async Task<CwayDone> CreateArtwork(
        [Description(CwayTools.ProjectId)] string project_id,
        [Description("The artwork's name."), StringLength(255, MinimumLength = 1)] string name,
        [Description("What it is."), StringLength(2000)] string? description = null,
        [Description("The category's UUID; by default the first category.")] string? category_id = null,
        CancellationToken ct = default
    )
    {
        var input = CwayProjectTools.Given(
            ("projectId", CwayShape.Uuid(nameof(project_id), project_id)),
            ("name", name),
            ("description", description),
            (
                "categoryId",
                category_id is null ? await FirstCategoryAsync(ct) : CwayShape.Uuid(nameof(category_id), category_id)
            )
        );
        await cway.ChangeAsync("CwayCreateArtwork", "createArtwork", new { input }, ct);
        return new(true, "Artwork created successfully. cway_get_project_by_id shows its UUID.");
    }

    [McpServerTool(
        Name = "cway_approve_artwork",
        Title = "Approve an artwork",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Approves the current revision of an artwork as the user of our token.")]
    public async Task<CwayArtworkChange> ApproveArtwork(
        [Description(ArtworkId)] string artwork_id,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(artwork_id), artwork_id);
        await cway.ChangeAsync("CwayApproveArtwork", "approveArtwork", new { id }, ct);
        return new((await ReadAsync(id, ct)).Value, true, "Artwork approved successfully");
    }

    [McpServerTool(
        Name = "cway_reject_artwork",
        Title = "Reject an artwork",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [McpMeta("profile", "default")]
    [Description(
        "Rejects the current revision of an artwork as the user of our token, with the reason for its makers."
    )]
    public async Task<CwayArtworkChange> RejectArtwork(
        [Description(ArtworkId)] string artwork_id,
        [Description("What has to change."), StringLength(2000)] string? reason = null,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(artwork_id), artwork_id);
        var (login, _) = await cway.AskAsync<CwayLogin>("CwayLoginInfo", "loginInfo", null, ct);
        var username = login?.User?.Username
            ?? throw new McpException("Cway does not say who the user of CWAY_API_TOKEN is, so nothing was rejected.");
        var input = CwayProjectTools.Given(("artworkId", id), ("username", username), ("comment", reason));
        await cway.ChangeAsync("CwayRejectArtwork", "rejectArtwork", new { input }, ct);
        return new((await ReadAsync(id, ct)).Value, true, "Artwork rejected successfully");
    }

    [McpServerTool(
        Name = "cway_bulk_update_artwork_status",
        Title = "Approve or reject artworks",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Approves or rejects several artworks of one project at once. Other states cannot be set in Cway.")]
    public async Task<CwayDone> BulkUpdateArtworkStatus(
        [Description("UUIDs of 1 to 50 artworks of the same project."), MinLength(1), MaxLength(50)]
            string[] artwork_ids,
        [Description("APPROVED or REJECTED."), AllowedValues("APPROVED", "REJECTED")] string status,
        CancellationToken ct = default
    )
    {
        var artworkIds = CwayShape.Uuids(nameof(artwork_ids), artwork_ids);
        var projectId = await ProjectOfAsync(artworkIds, ct);
        var approves = status == "APPROVED";
        await cway.ChangeAsync(
            approves ? "CwayApproveArtworks" : "CwayRejectArtworks",
            approves ? "approveArtworks" : "rejectArtworks",
            new { projectId, artworkIds },
            ct
        );
        return new(true, $"Updated {artworkIds.Length} artworks to status: {status}");
    }

    [McpServerTool(
        Name = "cway_assign_artwork",
        Title = "Assign an artwork",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Makes a user approver, receiver or supplier of an artwork.")]
    public async Task<CwayArtworkChange> AssignArtwork(
        [Description(ArtworkId)] string artwork_id,
        [Description("The user's UUID, from cway_search_users.")] string user_id,
        [Description("APPROVER, RECEIVER or SUPPLIER.")] CwayAssignment role = CwayAssignment.APPROVER,
        CancellationToken ct = default
    )
    {
        var artwork = await RequireAsync(artwork_id, ct);
        var userId = CwayShape.Uuid(nameof(user_id), user_id);
        string Action(CwayAssignment one) => one == role ? "ASSIGN" : "LEAVE_UNCHANGED";
        await cway.ChangeAsync(
            "CwayAssignUsersToArtworks",
            "assignUsersToArtworks",
            new
            {
                input = new
                {
                    projectId = artwork.ProjectId,
                    artworkIds = (string?[])[artwork.Id],
                    assignments = new[]
                    {
                        new
                        {
                            userId,
                            approver = Action(CwayAssignment.APPROVER),
                            receiver = Action(CwayAssignment.RECEIVER),
                            supplier = Action(CwayAssignment.SUPPLIER),
                        },
                    },
                },
            },
            ct
        );
        return new(artwork, true, $"Artwork assigned to user {userId} as {role}");
    }

    [McpServerTool(
        Name = "cway_analyze_artwork_ai",
        Title = "Analyse an artwork",
        ReadOnly = true,
        Destructive = false,
        Idempotent = false,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [Description("Lets Cway's own AI analyse an artwork, and returns what it wrote.")]
    public async Task<CwayAnalysis> AnalyzeArtworkAi(
        [Description(ArtworkId)] string artwork_id,
        CancellationToken ct = default
    )
    {
        var artworkId = CwayShape.Uuid(nameof(artwork_id), artwork_id);
        var (analysis, note) = await cway.AskAsync<string>(
            "CwayArtworkAnalysis",
            "artworkAIAnalysis",
            new { artworkId },
            ct
        );
        return new(analysis ?? "", note);
    }

    [McpServerTool(
        Name = "cway_get_categories",
        Title = "List artwork categories",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the categories that artworks can have.")]
    public async Task<CwayCategories> GetCategories(CancellationToken ct = default)
    {
        var (login, note) = await cway.AskAsync<CwayLogin>("CwayCategories", "loginInfo", null, ct);
        var categories = login?.CurrentOrganisation?.ArtworkCategories.Present() ?? [];
        return new(categories, categories.Count, note);
    }

    [McpServerTool(
        Name = "cway_create_category",
        Title = "Create an artwork category",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Creates a category for artworks.")]
    public async Task<CwayDone> CreateCategory(
        [Description("The category's name."), StringLength(255, MinimumLength = 1)] string name,
        [Description("What belongs to it."), StringLength(2000)] string? description = null,
        CancellationToken ct = default
    )
    {
        await cway.ChangeAsync("CwayCreateCategory", "createArtworkCategory", new { name, description }, ct);
        return new(true, $"Category '{name}' created successfully");
    }

    private async Task<CwayArtworkList> ListAsync(string operation, string field, CancellationToken ct)
    {
        var (sent, note) = await cway.AskAsync<List<CwayArtwork?>>(operation, field, null, ct);
        var artworks = sent.Present();
        return new(artworks, artworks.Count, note);
    }

    private Task<CwayAnswer<CwayArtwork>> ReadAsync(string id, CancellationToken ct) =>
        cway.AskAsync<CwayArtwork>("CwayGetArtwork", "artwork", new { id }, ct);

    private async Task<CwayArtwork> RequireAsync(string artwork_id, CancellationToken ct)
    {
        var id = CwayShape.Uuid(nameof(artwork_id), artwork_id);
        return (await ReadAsync(id, ct)).Value ?? throw CwayShape.NotFound("Artwork", id, "cway_get_project_by_id");
    }

    // The bulk operations are of one project.
    private async Task<string> ProjectOfAsync(string[] artworks, CancellationToken ct)
    {
        var read = await Task.WhenAll(artworks.Select(id => RequireAsync(id, ct)));
        return read.Select(artwork => artwork.ProjectId).Distinct().ToArray() is [{ } only]
            ? only
            : throw new McpException("The artworks belong to different projects. Call once for each project.");
    }

    private async Task<string> FirstCategoryAsync(CancellationToken ct) =>
        (await GetCategories(ct)).Categories.Select(category => category.Id).FirstOrDefault(id => id is not null)
        ?? throw new McpException("The organisation has no artwork category yet. cway_create_category makes one.");
}
