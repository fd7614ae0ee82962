using System.ComponentModel;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Cway;

// Records have the names of Cway's schema, so one type reads the answer of Cway and writes the result of a tool.
// What Cway's schema calls required may be null all the same: an answer with errors is partial.

/// <summary>Somebody or something with an id and a name.</summary>
internal sealed record CwayNamed(string? Id, string? Name);

/// <summary>A project as the planner has it.</summary>
internal sealed record CwayProject(
    [property: Description("UUID. Null where Cway has none.")] string? Id,
    string? Name,
    [property: Description("PLANNED, IN_PROGRESS, STAND_BY, DELIVERED or CLOSED.")] string? State,
    [property: Description("0 to 100.")] double? PercentageDone,
    [property: Description("A day, such as 2026-01-31.")] string? StartDate,
    string? EndDate
)
{
    public bool IsActive => State is "IN_PROGRESS";

    [Description("Delivered or closed.")]
    public bool IsCompleted => CwayState.IsFinished(State);
}

internal sealed record CwayProgress(
    double? PercentageDone,
    int? ArtworksDone,
    int? ArtworksInProgress,
    int? ArtworksUnstarted
);

/// <summary>A project as the search has it.</summary>
internal sealed record CwayFoundProject(
    string? Id,
    string? Name,
    string? OrderNo,
    string? Description,
    string? State,
    string? Status,
    string? StartDate,
    string? EndDate,
    string? LastActivity,
    CwayProgress? Progress,
    CwayNamed? Orderer,
    CwayNamed? ProjectManager
);

/// <summary>One project with all that belongs to it.</summary>
internal sealed record CwayProjectDetails(
    string? Id,
    string? Name,
    string? OrderNo,
    string? RefOrderNo,
    string? Description,
    string? Notes,
    string? State,
    string? Status,
    string? Created,
    string? StartDate,
    string? EndDate,
    string? LastActivity,
    bool? IsInClosableState,
    bool? IsInDeleteableState,
    CwayProgress? Progress,
    CwayNamed? Orderer,
    CwayNamed? ProjectManager,
    IReadOnlyList<CwayArtwork?>? Artworks,
    IReadOnlyList<CwayFile?>? Files
);

internal sealed record CwayFile(
    string? Id,
    string? Name,
    [property: Description("In bytes.")] long? Size,
    string? ContentType,
    long? Created = null,
    int? NoPages = null
);

internal sealed record CwayRevision(
    string? Id,
    string? Name,
    long? RevisionNo,
    string? Comment,
    string? Created,
    CwayFile? File = null
);

internal sealed record CwayArtwork(
    string? Id,
    string? Name,
    string? Description,
    string? ProjectId,
    string? ProjectName,
    [property: Description(
        "UNSTARTED, FOR_REVIEW, COMMENTED, REJECTED, APPROVED, BUNDLED, SHIPPED, DELIVERED or CANCELED."
    )]
        string? State,
    string? Status,
    string? Created,
    string? StartDate,
    string? EndDate,
    string? ApprovalDate,
    string? DeliveryDate,
    CwayNamed? Category,
    bool? IsInApprovableState,
    bool? IsInRejectableState,
    CwayRevision? CurrentRevision,
    IReadOnlyList<CwayRevision?>? Revisions = null,
    CwayFile? PreviewFile = null
);

/// <summary>Something that happened, as Cway keeps it.</summary>
internal sealed record CwayRawEvent(string? Id, long Timestamp, string? Name, string? Description);

internal sealed record CwayEvent(string? Id, DateTimeOffset Time, string? Name, string? Description)
{
    internal static CwayEvent Of(CwayRawEvent raw) => new(raw.Id, TimeOf(raw.Timestamp), raw.Name, raw.Description);

    /// <summary>Cway's timestamps are numbers since 1970: milliseconds, and seconds from older records.</summary>
    internal static DateTimeOffset TimeOf(long timestamp) => DateTimeOffset.FromUnixTimeSeconds(SecondsOf(timestamp));

    internal static long SecondsOf(long timestamp) =>
        Math.Clamp(Math.Abs(timestamp) >= 100_000_000_000 ? timestamp / 1000 : timestamp, 0, 253_402_300_799);
}

internal sealed record CwayUser(
    string? Id,
    string? Username,
    string? Name,
    string? Email,
    string? FirstName,
    string? LastName,
    bool? Enabled,
    bool? Avatar = null,
    bool? IsSSO = null,
    long? CreatedAt = null,
    long? LastLogin = null
)
{
    /// <summary>The name people see, whichever parts of it are there.</summary>
    internal string FullName =>
        string.Join(' ', new[] { FirstName, LastName }.Where(part => !string.IsNullOrWhiteSpace(part)))
            is { Length: > 0 } full
            ? full
            : Name ?? Username ?? "";
}

internal sealed record CwayLogin(
    string? Id,
    CwayUser? User,
    CwayOrganisation? CurrentOrganisation,
    [property: Description("Who acts in the name of the user, if anybody.")] string? ImpersonatedBy
);

internal sealed record CwayOrganisation(
    string? Id,
    string? Name,
    IReadOnlyList<CwayCategory?>? ArtworkCategories = null,
    IReadOnlyList<CwayTeam?>? Teams = null
);

internal sealed record CwayCategory(string? Id, string? Name, string? Description, int? Usage);

internal sealed record CwayTeam(
    string? Id,
    string? Name,
    string? Description,
    string? ApprovalMode,
    IReadOnlyList<CwayTeamUser?>? Users
);

internal sealed record CwayTeamUser(bool? Admin, CwayUser? User);

internal sealed record CwayMonth(string? Month, int? Count);

// Pages, as Cway gives them.
internal sealed record CwayProjectPage(int? Page, long? TotalHits, IReadOnlyList<CwayFoundProject?>? Projects);

internal sealed record CwayUserPage(int? Page, long? TotalHits, IReadOnlyList<CwayUser?>? Users);

internal sealed record CwayItemPage(int? Page, long? TotalHits, IReadOnlyList<CwayItem?>? Items);

internal sealed record CwayUserOrTeamPage(int? Page, long? TotalHits, IReadOnlyList<CwayUserOrTeam?>? UsersOrTeams);

internal sealed record CwayUserOrTeam(
    [property: Description("User or UserTeam.")] string? Type,
    string? Id,
    string? Name,
    string? Username,
    string? Email,
    string? Description
);

internal sealed record CwayFolder(
    string? Id,
    string? ParentId,
    string? Name,
    bool? Shared,
    IReadOnlyList<CwayNamed?>? Folders = null
);

/// <summary>A folder with those in it, as the tree has it.</summary>
internal sealed record CwayTree(
    string? Id,
    string? ParentId,
    string? Name,
    bool? Shared,
    IReadOnlyList<CwayTree?>? Folders
)
{
    /// <summary>It and all below it.</summary>
    public IEnumerable<CwayFolder> Flat() =>
        Folders.Present().SelectMany(folder => folder.Flat()).Prepend(new(Id, ParentId, Name, Shared));
}

internal sealed record CwayItem(
    [property: Description("FileFolderItem or ArtworkFolderItem.")] string? Type,
    [property: Description("The item's id, which cway_rename_file, cway_move_files and cway_delete_file take.")]
        string? Id,
    string? Name,
    bool? Obsolete,
    long? Created,
    [property: Description("The file itself; its id is what cway_get_file and cway_create_share take.")] CwayFile? File,
    [property: Description("The folders that it is in, from the outermost.")] IReadOnlyList<CwayNamed?>? Lineage
);

internal sealed record CwayShare(
    string? Id,
    string? Name,
    long? Size,
    long? Created,
    long? ValidToDate,
    string? SharedTo,
    string? SharedFrom,
    bool? PartialDownloadAllowed,
    bool? Read
);

internal sealed record CwayStorage(
    string? OrganisationId,
    string? OrganisationName,
    decimal? TotalSize,
    decimal? FullSize,
    string? Unit
);

/// <summary>Answers as tools use them, and arguments as Cway takes them.</summary>
internal static class CwayShape
{
    /// <summary>How resources and index documents are written.</summary>
    public static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The items that are there: lists of Cway may have holes.</summary>
    public static List<T> Present<T>(this IEnumerable<T?>? list)
        where T : class => [.. (list ?? []).OfType<T>()];

    public static Dictionary<string, object> Page(int page, int size) => new() { ["page"] = page, ["pageSize"] = size };

    /// <summary>An id in the one spelling that Cway gives; anything else is refused before it is sent.</summary>
    public static string Uuid(string argument, string value) =>
        Guid.TryParse(value.Trim(), out var id)
            ? id.ToString("D")
            : throw new McpException(
                $"{argument} must be a UUID such as 7f6b0d5e-0000-4000-8000-000000000001; you sent "
                    + $"'{(value.Length > 60 ? value[..60] + "…" : value)}'. Look it up with a tool that lists them."
            );

    public static string[] Uuids(string argument, IEnumerable<string> values) =>
        [.. values.Select(value => Uuid(argument, value)).Distinct()];

    /// <summary>A day, as Cway's schema writes it.</summary>
    public static string? Day(string argument, string? value) =>
        value is null ? null
        : DateOnly.TryParseExact(value.Trim(), "yyyy-MM-dd", out var day)
            ? day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
        : throw new McpException($"{argument} must be a day such as 2026-01-31; you sent '{value}'.");

    public static McpException NotFound(string what, string id, string lister) =>
        new($"{what} not found: {id}. {lister} shows which there are.");
}

/// <summary>What the states of projects mean for figures.</summary>
internal static class CwayState
{
    public static readonly string[] All = ["PLANNED", "IN_PROGRESS", "STAND_BY", "DELIVERED", "CLOSED"];

    public static bool IsFinished(string? state) => state is "DELIVERED" or "CLOSED" or "COMPLETED";
}

/// <summary>
/// Progress as percent. Cway's schema does not say whether 1.0 is one percent or all of it: a value above 1 shows that
/// it counts to 100, one between 0 and 1 that it counts to 1. What was learned from a list holds for single projects.
/// </summary>
internal sealed class CwayPercent(string scale)
{
    private volatile string _scale = scale.ToLowerInvariant();

    /// <summary>Looks at many values before one of them is read.</summary>
    public void Learn(IEnumerable<double?> values)
    {
        if (_scale is "percent" or "fraction" && _scale.Equals(scale, StringComparison.OrdinalIgnoreCase))
        {
            return; // the operator said it
        }

        var (above, below) = (false, false);
        foreach (var value in values)
        {
            above |= value > 1;
            below |= value is > 0 and < 1;
        }

        if (above)
        {
            _scale = "percent"; // a fraction is never above 1
        }
        else if (below && _scale == "auto")
        {
            _scale = "fraction";
        }
    }

    /// <summary>0 to 100.</summary>
    public double? Of(double? value)
    {
        if (value is not { } sent || !double.IsFinite(sent))
        {
            return null;
        }

        Learn([sent]);
        var percent = _scale == "percent" ? sent : sent * 100; // alone, 1 is all of it
        return Math.Round(Math.Clamp(percent, 0, 100), 2);
    }

    public CwayProject Of(CwayProject project) =>
        project with
        {
            PercentageDone = Of(project.PercentageDone),
            StartDate = Day(project.StartDate),
            EndDate = Day(project.EndDate),
        };

    public CwayFoundProject Of(CwayFoundProject project) => project with { Progress = Of(project.Progress) };

    public CwayProjectDetails Of(CwayProjectDetails project) => project with { Progress = Of(project.Progress) };

    private CwayProgress? Of(CwayProgress? progress) =>
        progress is null ? null : progress with { PercentageDone = Of(progress.PercentageDone) };

    // A day, also where Cway sends a time with it.
    private static string? Day(string? date) => date is { Length: > 10 } && date[10] == 'T' ? date[..10] : date;
}
