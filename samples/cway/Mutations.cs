namespace CwaySample;

/// <summary>The root fields of mutations: projects and artworks here, the rest in the other file.</summary>
public sealed partial class Mutations(Workspace workspace)
{
    public bool CreateProject(CreateProjectInput input)
    {
        var orderer = workspace.Users.Get(input.OrdererId);
        var project = new Project
        {
            Id = input.ProjectId ?? Guid.NewGuid(),
            Name = Named(input.Name),
            OrderNo = input.OrderNo ?? $"N-{workspace.Projects.Count + 1}",
            Description = input.Description,
            State = ProjectState.IN_PROGRESS,
            Created = workspace.Today,
            StartDate = input.StartDate,
            EndDate = input.EndDate,
            Orderer = orderer,
        };
        var files = (input.ArtworkMedia ?? []).Where(media => media.Type == CreateProjectMediaType.FILE);
        project.Files = [.. files.Select(media => workspace.Files.Get(media.Id))];
        workspace.Projects.Add(project);
        workspace.Record(project, "ProjectCreated", $"{workspace.Me.Name} created the project");
        return true;
    }

    public bool ChangeBasicProjectData(BasicProjectDataInput? input)
    {
        var project = workspace.Projects.Get((input ?? throw new Refusal("input is missing")).ProjectId);
        project.Name = input.Name is null ? project.Name : Named(input.Name);
        project.Description = input.Description ?? project.Description;
        project.OrderNo = input.OrderNumber ?? project.OrderNo;
        project.StartDate = input.StartDate ?? project.StartDate;
        project.EndDate = input.EndDate ?? project.EndDate;
        return Recorded(project, "ProjectChanged", "changed the project's data");
    }

    public bool UpdateProjectNotes(Guid projectId, string notes)
    {
        var project = workspace.Projects.Get(projectId);
        project.Notes = notes;
        return Recorded(project, "NotesChanged", "changed the notes");
    }

    public bool SetDatesOnProject(Guid id, DateOnly? startDate, DateOnly? endDate)
    {
        var project = workspace.Projects.Get(id);
        (project.StartDate, project.EndDate) = Ordered(startDate, endDate);
        return Recorded(project, "DatesChanged", "changed the dates");
    }

    public bool SetProjectManager(Guid projectId, Guid projectManagerId)
    {
        var project = workspace.Projects.Get(projectId);
        project.ProjectManager = workspace.Users.Get(projectManagerId);
        return Recorded(project, "ProjectManagerChanged", $"made {project.ProjectManager.Name} project manager");
    }

    public bool ChangeOrderer(Guid projectId, Guid ordererId)
    {
        var project = workspace.Projects.Get(projectId);
        project.Orderer = workspace.Users.Get(ordererId);
        return Recorded(project, "OrdererChanged", $"made {project.Orderer.Name} the orderer");
    }

    public bool? LaunchProjects(IReadOnlyList<Guid> projectIds) =>
        Move(projectIds, "ProjectLaunched", ProjectState.IN_PROGRESS, project => project.State == ProjectState.PLANNED);

    public bool? DeliverProject(Guid projectId) =>
        Move([projectId], "ProjectDelivered", ProjectState.DELIVERED, project => project.IsInClosableState);

    public bool? CloseProjects(IReadOnlyList<Guid> projectIds, bool? force) =>
        Move(projectIds, "ProjectClosed", ProjectState.CLOSED, project =>
            project.IsInClosableState || force == true && project.State != ProjectState.CLOSED
        );

    public bool? ReopenProjects(IReadOnlyList<Guid> projectIds) =>
        Move(projectIds, "ProjectReopened", ProjectState.IN_PROGRESS, project =>
            project.State is ProjectState.CLOSED or ProjectState.DELIVERED
        );

    public bool DeleteProjects(IReadOnlyList<Guid> projectIds, bool? force)
    {
        var projects = projectIds.Distinct().Select(workspace.Projects.Get).ToArray();
        if (force != true && projects.FirstOrDefault(project => !project.IsInDeleteableState) is { } full)
        {
            throw new Refusal($"Project {full.Name} is not in a deleteable state");
        }

        workspace.Artworks.Remove([.. projects.SelectMany(project => project.Artworks)]);
        workspace.Projects.Remove(projects);
        return true;
    }

    public bool AddFilesToProject(Guid projectId, IReadOnlyList<Guid> files)
    {
        var project = workspace.Projects.Get(projectId);
        project.Files = [.. project.Files.Union(files.Select(workspace.Files.Get))];
        return Recorded(project, "FilesAdded", $"added {files.Count} files");
    }

    public bool RemoveFilesFromProject(Guid projectId, IReadOnlyList<Guid> files)
    {
        var project = workspace.Projects.Get(projectId);
        project.Files = [.. project.Files.Where(file => !files.Contains(file.Id))];
        return Recorded(project, "FilesRemoved", $"removed {files.Count} files");
    }

    public bool CreateArtwork(CreateArtworkInput input)
    {
        var project = workspace.Projects.Get(input.ProjectId);
        var (start, end) = Ordered(input.StartDate, input.EndDate);
        var artwork = new Artwork
        {
            Id = Guid.NewGuid(),
            Project = project,
            Name = Named(input.Name),
            Description = input.Description ?? "",
            State = ArtworkState.UNSTARTED,
            Category = workspace.Categories.Get(input.CategoryId),
            Created = workspace.Today,
            StartDate = start,
            EndDate = end,
        };
        workspace.Artworks.Add(artwork);
        project.Artworks = project.Artworks.Add(artwork);
        return Recorded(artwork, "ArtworkCreated", "created");
    }

    public bool ChangeArtworkName(Guid projectId, Guid artworkId, string name)
    {
        var artwork = Of(projectId, [artworkId])[0];
        artwork.Name = Named(name);
        return Recorded(artwork, "ArtworkRenamed", "renamed");
    }

    public bool SetDatesOnArtworks(
        Guid projectId,
        IReadOnlyList<Guid> artworkId,
        DateOnly? startDate,
        DateOnly? endDate
    )
    {
        foreach (var artwork in Of(projectId, artworkId))
        {
            (artwork.StartDate, artwork.EndDate) = Ordered(startDate, endDate);
            Recorded(artwork, "DatesChanged", "changed the dates of");
        }

        return true;
    }

    public bool ChangeCategoryOfArtworks(Guid projectId, IReadOnlyList<Guid> artworkIds, Guid categoryId)
    {
        var category = workspace.Categories.Get(categoryId);
        foreach (var artwork in Of(projectId, artworkIds))
        {
            artwork.Category = category;
            Recorded(artwork, "CategoryChanged", "changed the category of");
        }

        return true;
    }

    public bool NewRevisionFromFile(Guid artworkId, string? comment, Guid fileId)
    {
        var artwork = workspace.Artworks.Get(artworkId);
        Demand(artwork.IsInCreateNewRevisionState, artwork, "be given a new revision");
        var number = artwork.Revisions.Length + 1;
        var file = workspace.Files.Get(fileId);
        artwork.Revisions = artwork.Revisions.Add(
            new(Guid.NewGuid(), $"Revision {number}", number, comment, workspace.Today, workspace.Me, file)
        );
        artwork.State = ArtworkState.FOR_REVIEW;
        return Recorded(artwork, "RevisionUploaded", $"uploaded revision {number} of");
    }

    public bool ApproveArtwork(Guid artworkId) => Approve([workspace.Artworks.Get(artworkId)]);

    public bool ApproveArtworks(Guid projectId, IReadOnlyList<Guid> artworkIds) => Approve(Of(projectId, artworkIds));

    public bool RejectArtwork(RejectArtworkInput? input)
    {
        var artwork = workspace.Artworks.Get((input ?? throw new Refusal("input is missing")).ArtworkId);
        workspace.GetUser(input.Username);
        foreach (var username in input.ResetUsernames ?? [])
        {
            workspace.GetUser(username);
        }

        return Reject([artwork], input.Comment is { Length: > 0 } comment ? ": " + comment : "");
    }

    public bool RejectArtworks(Guid projectId, IReadOnlyList<Guid> artworkIds) => Reject(Of(projectId, artworkIds), "");

    public bool StartArtworks(Guid projectId, IReadOnlyList<Guid> artworkIds) =>
        Move(Of(projectId, artworkIds), ("ArtworkStarted", "started", "be started"), ArtworkState.FOR_REVIEW, artwork =>
            artwork.State == ArtworkState.UNSTARTED
        );

    public bool CancelArtworks(Guid projectId, IReadOnlyList<Guid> artworkIds) =>
        Move(
            Of(projectId, artworkIds),
            ("ArtworkCanceled", "canceled", "be canceled"),
            ArtworkState.CANCELED,
            artwork => artwork.State is not (ArtworkState.DELIVERED or ArtworkState.CANCELED)
        );

    public bool DeleteArtworks(Guid projectId, IReadOnlyList<Guid> artworkIds)
    {
        var artworks = Of(projectId, artworkIds);
        workspace.Artworks.Remove(artworks);
        var project = workspace.Projects.Get(projectId);
        project.Artworks = project.Artworks.RemoveRange(artworks);
        return Recorded(project, "ArtworksDeleted", $"deleted {artworks.Length} artworks");
    }

    private bool Approve(Artwork[] artworks)
    {
        Move(artworks, ("ArtworkApproved", "approved", "be approved"), ArtworkState.APPROVED, artwork =>
            artwork.IsInApprovableState
        );
        Array.ForEach(artworks, artwork => artwork.ApprovalDate = workspace.Now.UtcDateTime);
        return true;
    }

    private bool Reject(Artwork[] artworks, string comment) =>
        Move(
            artworks,
            ("ArtworkRejected", "rejected", "be rejected"),
            ArtworkState.REJECTED,
            artwork => artwork.IsInRejectableState,
            comment
        );

    // All or none: a state that does not allow it is found before anything is changed.
    private bool Move(
        Artwork[] artworks,
        (string Event, string Did, string May) words,
        ArtworkState to,
        Func<Artwork, bool> may,
        string comment = ""
    )
    {
        Array.ForEach(artworks, artwork => Demand(may(artwork), artwork, words.May));
        foreach (var artwork in artworks)
        {
            artwork.State = to;
            workspace.Record(artwork, words.Event, $"{workspace.Me.Name} {words.Did} {artwork.Name}{comment}");
        }

        return true;
    }

    private bool Move(IReadOnlyList<Guid> ids, string name, ProjectState to, Func<Project, bool> may)
    {
        var projects = ids.Distinct().Select(workspace.Projects.Get).ToArray();
        if (projects.FirstOrDefault(project => !may(project)) is { } refused)
        {
            throw new Refusal($"Project {refused.Name} cannot become {to} from {refused.State}");
        }

        foreach (var project in projects)
        {
            project.State = to;
            workspace.Record(project, name, $"{workspace.Me.Name} set the state to {to}");
        }

        return true;
    }

    private Artwork[] Of(Guid projectId, IReadOnlyList<Guid> artworkIds)
    {
        var project = workspace.Projects.Get(projectId);
        var artworks = artworkIds.Distinct().Select(workspace.Artworks.Get).ToArray();
        return Array.TrueForAll(artworks, artwork => artwork.Project == project)
            ? artworks
            : throw new Refusal("Artwork not found in project");
    }

    private bool Recorded(Project project, string name, string did)
    {
        workspace.Record(project, name, $"{workspace.Me.Name} {did}");
        return true;
    }

    private bool Recorded(Artwork artwork, string name, string did)
    {
        workspace.Record(artwork, name, $"{workspace.Me.Name} {did} {artwork.Name}");
        return true;
    }

    private static void Demand(bool may, Artwork artwork, string what)
    {
        if (!may)
        {
            throw new Refusal($"Artwork {artwork.Name} cannot {what} in state {artwork.State}");
        }
    }

    private static string Named(string name) =>
        string.IsNullOrWhiteSpace(name) ? throw new Refusal("The name is empty") : name;

    private static (DateOnly?, DateOnly?) Ordered(DateOnly? start, DateOnly? end) =>
        start > end ? throw new Refusal("The start date is after the end date") : (start, end);
}
