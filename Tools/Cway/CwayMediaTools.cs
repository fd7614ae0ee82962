using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>The media center: folders, files and shares.</summary>
[McpServerToolType]
internal sealed class CwayMediaTools(CwayClient cway)
{
    private const string FolderId = "The folder's UUID, from cway_get_folder_tree.";
    private const string ItemId = "The item's UUID, from cway_get_folder_items: id, not that of its file.";

    [McpServerTool(
        Name = "cway_get_folder_tree",
        Title = "List all folders",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the folders of the media center; parentId says where each one is.")]
    public async Task<CwayFolders> GetFolderTree(
        [Description("At most this many."), Range(1, 1000)] int limit = 500,
        CancellationToken ct = default
    )
    {
        var (sent, note) = await cway.AskAsync<List<CwayTree?>>("CwayFolderTree", "tree", null, ct);
        var folders = sent.Present().SelectMany(folder => folder.Flat()).ToArray();
        return new([.. folders.Take(limit)], folders.Length, note);
    }

    [McpServerTool(
        Name = "cway_get_folder",
        Title = "Get a folder",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Reads one folder with the folders in it. cway_get_folder_items lists its files.")]
    public async Task<CwayFolderResult> GetFolder(
        [Description(FolderId)] string folder_id,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(folder_id), folder_id);
        var (folder, note) = await cway.AskAsync<CwayFolder>("CwayGetFolder", "folder", new { id }, ct);
        return new(folder, folder is null ? "Folder not found" : note);
    }

    [McpServerTool(
        Name = "cway_get_folder_items",
        Title = "List the items of a folder",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists files and artworks in a folder of the media center, page by page.")]
    public Task<CwayItems> GetFolderItems(
        [Description(FolderId)] string folder_id,
        [Description("From 0."), Range(0, 10_000)] int page = 0,
        [Description("How many on a page."), Range(1, 100)] int size = 20,
        CancellationToken ct = default
    ) =>
        ItemsAsync(
            "CwayFolderItems",
            "itemsForFolder",
            new { folderId = CwayShape.Uuid(nameof(folder_id), folder_id) },
            page,
            size,
            ct
        );

    [McpServerTool(
        Name = "cway_search_media_center",
        Title = "Search the media center",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Finds files and artworks by name and content, in the whole media center or below one folder.")]
    public Task<CwayItems> SearchMediaCenter(
        [Description("What to look for."), StringLength(200)] string? query = null,
        [Description("Search only this folder and those in it.")] string? folder_id = null,
        [Description("At most this many."), Range(1, 100)] int limit = 50,
        CancellationToken ct = default
    ) =>
        folder_id is null
            ? ItemsAsync("CwaySearchMediaCenter", "itemsForOrganisation", new { searchString = query }, 0, limit, ct)
            : ItemsAsync(
                "CwayFolderItems",
                "itemsForFolder",
                new
                {
                    folderId = CwayShape.Uuid(nameof(folder_id), folder_id),
                    searchString = query,
                    recursive = true,
                },
                0,
                limit,
                ct
            );

    [McpServerTool(
        Name = "cway_get_media_center_stats",
        Title = "Get the storage use",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Tells how much storage the media center of the organisation uses, in megabytes.")]
    public async Task<CwayStats> GetMediaCenterStats(CancellationToken ct = default)
    {
        var (login, _) = await cway.AskAsync<CwayLogin>("CwayLoginInfo", "loginInfo", null, ct);
        var organisationId = login?.CurrentOrganisation?.Id
            ?? throw new McpException("The user of CWAY_API_TOKEN belongs to no organisation.");
        var (stats, note) = await cway.AskAsync<CwayStorage>(
            "CwayStorageUse",
            "organisationMediaCenterStorageStorage",
            new { organisationId, unit = "MEGABYTES" },
            ct
        );
        return new(stats, note);
    }

    [McpServerTool(
        Name = "cway_get_file",
        Title = "Get a file",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Reads what a file is, with a link to download it that works for a short time.")]
    public async Task<CwayFileResult> GetFile(
        [Description("The file's UUID.")] string file_id,
        CancellationToken ct = default
    )
    {
        var uuid = CwayShape.Uuid(nameof(file_id), file_id);
        var (file, _) = await cway.AskAsync<CwayFile>("CwayGetFile", "file", new { uuid }, ct);
        return file is null ? new(null, null, "File not found") : new(file, await LinkAsync(cway, uuid, ct), null);
    }

    [McpServerTool(
        Name = "cway_create_folder",
        Title = "Create a folder",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Creates a folder in another folder of the media center.")]
    public async Task<CwayCreated> CreateFolder(
        [Description("The folder's name."), StringLength(255, MinimumLength = 1)] string name,
        [Description("The UUID of the folder that it goes into, from cway_get_folder_tree.")] string parent_folder_id,
        CancellationToken ct = default
    )
    {
        var folderId = Guid.NewGuid().ToString("D");
        var parentFolderId = CwayShape.Uuid(nameof(parent_folder_id), parent_folder_id);
        await cway.ChangeAsync(
            "CwayCreateFolder",
            "createFolder",
            new
            {
                input = new
                {
                    parentFolderId,
                    folderId,
                    name,
                },
            },
            ct
        );
        return new(folderId, $"Folder '{name}' created successfully");
    }

    [McpServerTool(
        Name = "cway_rename_folder",
        Title = "Rename a folder",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description("Gives a folder another name.")]
    public async Task<CwayDone> RenameFolder(
        [Description(FolderId)] string folder_id,
        [Description("The new name."), StringLength(255, MinimumLength = 1)] string new_name,
        CancellationToken ct = default
    )
    {
        var folderId = CwayShape.Uuid(nameof(folder_id), folder_id);
        await cway.ChangeAsync("CwayRenameFolder", "renameFolder", new { folderId, name = new_name }, ct);
        return new(true, $"Folder renamed to '{new_name}'");
    }

    [McpServerTool(
        Name = "cway_delete_folder",
        Title = "Delete a folder",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Deletes a folder of the media center with what is in it.")]
    public async Task<CwayDone> DeleteFolder([Description(FolderId)] string folder_id, CancellationToken ct = default)
    {
        var folderId = CwayShape.Uuid(nameof(folder_id), folder_id);
        await cway.ChangeAsync("CwayDeleteFolder", "deleteFolder", new { folderId }, ct);
        return new(true, "Folder deleted successfully");
    }

    [McpServerTool(
        Name = "cway_rename_file",
        Title = "Rename a file",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description("Gives an item of the media center another name.")]
    public async Task<CwayDone> RenameFile(
        [Description(ItemId)] string file_id,
        [Description("The new name."), StringLength(255, MinimumLength = 1)] string new_name,
        CancellationToken ct = default
    )
    {
        var folderItemId = CwayShape.Uuid(nameof(file_id), file_id);
        await cway.ChangeAsync("CwayRenameItem", "changeFolderItemName", new { folderItemId, name = new_name }, ct);
        return new(true, $"File renamed to '{new_name}'");
    }

    [McpServerTool(
        Name = "cway_move_files",
        Title = "Move files",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description("Moves items of the media center from one folder to another.")]
    public async Task<CwayDone> MoveFiles(
        [Description("UUIDs of 1 to 50 items, from cway_get_folder_items."), MinLength(1), MaxLength(50)]
            string[] file_ids,
        [Description("UUID of the folder that they go to.")] string target_folder_id,
        [Description("UUID of the folder that they are in; Cway needs it.")] string source_folder_id,
        CancellationToken ct = default
    )
    {
        var folderItems = CwayShape.Uuids(nameof(file_ids), file_ids);
        await cway.ChangeAsync(
            "CwayMoveItems",
            "moveFolderItems",
            new
            {
                sourceFolderId = CwayShape.Uuid(nameof(source_folder_id), source_folder_id),
                targetFolderId = CwayShape.Uuid(nameof(target_folder_id), target_folder_id),
                folderItems,
            },
            ct
        );
        return new(true, $"Moved {folderItems.Length} files");
    }

    [McpServerTool(
        Name = "cway_delete_file",
        Title = "Delete a file",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Takes an item out of a folder of the media center for good.")]
    public async Task<CwayDone> DeleteFile(
        [Description(ItemId)] string file_id,
        [Description("UUID of the folder that it is in; Cway needs it.")] string folder_id,
        CancellationToken ct = default
    )
    {
        var folderItemId = CwayShape.Uuid(nameof(file_id), file_id);
        var folderId = CwayShape.Uuid(nameof(folder_id), folder_id);
        await cway.ChangeAsync("CwayRemoveItem", "removeFolderItem", new { folderId, folderItemId }, ct);
        return new(true, "File deleted successfully");
    }

    [McpServerTool(
        Name = "cway_find_shares",
        Title = "List shares",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the shares: files that were sent to somebody by a link.")]
    public async Task<CwayShares> FindShares(
        [Description("Only shares with a file whose name contains this."), StringLength(200)] string? query = null,
        [Description("At most this many."), Range(1, 500)] int limit = 50,
        CancellationToken ct = default
    )
    {
        var (sent, note) = await cway.AskAsync<List<CwayShare?>>(
            "CwayFindShares",
            "findShares",
            new { fileNameFilter = query },
            ct
        );
        var shares = sent.Present();
        return new([.. shares.Take(limit)], shares.Count, note);
    }

    [McpServerTool(
        Name = "cway_get_share",
        Title = "Get a share",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Reads one share.")]
    public async Task<CwayShareResult> GetShare(
        [Description("The share's UUID, from cway_find_shares.")] string share_id,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(share_id), share_id);
        var (share, note) = await cway.AskAsync<CwayShare>("CwayGetShare", "share", new { id }, ct);
        return new(share, share is null ? "Share not found" : note);
    }

    [McpServerTool(
        Name = "cway_create_share",
        Title = "Share files",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "HIGH")]
    [Description("Sends files to people outside by e-mail, with a link to download them.")]
    public async Task<CwayCreated> CreateShare(
        [Description("The title of the e-mail."), StringLength(255, MinimumLength = 1)] string name,
        [Description("UUIDs of 1 to 50 files."), MinLength(1), MaxLength(50)] string[] file_ids,
        [Description("Who gets it: e-mail addresses, separated by commas."), StringLength(2000, MinimumLength = 3)]
            string emails,
        [Description("The message."), StringLength(2000)] string description = "",
        CancellationToken ct = default
    )
    {
        var shareId = Guid.NewGuid().ToString("D");
        var items = CwayShape.Uuids(nameof(file_ids), file_ids).Select(id => new { mediaType = "FILE", id }).ToArray();
        await cway.ChangeAsync(
            "CwayCreateShare",
            "createShare",
            new
            {
                input = new
                {
                    shareId,
                    title = name,
                    emails,
                    message = description,
                    items,
                },
            },
            ct
        );
        return new(shareId, $"Share '{name}' created with {items.Length} files");
    }

    [McpServerTool(
        Name = "cway_delete_share",
        Title = "Delete a share",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Ends a share: its link stops working. The files stay.")]
    public async Task<CwayDone> DeleteShare(
        [Description("The share's UUID, from cway_find_shares.")] string share_id,
        CancellationToken ct = default
    )
    {
        var id = CwayShape.Uuid(nameof(share_id), share_id);
        await cway.ChangeAsync("CwayRemoveShares", "removeShares", new { shareIds = (string[])[id] }, ct);
        return new(true, "Share deleted successfully");
    }

    internal static async Task<string?> LinkAsync(CwayClient cway, string fileId, CancellationToken ct) =>
        (await cway.AskAsync<string>("CwayDownloadUrl", "tempFileDownloadUrl", new { fileId }, ct)).Value;

    private async Task<CwayItems> ItemsAsync(
        string operation,
        string field,
        object input,
        int page,
        int size,
        CancellationToken ct
    )
    {
        var (sent, note) = await cway.AskAsync<CwayItemPage>(
            operation,
            field,
            new { input, paging = CwayShape.Page(page, size) },
            ct
        );
        var items = sent?.Items.Present() ?? [];
        return new(items, sent?.TotalHits ?? items.Count, sent?.Page ?? page, note);
    }
}
