using System.Collections.Immutable;

namespace CwaySample;

public enum ProjectState
{
    PLANNED,
    IN_PROGRESS,
    STAND_BY,
    DELIVERED,
    CLOSED,
}

public enum ArtworkState
{
    UNSTARTED,
    FOR_REVIEW,
    COMMENTED,
    REJECTED,
    APPROVED,
    BUNDLED,
    SHIPPED,
    DELIVERED,
    CANCELED,
}

public enum StatusBall
{
    GREY,
    BLUE,
    GREEN,
    YELLOW,
    RED,
}

public enum ApprovalMode
{
    ALL_REQUIRED,
    ANY_MEMBER,
}

public enum TeamAssignmentType
{
    APPROVER,
    RECEIVER,
    SUPPLIER,
}

/// <summary>
/// An entry of the history of a project or an artwork. Lists here are immutable and replaced as a whole, so that a
/// request reads one state while another one changes it.
/// </summary>
public sealed record HistoryEvent(Guid Id, DateTimeOffset At, string Name, string Description)
{
    public long Timestamp => At.ToUnixTimeMilliseconds();
}

public sealed class Project
{
    public required Guid Id { get; init; }
    public required string Name { get; set; }
    public required string OrderNo { get; set; }
    public string? RefOrderNo { get; set; }
    public string? Description { get; set; }
    public string? Notes { get; set; }
    public required ProjectState State { get; set; }
    public bool Silent { get; set; }
    public required DateOnly Created { get; init; }
    public DateOnly? StartDate { get; set; }
    public DateOnly? EndDate { get; set; }
    public required User Orderer { get; set; }
    public User? ProjectManager { get; set; }
    public ImmutableArray<Artwork> Artworks { get; set; } = [];
    public ImmutableArray<StoredFile> Files { get; set; } = [];
    public ImmutableArray<HistoryEvent> History { get; set; } = [];

    /// <summary>The time of the last entry of the history; nothing when there is none.</summary>
    public DateTime? LastActivity => History is [.., var last] ? last.At.UtcDateTime : null;

    public Planning Planning => new(StartDate, EndDate);

    public Progress Progress => new([.. Artworks.Where(artwork => artwork.State != ArtworkState.CANCELED)]);

    public StatusBall Status =>
        State switch
        {
            ProjectState.PLANNED => StatusBall.GREY,
            ProjectState.IN_PROGRESS when Artworks.Any(artwork => artwork.State == ArtworkState.REJECTED) =>
                StatusBall.RED,
            ProjectState.IN_PROGRESS => StatusBall.BLUE,
            ProjectState.STAND_BY => StatusBall.YELLOW,
            _ => StatusBall.GREEN,
        };

    public bool IsInClosableState =>
        State != ProjectState.CLOSED
        && Artworks.All(artwork => artwork.State is ArtworkState.DELIVERED or ArtworkState.CANCELED);

    public bool IsInDeleteableState => Artworks.IsEmpty;
}

public sealed record Planning(DateOnly? Start, DateOnly? End);

public sealed record Progress(IReadOnlyList<Artwork> Counted)
{
    public int TotalArtworks => Counted.Count;
    public int ArtworksDone => Counted.Count(artwork => artwork.State >= ArtworkState.APPROVED);
    public int ArtworksUnstarted => Counted.Count(artwork => artwork.State == ArtworkState.UNSTARTED);
    public int ArtworksInProgress => TotalArtworks - ArtworksDone - ArtworksUnstarted;
    public double PercentageDone => Share(ArtworksDone);
    public double PercentageInProgress => Share(ArtworksInProgress);
    public double PercentageUnstarted => Share(ArtworksUnstarted);

    private double Share(int count) => TotalArtworks == 0 ? 0 : 100.0 * count / TotalArtworks;
}

/// <summary>A project as the planner lists it.</summary>
/// <param name="Id">May be missing in Cway's schema.</param>
public sealed record PlannerProject(
    Guid? Id,
    string Name,
    ProjectState State,
    double? PercentageDone,
    DateOnly? StartDate,
    DateOnly? EndDate,
    IReadOnlyList<PlannerArtwork> Artworks
);

public sealed record PlannerArtwork(
    Guid? Id,
    string Name,
    ArtworkState State,
    string Category,
    DateOnly? StartDate,
    DateOnly? EndDate
);

public sealed class Artwork
{
    public required Guid Id { get; init; }
    public required Project Project { get; init; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    public required ArtworkState State { get; set; }
    public required Category Category { get; set; }
    public required DateOnly Created { get; init; }
    public DateOnly? StartDate { get; set; }
    public DateOnly? EndDate { get; set; }
    public DateTime? ApprovalDate { get; set; }
    public DateTime? DeliveryDate { get; set; }
    public ImmutableArray<ArtworkUser> Users { get; set; } = [];
    public ImmutableArray<ArtworkUserTeam> Teams { get; set; } = [];
    public ImmutableArray<Revision> Revisions { get; set; } = [];
    public ImmutableArray<HistoryEvent> History { get; set; } = [];

    public Guid ProjectId => Project.Id;
    public string ProjectName => Project.Name;
    public User Orderer => Project.Orderer;
    public Revision? CurrentRevision => Revisions is [.., var last] ? last : null;
    public IEnumerable<StoredFile> Files => Revisions.Select(revision => revision.File).OfType<StoredFile>();
    public StoredFile? PreviewFile => CurrentRevision?.File;
    public IEnumerable<ArtworkUser> Approvers => Users.Where(user => user.IsApprover);
    public IEnumerable<ArtworkUser> Receivers => Users.Where(user => user.IsReceiver);
    public IEnumerable<ArtworkUser> Suppliers => Users.Where(user => user.IsSupplier);

    public DateTimeOffset LatestActivity =>
        History is [.., var last] ? last.At : new DateTimeOffset(Created, TimeOnly.MinValue, TimeSpan.Zero);

    public StatusBall Status =>
        State switch
        {
            ArtworkState.UNSTARTED or ArtworkState.CANCELED => StatusBall.GREY,
            ArtworkState.FOR_REVIEW => StatusBall.BLUE,
            ArtworkState.COMMENTED => StatusBall.YELLOW,
            ArtworkState.REJECTED => StatusBall.RED,
            _ => StatusBall.GREEN,
        };

    public bool IsInCommentableState => State is ArtworkState.FOR_REVIEW or ArtworkState.COMMENTED;
    public bool IsInApprovableState => IsInCommentableState;
    public bool IsInRejectableState => IsInCommentableState || State == ArtworkState.APPROVED;
    public bool IsInCreateNewRevisionState => IsInCommentableState || NeedsRevision;
    public bool NeedsRevision => State is ArtworkState.UNSTARTED or ArtworkState.REJECTED;
}

public sealed record ArtworkUser(User User, bool IsApprover, bool IsReceiver, bool IsSupplier)
{
    public Guid UserId => User.Id;
    public string Username => User.Username;
    public string Name => User.Name;
}

public sealed record ArtworkUserTeam(
    Guid Id,
    UserTeam Team,
    ApprovalMode ApprovalMode,
    TeamAssignmentType[] Assignments
)
{
    public Guid SourceTeamId => Team.Id;
    public string Name => Team.Name;
    public string Description => Team.Description;
    public bool IsApprover => Assignments.Contains(TeamAssignmentType.APPROVER);
    public bool IsReceiver => Assignments.Contains(TeamAssignmentType.RECEIVER);
    public bool IsSupplier => Assignments.Contains(TeamAssignmentType.SUPPLIER);
}

public sealed record Revision(
    Guid Id,
    string Name,
    long RevisionNo,
    string? Comment,
    DateOnly Created,
    User? CreatedBy,
    StoredFile? File
)
{
    public bool Closed { get; init; }
    public bool MessageSent => true;
    public bool ReferenceRevision => false;
}

public sealed class Category
{
    public required Guid Id { get; init; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    public int? Usage { get; set; }
}

/// <summary>The API's type File.</summary>
public sealed record StoredFile(Guid Id, string Name, long? Size, string? ContentType, long Created)
{
    public int? NoPages => ContentType == "application/pdf" ? 1 : null;
    public int? XPixels => ContentType?.StartsWith("image/", StringComparison.Ordinal) == true ? 2400 : null;
    public int? YPixels => XPixels is null ? null : 1600;
    public bool IsVideo => ContentType?.StartsWith("video/", StringComparison.Ordinal) == true;
}

public sealed class User
{
    public required Guid Id { get; init; }
    public required string Username { get; init; }
    public required string Email { get; init; }
    public string FirstName { get; set; } = "";
    public string LastName { get; set; } = "";
    public bool Enabled { get; set; } = true;
    public bool Avatar { get; init; }
    public bool IsSSO { get; init; }
    public bool AcceptedTerms { get; init; } = true;
    public bool EarlyAccessProgram { get; init; }
    public Guid? PermissionGroupId { get; set; }
    public required long CreatedAt { get; init; }
    public long? LastLogin { get; init; }
    public required Organisation Organisation { get; init; }

    public string Name => FirstName.Length + LastName.Length == 0 ? Username : $"{FirstName} {LastName}".Trim();

    public IReadOnlyList<OrganisationMembership> OrganisationMemberships =>
        [new(Organisation.Id, Organisation.Name, PermissionGroupId)];
}

public sealed record OrganisationMembership(Guid OrganisationId, string Name, Guid? PermissionGroupId);

public sealed record PermissionGroup(Guid Id, string Name);

public sealed class UserTeam
{
    public required Guid Id { get; init; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    public ApprovalMode? ApprovalMode { get; set; }
    public ImmutableArray<TeamUser> Users { get; set; } = [];
}

public sealed record TeamUser(User User, bool Admin);

public sealed class Folder
{
    public required Guid Id { get; init; }
    public Folder? Parent { get; init; }
    public required string Name { get; set; }
    public bool Shared { get; init; }
    public ImmutableArray<Folder> Folders { get; set; } = [];
    public ImmutableArray<FolderItem> Items { get; set; } = [];

    public Guid? ParentId => Parent?.Id;
    public IEnumerable<Folder> Lineage => Parent is null ? [this] : [.. Parent.Lineage, this];
    public IEnumerable<Folder> WithDescendants => Folders.SelectMany(child => child.WithDescendants).Prepend(this);
}

public abstract record FolderItem(Guid Id, string Name, Folder Folder, long? Created)
{
    public bool Obsolete { get; init; }
    public IEnumerable<Folder> Lineage => Folder.Lineage;
}

public sealed record FileFolderItem(Guid Id, string Name, Folder Folder, long? Created, StoredFile? File)
    : FolderItem(Id, Name, Folder, Created);

public sealed record ArtworkFolderItem(Guid Id, string Name, Folder Folder, long? Created, MediaCenterArtwork? Artwork)
    : FolderItem(Id, Name, Folder, Created);

public sealed record MediaCenterArtwork(Guid Id, Artwork Source, StoredFile Preview, long Created)
{
    public string Name => Source.Name;
    public IEnumerable<StoredFile> Files => Source.Files;
    public Category Category => Source.Category;
    public bool Draft => false;
    public Project Project => Source.Project;
    public string ProjectId => Source.ProjectId.ToString();
    public string ProjectName => Source.ProjectName;
    public DateTimeOffset ModifiedDate => Source.LatestActivity;
}

public sealed record Share(
    Guid Id,
    string Name,
    long Size,
    Organisation Organisation,
    long Created,
    long? ValidToDate,
    string SharedTo,
    string SharedFrom,
    bool Read
)
{
    public bool PartialDownloadAllowed => true;
}

public sealed class Brand
{
    public required Guid Id { get; init; }
    public required string Name { get; set; }
}

public sealed record PrintSpecification(Guid Id, string Name, long CreatedAt, User CreatedBy);
