using System.ComponentModel;
using System.Security.Claims;
using System.Text.Json;

namespace MinimalMcp.Tools.Cway;

// What tools give.

internal sealed record CwaySystemStatus(
    bool Connected,
    [property: Description("healthy, degraded or unhealthy.")] string Status,
    string ApiUrl,
    CwayLogin? LoginInfo,
    string? Note
);

internal sealed record CwayLoginInfo(CwayLogin? LoginInfo, string? Message);

internal sealed record CwayProjectList(
    IReadOnlyList<CwayProject> Projects,
    [property: Description("How many there are, whether listed or not.")] int Total,
    string? Note
);

internal sealed record CwayPlannedProject(CwayProject? Project, string? Message);

internal sealed record CwaySearchResult(IReadOnlyList<CwayFoundProject> Projects, long TotalHits, string? Note);

internal sealed record CwayProjectResult(CwayProjectDetails? Project, string? Message);

internal sealed record CwayAttachments(IReadOnlyList<CwayFile> Attachments, int AttachmentCount);

internal sealed record CwayHistoryResult(IReadOnlyList<CwayEvent> History, int EventCount, string? Note)
{
    internal static CwayHistoryResult Of(IEnumerable<CwayRawEvent?>? sent, bool newestFirst, int limit, string? note)
    {
        var events = sent.Present().Select(CwayEvent.Of).OrderBy(one => one.Time).ToList();
        if (newestFirst)
        {
            events.Reverse();
        }

        return new(
            [.. events.Take(limit)],
            events.Count,
            events.Count > limit ? $"These are {limit} of {events.Count} events. Raise limit to see more." : note
        );
    }
}

internal sealed record CwayProjectChange(CwayProjectDetails? Project, string Message, string? Note);

internal sealed record CwayClosed(
    bool Success,
    string Action,
    int Count,
    IReadOnlyList<string> ProjectIds,
    string Message
);

internal sealed record CwaySummary(string Summary, string Audience, string? Note);

internal sealed record CwayPreviewItem(
    string? Id,
    string? Name,
    string? Status,
    int? ArtworkCount,
    string? Email = null
);

/// <summary>What a change would do, and the token that confirms it.</summary>
internal sealed record CwayPreview(
    string Action,
    [property: Description("close or delete.")] string Operation,
    string ItemType,
    IReadOnlyList<CwayPreviewItem> Items,
    int ItemCount,
    IReadOnlyList<string> Warnings,
    bool ConfirmationRequired,
    [property: Description("For the tool that next_step names, once, within 5 minutes.")] string ConfirmationToken,
    DateTimeOffset TokenExpiresAt,
    int TokenExpiresInSeconds,
    string NextStep
)
{
    internal static async Task<CwayPreview> OfAsync(
        ConfirmationDoor door,
        ClaimsPrincipal? user,
        string operation,
        string type,
        IReadOnlyList<CwayPreviewItem> items,
        IReadOnlyList<string> warnings,
        string tool,
        Dictionary<string, object> arguments,
        CancellationToken ct
    )
    {
        var (token, expires, lifetime) = await door.OpenAsync(user, tool, arguments, ct);
        return new(
            "preview",
            operation,
            type,
            items,
            items.Count,
            warnings,
            true,
            token,
            expires,
            (int)lifetime.TotalSeconds,
            $"Show this to the user. If the user agrees, call {tool} with "
                + $"{JsonSerializer.Serialize(arguments)} and this confirmation_token."
        );
    }
}

internal sealed record CwayDone(bool Success, string Message);

internal sealed record CwayCreated([property: Description("The new UUID.")] string Id, string Message);

internal sealed record CwayNamedList(IReadOnlyList<CwayNamed> Items, int Count, string? Note)
{
    internal static CwayNamedList Of(IEnumerable<CwayNamed?>? sent, string? note)
    {
        var items = sent.Present();
        return new(items, items.Count, note);
    }
}

internal sealed record CwayUserList(IReadOnlyList<CwayUser> Users, long Total, string? Note);

internal sealed record CwayUserResult(CwayUser? User, string? Message);

internal sealed record CwayUsersPage(IReadOnlyList<CwayUser> Users, int Page, long TotalHits, string? Note);

internal sealed record CwayUsersAndTeams(IReadOnlyList<CwayUserOrTeam> Items, int Page, long TotalHits, string? Note);

internal sealed record CwayUserChange(CwayUser? User, string Message, string? Note);

internal sealed record CwayTeamList(IReadOnlyList<CwayTeam> Teams, int Count, string? Note);

internal sealed record CwayArtworkResult(CwayArtwork? Artwork, string? Message);

internal sealed record CwayArtworkChange(CwayArtwork? Artwork, bool Success, string Message);

internal sealed record CwayArtworkList(IReadOnlyList<CwayArtwork> Artworks, int Count, string? Note);

internal sealed record CwayMyArtworks(
    IReadOnlyList<CwayArtwork> ToApprove,
    IReadOnlyList<CwayArtwork> ToUpload,
    int TotalCount,
    string Message
);

internal sealed record CwayVersions(IReadOnlyList<CwayRevision> Versions, int VersionCount);

internal sealed record CwayAnalysis(string Analysis, string? Note);

internal sealed record CwayCategories(IReadOnlyList<CwayCategory> Categories, int Count, string? Note);

internal sealed record CwayFolders(IReadOnlyList<CwayFolder> Folders, int Total, string? Note);

internal sealed record CwayFolderResult(CwayFolder? Folder, string? Message);

internal sealed record CwayItems(IReadOnlyList<CwayItem> Items, long TotalHits, int Page, string? Note);

internal sealed record CwayStats(CwayStorage? Stats, string? Note);

internal sealed record CwayFileResult(
    CwayFile? File,
    [property: Description("Works for a short time.")] string? DownloadUrl,
    string? Message
);

internal sealed record CwayShares(IReadOnlyList<CwayShare> Shares, int Total, string? Note);

internal sealed record CwayShareResult(CwayShare? Share, string? Message);

internal sealed record CwayIndexJob(
    string JobId,
    [property: Description("running, completed or failed.")] string Status,
    bool Success,
    string Message,
    int DocumentsIndexed,
    double DurationSeconds,
    IReadOnlyList<string> TargetsCompleted,
    IReadOnlyList<string> TargetsFailed,
    DateTimeOffset StartedAt,
    DateTimeOffset? CompletedAt
);

internal sealed record CwayIndexResult(CwayIndexJob IndexingResult);

internal sealed record CwayBackupResult(CwayIndexJob BackupResult);

internal sealed record CwayProjectIndexResult(CwayIndexJob ProjectIndexingResult);

internal sealed record CwayConfigured(CwayConfiguration ConfigurationResult);

internal sealed record CwayConfiguration(bool Success, string Action, string TargetName, string Platform);

internal sealed record CwayJobResult(CwayIndexJob? JobStatus, string? Message);

internal sealed record CwayTargetChoice(bool Enabled, string Description);

/// <summary>One line of an index.</summary>
internal sealed record CwayDocument(string Id, string Type, string Title, object Content);
