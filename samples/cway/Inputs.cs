namespace CwaySample;

// The input types of the schema, under their names.

public enum AssignUserAction
{
    ASSIGN,
    UN_ASSIGN,
    LEAVE_UNCHANGED,
}

public enum ProjectSummaryAudience
{
    PROJECT_MANAGER,
    ORDERER,
    GRAPHICS_CREATOR,
}

public enum FolderStorageUnit
{
    BYTES,
    KILOBYTES,
    MEGABYTES,
    GIGABYTES,
    TERABYTES,
}

public enum FolderItemSortField
{
    NAME,
    CREATED,
}

public enum SortingDirection
{
    ASC,
    DESC,
}

public enum FileDescriptorType
{
    FILE,
    FOLDER,
}

public enum CreateShareMediaType
{
    FILE,
    MC_ARTWORK,
    PROJECT_ARTWORK,
}

public enum CreateProjectMediaType
{
    FILE,
    MC_ARTWORK,
}

public sealed record Paging(int Page, int PageSize);

public sealed record ProjectFilter(
    string? Name,
    string? OrderNo,
    string? Orderer,
    bool? OnlyMine,
    IReadOnlyList<ProjectState>? States
);

public sealed record CreateProjectInput(
    Guid? ProjectId,
    string Name,
    Guid OrdererId,
    string? Description,
    DateOnly? StartDate,
    DateOnly? EndDate,
    string? OrderNo,
    IReadOnlyList<CreateProjectMediaInput>? ArtworkMedia
);

public sealed record CreateProjectMediaInput(CreateProjectMediaType Type, Guid Id);

public sealed record BasicProjectDataInput(
    Guid ProjectId,
    string? Name,
    string? Description,
    string? OrderNumber,
    DateOnly? StartDate,
    DateOnly? EndDate
);

public sealed record CreateArtworkInput(
    Guid ProjectId,
    string Name,
    string? Description,
    Guid CategoryId,
    DateOnly? StartDate,
    DateOnly? EndDate
);

public sealed record RejectArtworkInput(
    Guid ArtworkId,
    string Username,
    string? Comment,
    IReadOnlyList<string>? ResetUsernames
);

public sealed record AssignUserToArtworkInput(Guid ArtworkId, string Username);

public sealed record RemoveUserFromArtworkInput(Guid ArtworkId, string Username);

public sealed record UserAssignmentsInput(
    Guid ProjectId,
    IReadOnlyList<Guid> ArtworkIds,
    IReadOnlyList<UserAssignmentInput> Assignments
);

public sealed record UserAssignmentInput(
    Guid UserId,
    AssignUserAction? Approver,
    AssignUserAction? Receiver,
    AssignUserAction? Supplier
);

public sealed record UserInput(Guid? OrganisationId, string Username, int? RoleId, bool? ForceValidEmail);

public sealed record TeamUserInput(Guid UserId, bool? Admin);

public sealed record AddFolderInput(Guid ParentFolderId, Guid? FolderId, string Name);

public sealed record FindFolderItemInput(
    Guid FolderId,
    string? SearchString,
    bool? Recursive,
    Guid? CategoryId,
    bool? IncludeObsolete
);

public sealed record FindFolderItemsInOrganisationInput(string? SearchString, bool? IncludeObsolete, Guid? CategoryId);

public sealed record FolderItemSort(FolderItemSortField Field, SortingDirection Direction);

public sealed record DownloadFileDescriptorInput(
    string Name,
    FileDescriptorType Type,
    Guid? FileId,
    IReadOnlyList<DownloadFileDescriptorInput>? Children
);

public sealed record CreateShareInput(
    Guid? ShareId,
    string Title,
    string Emails,
    string Message,
    bool? IncludeDeliveryFiles,
    bool? IncludeSourceFiles,
    IReadOnlyList<CreateShareMediaInput> Items
);

public sealed record CreateShareMediaInput(CreateShareMediaType MediaType, Guid Id);
