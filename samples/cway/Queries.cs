namespace CwaySample;

/// <summary>The root fields of queries.</summary>
public sealed class Queries(Workspace workspace)
{
    // Cway's own is not known; whoever needs more asks for it.
    private static readonly Paging s_firstPage = new(0, 20);

    public object LoginInfo() =>
        new
        {
            workspace.Me.Id,
            User = workspace.Me,
            CurrentOrganisation = workspace.Organisation,
            workspace.Me.OrganisationMemberships,
            ImpersonatedBy = (string?)null,
            ShouldProvideName = false,
            Permissions = new
            {
                IsSystemAdmin = false,
                CanImpersonate = false,
                UserAdministration = false,
                OrganisationUserAdministration = true,
                CanCreateProject = true,
                CanSeeOtherProjects = true,
                CanSeeProjectHistory = true,
                CanSearchUsers = true,
                CanCreateShare = true,
                CanCreateTopFolder = true,
                CanUseProjectManager = true,
                CanChangeOrganisationBaseData = false,
            },
        };

    public Organisation? Organisation(Guid? id) =>
        id is null || id == workspace.Organisation.Id ? workspace.Organisation : null;

    public object Status() => new { GetViewerVersion = "8.4.1", GetDesktopVersion = "3.2.0" };

    public IEnumerable<PlannerProject?> PlannerProjects() =>
        workspace.Projects.Select(ToPlanner).Concat(workspace.PlannerOnly);

    public object Projects(ProjectFilter? filter, Paging? paging)
    {
        var found = workspace.Projects.Where(project =>
            (Has(filter?.Name, project.Name) || Has(filter?.Name, project.Description))
            && Has(filter?.OrderNo, project.OrderNo)
            && (Has(filter?.Orderer, project.Orderer.Name) || Has(filter?.Orderer, project.Orderer.Username))
            && (filter?.OnlyMine != true || project.Orderer == workspace.Me || project.ProjectManager == workspace.Me)
            && (filter?.States is not { Count: > 0 } states || states.Contains(project.State))
        );
        var page = Page(found, paging);
        return new
        {
            Projects = page.Items,
            page.Page,
            page.TotalHits,
        };
    }

    public Project? Project(Guid id) => workspace.Projects.Find(id);

    public IEnumerable<HistoryEvent> ProjectHistory(Guid projectId) => workspace.Projects.Get(projectId).History;

    public string ProjectHistorySummary(Guid projectId)
    {
        var project = workspace.Projects.Get(projectId);
        return $"{project.Name}: {project.History.Length} entries, the last one at {project.LastActivity:u}.";
    }

    public IEnumerable<object> OpenProjectsCountByMonth() =>
        Enumerable
            .Range(0, 24)
            .Select(ago => new DateOnly(workspace.Today.Year, workspace.Today.Month, 1).AddMonths(ago - 23))
            .Select(month => new
            {
                Month = month,
                Count = workspace.Projects.Count(project => IsOpen(project, month.AddMonths(1))),
            });

    public string OpenAIProjectSummary(Guid projectId, ProjectSummaryAudience audience)
    {
        var project = workspace.Projects.Get(projectId);
        var progress = project.Progress;
        return $"For {audience}: {project.Name} is {project.State}; {progress.ArtworksDone} of "
            + $"{progress.TotalArtworks} artworks are done.";
    }

    public Artwork? Artwork(Guid id) => workspace.Artworks.Find(id);

    public IEnumerable<HistoryEvent> ArtworkHistory(Guid artworkId) => workspace.Artworks.Get(artworkId).History;

    public IEnumerable<Artwork> ArtworksToApprove() =>
        workspace.Artworks.Where(artwork =>
            artwork.IsInApprovableState
            && IsUnderWay(artwork)
            && artwork.Approvers.Any(approver => approver.User == workspace.Me)
        );

    public IEnumerable<Artwork> ArtworksToUpload() =>
        workspace.Artworks.Where(artwork =>
            artwork.NeedsRevision
            && IsUnderWay(artwork)
            && artwork.Suppliers.Any(supplier => supplier.User == workspace.Me)
        );

    public string ArtworkAIAnalysis(Guid artworkId)
    {
        var artwork = workspace.Artworks.Get(artworkId);
        return $"{artwork.Name}: {artwork.Revisions.Length} revisions, {artwork.State}. No text is below 6 pt.";
    }

    public IEnumerable<User> FindUsers(string? username) => Matching(username);

    public object FindUsersPage(string? username, Paging? paging)
    {
        var page = Page(Matching(username), paging);
        return new
        {
            Users = page.Items,
            page.Page,
            page.TotalHits,
        };
    }

    public object FindUsersAndTeamsPage(string? search, Paging? paging)
    {
        var teams = workspace.Teams.Where(team => Has(search, team.Name));
        var page = Page(Matching(search).Concat<object>(teams), paging);
        return new
        {
            UsersOrTeams = page.Items,
            page.Page,
            page.TotalHits,
        };
    }

    public User? GetUser(string? username) => username is null ? null : workspace.FindUser(username);

    public IEnumerable<PermissionGroup> GetPermissionGroups() => workspace.PermissionGroups;

    public StoredFile? File(Guid uuid) => workspace.Files.Find(uuid);

    public string TempFileDownloadUrl(Guid fileId) =>
        $"https://files.cway.example/download/{workspace.Files.Get(fileId).Id}?signature=sample";

    public IEnumerable<Folder> Tree() => workspace.Folders.Where(folder => folder.Parent is null);

    public Folder Folder(Guid id) => workspace.Folders.Get(id);

    public object ItemsForFolder(FindFolderItemInput input, FolderItemSort? sorting, Paging? paging)
    {
        var folder = workspace.Folders.Get(input.FolderId);
        var folders = input.Recursive == true ? folder.WithDescendants : [folder];
        var found = Items(folders, input.SearchString, input.CategoryId, input.IncludeObsolete);
        var sorted =
            sorting?.Field == FolderItemSortField.CREATED
                ? found.OrderBy(item => item.Created ?? 0)
                : found.OrderBy(item => item.Name, StringComparer.OrdinalIgnoreCase);
        var page = Page(sorting?.Direction == SortingDirection.DESC ? sorted.Reverse() : sorted, paging);
        return new
        {
            page.Items,
            page.Page,
            page.TotalHits,
        };
    }

    public object ItemsForOrganisation(FindFolderItemsInOrganisationInput input, Paging? paging)
    {
        var found = Items(workspace.Folders, input.SearchString, input.CategoryId, input.IncludeObsolete);
        var page = Page(found, paging);
        return new
        {
            page.Items,
            page.Page,
            page.TotalHits,
        };
    }

    public object OrganisationMediaCenterStorageStorage(Guid organisationId, FolderStorageUnit? unit)
    {
        if (organisationId != workspace.Organisation.Id)
        {
            throw new Refusal("Organisation not found");
        }

        decimal total = workspace.Files.Sum(file => file.Size ?? 0);
        var divisor = Enumerable.Repeat(1024m, (int)(unit ?? default)).Aggregate(1m, (product, step) => product * step);
        return new
        {
            OrganisationId = organisationId,
            OrganisationName = workspace.Organisation.Name,
            TotalSize = decimal.Round(total / divisor, 6),
            FullSize = decimal.Round(total * 1.2m / divisor, 6),
            Unit = unit ?? default,
        };
    }

    public IEnumerable<Share?> FindShares(
        string? fileNameFilter,
        string? sharedToUser,
        string? sharedByUser,
        bool? includeRead
    ) =>
        workspace
            .Shares.Where(share =>
                Has(fileNameFilter, share.Name)
                && Has(sharedToUser, share.SharedTo)
                && Has(sharedByUser, share.SharedFrom)
                && (includeRead == true || !share.Read)
            )
            .Append(null); // as the schema allows

    public Share? Share(Guid id) => workspace.Shares.Find(id);

    public IEnumerable<Brand> Brands() => workspace.Brands;

    public IEnumerable<PrintSpecification> PrintSpecifications() => workspace.PrintSpecifications;

    public PrintSpecification PrintSpecification(Guid id) => workspace.PrintSpecifications.Get(id);

    private PlannerProject? ToPlanner(Project project)
    {
        var progress = project.Progress;
        var done = workspace.FractionsInPlanner ? progress.PercentageDone / 100 : progress.PercentageDone;
        return new(
            project.Id,
            project.Name,
            project.State,
            progress.TotalArtworks == 0 ? null : done,
            project.StartDate,
            project.EndDate,
            [
                .. project.Artworks.Select(artwork => new PlannerArtwork(
                    artwork.Id,
                    artwork.Name,
                    artwork.State,
                    artwork.Category.Name,
                    artwork.StartDate,
                    artwork.EndDate
                )),
            ]
        );
    }

    private IEnumerable<User> Matching(string? text) =>
        workspace.Users.Where(user => Has(text, user.Username) || Has(text, user.Email) || Has(text, user.Name));

    private static IEnumerable<FolderItem> Items(
        IEnumerable<Folder> folders,
        string? search,
        Guid? categoryId,
        bool? includeObsolete
    ) =>
        folders
            .SelectMany(folder => folder.Items)
            .Where(item =>
                Has(search, item.Name)
                && (includeObsolete == true || !item.Obsolete)
                && (categoryId is null || (item as ArtworkFolderItem)?.Artwork?.Category.Id == categoryId)
            );

    // Open at the end of a month: made before it, and delivered or closed after it, if at all.
    private static bool IsOpen(Project project, DateOnly end) =>
        project.Created < end
        && (
            project.State is not (ProjectState.DELIVERED or ProjectState.CLOSED)
            || project.LastActivity is { } last && DateOnly.FromDateTime(last) >= end
        );

    private static bool IsUnderWay(Artwork artwork) =>
        artwork.Project.State is ProjectState.IN_PROGRESS or ProjectState.STAND_BY;

    private static bool Has(string? wanted, string? text) =>
        string.IsNullOrEmpty(wanted) || text?.Contains(wanted, StringComparison.OrdinalIgnoreCase) == true;

    private static (IReadOnlyList<T> Items, int Page, long TotalHits) Page<T>(IEnumerable<T> found, Paging? paging)
    {
        var (page, size) = paging ?? s_firstPage;
        if (page < 0 || size < 1)
        {
            throw new Refusal("Page must be 0 or more, and its size 1 or more");
        }

        var all = found.ToArray();
        return ([.. all.Skip((int)Math.Min((long)page * size, int.MaxValue)).Take(size)], page, all.Length);
    }
}
