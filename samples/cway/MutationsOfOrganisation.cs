namespace CwaySample;

/// <summary>Users and teams, who works on an artwork, the media center, shares and lists of the organisation.</summary>
public sealed partial class Mutations
{
    public bool AssignUsersToArtworks(UserAssignmentsInput input)
    {
        foreach (var artwork in Of(input.ProjectId, input.ArtworkIds))
        {
            foreach (var (userId, approver, receiver, supplier) in input.Assignments)
            {
                Assign(artwork, workspace.Users.Get(userId), was =>
                    new(
                        was.User,
                        After(approver, was.IsApprover),
                        After(receiver, was.IsReceiver),
                        After(supplier, was.IsSupplier)
                    )
                );
            }
        }

        return true;

        static bool After(AssignUserAction? action, bool was) =>
            action switch
            {
                AssignUserAction.ASSIGN => true,
                AssignUserAction.UN_ASSIGN => false,
                _ => was,
            };
    }

    public bool AssignApproverToArtwork(AssignUserToArtworkInput? input) =>
        Assign(input?.ArtworkId, input?.Username, was => was with { IsApprover = true });

    public bool AssignReceiverToArtwork(AssignUserToArtworkInput? input) =>
        Assign(input?.ArtworkId, input?.Username, was => was with { IsReceiver = true });

    public bool AssignSupplierToArtwork(AssignUserToArtworkInput? input) =>
        Assign(input?.ArtworkId, input?.Username, was => was with { IsSupplier = true });

    public bool RemoveApproverFromArtwork(RemoveUserFromArtworkInput? input) =>
        Assign(input?.ArtworkId, input?.Username, was => was with { IsApprover = false });

    public bool RemoveReceiverFromArtwork(RemoveUserFromArtworkInput? input) =>
        Assign(input?.ArtworkId, input?.Username, was => was with { IsReceiver = false });

    public bool RemoveSupplierFromArtwork(RemoveUserFromArtworkInput? input) =>
        Assign(input?.ArtworkId, input?.Username, was => was with { IsSupplier = false });

    public bool AttachTeamToArtwork(
        Guid artworkId,
        Guid teamId,
        IReadOnlyList<TeamAssignmentType> assignments,
        ApprovalMode? approvalMode
    )
    {
        var (artwork, team) = (workspace.Artworks.Get(artworkId), workspace.Teams.Get(teamId));
        if (artwork.Teams.Any(attached => attached.Team == team))
        {
            throw new Refusal($"Team {team.Name} is attached already");
        }

        artwork.Teams = artwork.Teams.Add(
            new(Guid.NewGuid(), team, approvalMode ?? team.ApprovalMode ?? default, [.. assignments])
        );
        return Recorded(artwork, "TeamAttached", $"attached the team {team.Name} to");
    }

    public bool RemoveTeamFromArtwork(Guid artworkId, Guid teamId)
    {
        var artwork = workspace.Artworks.Get(artworkId);
        artwork.Teams = [.. artwork.Teams.Where(team => team.SourceTeamId != teamId && team.Id != teamId)];
        return Recorded(artwork, "TeamRemoved", "removed a team from");
    }

    public bool CreateUser(UserInput input)
    {
        if (workspace.FindUser(Named(input.Username)) is not null)
        {
            throw new Refusal("The username is taken");
        }

        if (input.ForceValidEmail == true && !input.Username.Contains('@', StringComparison.Ordinal))
        {
            throw new Refusal("The username is not a valid e-mail address");
        }

        workspace.Users.Add(
            new()
            {
                Id = Guid.NewGuid(),
                Username = input.Username,
                Email = input.Username,
                CreatedAt = workspace.Now.ToUnixTimeMilliseconds(),
                Organisation = workspace.Organisation,
            }
        );
        return true;
    }

    public bool SetUserRealName(string username, string? firstName, string? lastName)
    {
        var user = workspace.GetUser(username);
        (user.FirstName, user.LastName) = (firstName ?? user.FirstName, lastName ?? user.LastName);
        return true;
    }

    public bool? DeleteUsers(IReadOnlyList<string> usernames, Guid? organisationId)
    {
        DemandOurs(organisationId);
        var users = usernames.Distinct().Select(workspace.GetUser).ToArray();
        if (users.Contains(workspace.Me))
        {
            throw new Refusal("You cannot delete yourself");
        }

        workspace.Users.Remove(users);
        return true;
    }

    public bool SetPermissionGroupForUsers(
        IReadOnlyList<string> usernames,
        Guid? organisationId,
        Guid permissionGroupId
    )
    {
        DemandOurs(organisationId);
        var group = workspace.PermissionGroups.Get(permissionGroupId);
        Array.ForEach([.. usernames.Select(workspace.GetUser)], user => user.PermissionGroupId = group.Id);
        return true;
    }

    public bool CreateUserTeam(Guid? teamId, string name, string description, ApprovalMode? approvalMode)
    {
        workspace.Teams.Add(
            new()
            {
                Id = teamId ?? Guid.NewGuid(),
                Name = Named(name),
                Description = description,
                ApprovalMode = approvalMode,
            }
        );
        return true;
    }

    public bool SetUserTeamNameAndDescription(Guid teamId, string name, string? description)
    {
        var team = workspace.Teams.Get(teamId);
        (team.Name, team.Description) = (Named(name), description ?? team.Description);
        return true;
    }

    public bool DeleteUserTeam(Guid teamId)
    {
        workspace.Teams.Remove([workspace.Teams.Get(teamId)]);
        return true;
    }

    public bool AddUsersToTeam(Guid teamId, IReadOnlyList<TeamUserInput> users)
    {
        var team = workspace.Teams.Get(teamId);
        var added = users.Select(user => new TeamUser(workspace.Users.Get(user.UserId), user.Admin == true)).ToArray();
        var others = team.Users.Where(member => !added.Any(user => user.User == member.User));
        team.Users = [.. others, .. added];
        return true;
    }

    public bool RemoveUsersFromTeam(Guid teamId, IReadOnlyList<Guid> userIds)
    {
        var team = workspace.Teams.Get(teamId);
        team.Users = [.. team.Users.Where(member => !userIds.Contains(member.User.Id))];
        return true;
    }

    public bool CreateFolder(AddFolderInput input)
    {
        var parent = workspace.Folders.Get(input.ParentFolderId);
        AddFolder(input.FolderId ?? Guid.NewGuid(), input.Name, parent);
        return true;
    }

    public bool CreateRootFolder(string name)
    {
        AddFolder(Guid.NewGuid(), name, null);
        return true;
    }

    public bool RenameFolder(Guid folderId, string name)
    {
        workspace.Folders.Get(folderId).Name = Named(name);
        return true;
    }

    public bool DeleteFolder(Guid folderId)
    {
        var folder = workspace.Folders.Get(folderId);
        workspace.Folders.Remove([.. folder.WithDescendants]);
        if (folder.Parent is { } parent)
        {
            parent.Folders = parent.Folders.Remove(folder);
        }

        return true;
    }

    public bool AddFileToFolder(Guid folderId, Guid fileId)
    {
        var (folder, file) = (workspace.Folders.Get(folderId), workspace.Files.Get(fileId));
        folder.Items = folder.Items.Add(new FileFolderItem(Guid.NewGuid(), file.Name, folder, Milliseconds, file));
        return true;
    }

    public bool ChangeFolderItemName(Guid folderItemId, string name)
    {
        var found = workspace.Folders.SelectMany(folder => folder.Items).FirstOrDefault(item => item.Id == folderItemId)
            ?? throw new Refusal("FolderItem not found");
        found.Folder.Items = found.Folder.Items.Replace(found, found with { Name = Named(name) });
        return true;
    }

    public bool MoveFolderItems(Guid sourceFolderId, Guid targetFolderId, IReadOnlyList<Guid> folderItems)
    {
        var (items, target) = (ItemsOf(sourceFolderId, folderItems), workspace.Folders.Get(targetFolderId));
        var source = workspace.Folders.Get(sourceFolderId);
        source.Items = source.Items.RemoveRange(items);
        target.Items = target.Items.AddRange(items.Select(item => item with { Folder = target }));
        return true;
    }

    public bool CopyFolderItems(Guid sourceFolderId, Guid targetFolderId, IReadOnlyList<Guid> folderItems)
    {
        var (items, target) = (ItemsOf(sourceFolderId, folderItems), workspace.Folders.Get(targetFolderId));
        target.Items = target.Items.AddRange(items.Select(item => item with { Id = Guid.NewGuid(), Folder = target }));
        return true;
    }

    public bool? RemoveFolderItem(Guid folderId, Guid folderItemId)
    {
        var folder = workspace.Folders.Get(folderId);
        folder.Items = folder.Items.RemoveRange(ItemsOf(folderId, [folderItemId]));
        return true;
    }

    public Guid CreateDownloadJob(
        IReadOnlyList<DownloadFileDescriptorInput> selections,
        string? zipName,
        bool? forceZipFile
    )
    {
        if (selections.Count == 0)
        {
            throw new Refusal("Nothing was selected");
        }

        foreach (var selection in selections)
        {
            Check(selection);
        }

        return Guid.NewGuid();

        void Check(DownloadFileDescriptorInput selection)
        {
            if (selection.Type == FileDescriptorType.FILE)
            {
                workspace.Files.Get(selection.FileId ?? throw new Refusal("fileId is missing"));
            }

            foreach (var child in selection.Children ?? [])
            {
                Check(child);
            }
        }
    }

    public Guid CreateFileDownloadJob(Guid fileId, string? fileName, string? zipName, bool? forceZipFile)
    {
        workspace.Files.Get(fileId);
        return Guid.NewGuid();
    }

    public bool CreateShare(CreateShareInput input)
    {
        var files = input.Items.SelectMany(item =>
            item.MediaType switch
            {
                CreateShareMediaType.FILE => [workspace.Files.Get(item.Id)],
                CreateShareMediaType.PROJECT_ARTWORK => workspace.Artworks.Get(item.Id).Files,
                _ => MediaCenterArtwork(item.Id).Files,
            }
        );
        workspace.Shares.Add(
            new(
                input.ShareId ?? Guid.NewGuid(),
                Named(input.Title),
                files.ToArray().Sum(file => file.Size ?? 0),
                workspace.Organisation,
                Milliseconds,
                workspace.Now.AddDays(30).ToUnixTimeMilliseconds(),
                Named(input.Emails),
                workspace.Me.Username,
                Read: false
            )
        );
        return true;
    }

    public bool RemoveShares(IReadOnlyList<Guid> shareIds)
    {
        workspace.Shares.Remove([.. shareIds.Distinct().Select(workspace.Shares.Get)]);
        return true;
    }

    public bool CreateArtworkCategory(string name, string? description)
    {
        workspace.Categories.Add(
            new()
            {
                Id = Guid.NewGuid(),
                Name = Named(name),
                Description = description ?? "",
            }
        );
        return true;
    }

    public bool ChangeNameAndDescriptionOfCategory(Guid categoryId, string name, string description)
    {
        var category = workspace.Categories.Get(categoryId);
        (category.Name, category.Description) = (Named(name), description);
        return true;
    }

    public bool CreateBrand(Guid? id, string name)
    {
        workspace.Brands.Add(new() { Id = id ?? Guid.NewGuid(), Name = Named(name) });
        return true;
    }

    public bool UpdateBrand(Guid id, string name)
    {
        workspace.Brands.Get(id).Name = Named(name);
        return true;
    }

    public Guid CreatePrintSpecification(string name)
    {
        var specification = new PrintSpecification(Guid.NewGuid(), Named(name), Milliseconds, workspace.Me);
        workspace.PrintSpecifications.Add(specification);
        return specification.Id;
    }

    public bool DeletePrintSpecification(Guid id)
    {
        workspace.PrintSpecifications.Remove([workspace.PrintSpecifications.Get(id)]);
        return true;
    }

    private long Milliseconds => workspace.Now.ToUnixTimeMilliseconds();

    private bool Assign(Guid? artworkId, string? username, Func<ArtworkUser, ArtworkUser> change) =>
        Assign(
            workspace.Artworks.Get(artworkId ?? throw new Refusal("input is missing")),
            workspace.GetUser(username!),
            change
        );

    private bool Assign(Artwork artwork, User user, Func<ArtworkUser, ArtworkUser> change)
    {
        var was = artwork.Users.FirstOrDefault(assigned => assigned.User == user);
        var now = change(was ?? new(user, false, false, false));
        var others = artwork.Users.Where(assigned => assigned.User != user);
        artwork.Users = now.IsApprover || now.IsReceiver || now.IsSupplier ? [.. others, now] : [.. others];
        return Recorded(artwork, "AssignmentsChanged", $"changed what {user.Name} does on");
    }

    private void AddFolder(Guid id, string name, Folder? parent)
    {
        var folder = new Folder
        {
            Id = id,
            Name = Named(name),
            Parent = parent,
        };
        workspace.Folders.Add(folder);
        if (parent is not null)
        {
            parent.Folders = parent.Folders.Add(folder);
        }
    }

    private FolderItem[] ItemsOf(Guid folderId, IReadOnlyList<Guid> itemIds)
    {
        var items = workspace.Folders.Get(folderId).Items;
        return
        [
            .. itemIds
                .Distinct()
                .Select(id =>
                    items.FirstOrDefault(item => item.Id == id) ?? throw new Refusal("FolderItem not found in folder")
                ),
        ];
    }

    private MediaCenterArtwork MediaCenterArtwork(Guid id) =>
        workspace
            .Folders.SelectMany(folder => folder.Items)
            .OfType<ArtworkFolderItem>()
            .Select(item => item.Artwork)
            .FirstOrDefault(artwork => artwork?.Id == id)
        ?? throw new Refusal("MediaCenterArtwork not found");

    private void DemandOurs(Guid? organisationId)
    {
        if (organisationId is not null && organisationId != workspace.Organisation.Id)
        {
            throw new Refusal("Organisation not found");
        }
    }
}
