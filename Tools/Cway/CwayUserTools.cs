using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>People of the organisation. Teams stand in CwayTeamTools.cs.</summary>
[McpServerToolType]
internal sealed class CwayUserTools(CwayClient cway, ConfirmationDoor confirmation)
{
    private const int PageSize = 100,
        MaxPages = 100;

    [McpServerTool(
        Name = "cway_list_users",
        Title = "List users",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [McpMeta("aliases", "list_all_users")]
    [Description("Lists the users of the organisation. Use cway_find_user_by_email or cway_search_users to find one.")]
    public async Task<CwayUserList> ListUsers(
        [Description("At most this many."), Range(1, 1000)] int limit = 200,
        CancellationToken ct = default
    )
    {
        var (users, total, note) = await AllAsync(cway, null, limit, ct);
        return new(users, total, total > users.Count ? $"These are {users.Count} of {total}. Raise limit." : note);
    }

    [McpServerTool(
        Name = "cway_get_user",
        Title = "Get a user",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Reads one user with sign-in details. Takes a UUID or, which is faster, a username.")]
    public async Task<CwayUserResult> GetUser(
        [Description("The user's UUID or username."), StringLength(255, MinimumLength = 1)] string user_id,
        CancellationToken ct = default
    )
    {
        var user = await FindAsync(cway, user_id, ct);
        return new(user, user is null ? "User not found" : null);
    }

    [McpServerTool(
        Name = "cway_find_user_by_email",
        Title = "Find a user by e-mail",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Finds the user with an e-mail address; upper and lower case do not matter.")]
    public async Task<CwayUserResult> FindUserByEmail(
        [Description("For example ann@example.com."), StringLength(255, MinimumLength = 3)] string email,
        CancellationToken ct = default
    )
    {
        var user = await ByEmailAsync(cway, email, ct);
        return new(user, user is null ? "User not found" : null);
    }

    [McpServerTool(
        Name = "cway_get_users_page",
        Title = "Get a page of users",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists users page by page. cway_list_users gives the first ones at once.")]
    public async Task<CwayUsersPage> GetUsersPage(
        [Description("From 0."), Range(0, 10_000)] int page = 0,
        [Description("How many on a page."), Range(1, 100)] int size = 10,
        CancellationToken ct = default
    )
    {
        var (sent, note) = await PageAsync(cway, null, page, size, ct);
        return new(sent.Users.Present(), sent.Page ?? page, sent.TotalHits ?? 0, note);
    }

    [McpServerTool(
        Name = "cway_search_users",
        Title = "Search users",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("profile", "default")]
    [Description("Finds users whose username contains a text.")]
    public async Task<CwayUserList> SearchUsers(
        [Description("A part of the username."), StringLength(200)] string? query = null,
        [Description("At most this many."), Range(1, 100)] int limit = 20,
        CancellationToken ct = default
    )
    {
        var (sent, note) = await PageAsync(cway, query, 0, limit, ct);
        var users = sent.Users.Present();
        return new(users, sent.TotalHits ?? users.Count, note);
    }

    [McpServerTool(
        Name = "cway_find_users_and_teams",
        Title = "Find users and teams",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Finds users and teams by a part of their name, for assignments.")]
    public async Task<CwayUsersAndTeams> FindUsersAndTeams(
        [Description("A part of the name."), StringLength(200)] string? search = null,
        [Description("From 0."), Range(0, 10_000)] int page = 0,
        [Description("How many on a page."), Range(1, 100)] int size = 10,
        CancellationToken ct = default
    )
    {
        var (sent, note) = await cway.AskAsync<CwayUserOrTeamPage>(
            "CwayFindUsersAndTeams",
            "findUsersAndTeamsPage",
            new { search, paging = CwayShape.Page(page, size) },
            ct
        );
        return new(sent?.UsersOrTeams.Present() ?? [], sent?.Page ?? page, sent?.TotalHits ?? 0, note);
    }

    [McpServerTool(
        Name = "cway_create_user",
        Title = "Create a user",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "HIGH")]
    [Description("Adds a user to the organisation. Cway invites the user by the username, which is an e-mail address.")]
    public async Task<CwayUserChange> CreateUser(
        [Description("The e-mail address."), StringLength(255, MinimumLength = 3)] string email,
        [Description("The username; in Cway it is the e-mail address as a rule."), StringLength(255, MinimumLength = 3)]
            string username,
        [Description("First name."), StringLength(100)] string? first_name = null,
        [Description("Last name."), StringLength(100)] string? last_name = null,
        CancellationToken ct = default
    )
    {
        await cway.ChangeAsync("CwayCreateUser", "createUser", new { input = new { username } }, ct);
        if (first_name is not null || last_name is not null)
        {
            await RenameAsync(username, first_name, last_name, ct);
        }

        var user = await ByNameAsync(cway, username, ct);
        return new(
            user,
            "User created successfully",
            email.Equals(user?.Email, StringComparison.OrdinalIgnoreCase)
                ? null
                : "Cway has no way to set another e-mail address than the username."
        );
    }

    [McpServerTool(
        Name = "cway_update_user_name",
        Title = "Change a user's name",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description("Replaces the real name of a user.")]
    public async Task<CwayUserChange> UpdateUserName(
        [Description("The username."), StringLength(255, MinimumLength = 1)] string username,
        [Description("First name."), StringLength(100)] string? first_name = null,
        [Description("Last name."), StringLength(100)] string? last_name = null,
        CancellationToken ct = default
    )
    {
        _ = await RequireAsync(username, ct);
        await RenameAsync(username, first_name, last_name, ct);
        return new(await ByNameAsync(cway, username, ct), "User updated successfully", null);
    }

    [McpServerTool(
        Name = "cway_prepare_delete_user",
        Title = "Preview deleting a user",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Shows which user would be deleted, with warnings, and gives the confirmation token that "
            + "cway_confirm_delete_user needs. It changes nothing."
    )]
    public async Task<CwayPreview> PrepareDeleteUser(
        ClaimsPrincipal? user,
        [Description("The username."), StringLength(255, MinimumLength = 1)] string username,
        CancellationToken ct = default
    )
    {
        var one = await RequireAsync(username, ct);
        return await CwayPreview.OfAsync(
            confirmation,
            user,
            "delete",
            "user",
            [new(one.Id, one.FullName, one.Enabled is false ? "disabled" : "enabled", null, one.Email)],
            [
                $"The account of {one.Email} will be deleted for good; the user loses access.",
                .. one.IsSSO is true
                    ? (string[])["The user signs in by single sign-on and may be created anew by it."]
                    : [],
            ],
            "cway_confirm_delete_user",
            CwayProjectTools.Given(("username", username)),
            ct
        );
    }

    [McpServerTool(
        Name = "cway_confirm_delete_user",
        Title = "Delete a user",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "CRITICAL")]
    [Description(
        "Deletes a user for good. Call cway_prepare_delete_user first, show the preview, and when the user agrees send "
            + "the same username with its confirmation_token."
    )]
    public async Task<CwayDone> ConfirmDeleteUser(
        [Description("As it was previewed."), StringLength(255, MinimumLength = 1)] string username,
        CancellationToken ct = default
    )
    {
        await cway.ChangeAsync("CwayDeleteUsers", "deleteUsers", new { usernames = (string[])[username] }, ct);
        return new(true, $"User '{username}' deleted successfully");
    }

    [McpServerTool(
        Name = "cway_get_permission_groups",
        Title = "List permission groups",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the permission groups of the organisation. Cway allows it to administrators only.")]
    public async Task<CwayNamedList> GetPermissionGroups(CancellationToken ct = default)
    {
        var (groups, note) = await cway.AskAsync<List<CwayNamed?>>(
            "CwayPermissionGroups",
            "getPermissionGroups",
            null,
            ct
        );
        return CwayNamedList.Of(groups, note);
    }

    [McpServerTool(
        Name = "cway_set_user_permissions",
        Title = "Set the permission group of users",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Puts users into a permission group, out of the one they are in. Administrators only.")]
    public async Task<CwayDone> SetUserPermissions(
        [Description("1 to 50 usernames."), MinLength(1), MaxLength(50)] string[] usernames,
        [Description("The group's UUID, from cway_get_permission_groups.")] string permission_group_id,
        CancellationToken ct = default
    )
    {
        var permissionGroupId = CwayShape.Uuid(nameof(permission_group_id), permission_group_id);
        await cway.ChangeAsync(
            "CwaySetPermissionGroup",
            "setPermissionGroupForUsers",
            new { usernames, permissionGroupId },
            ct
        );
        return new(true, $"Updated permissions for {usernames.Length} users");
    }

    /// <summary>All users, up to the limit; and how many there are.</summary>
    internal static async Task<(List<CwayUser> Users, long Total, string? Note)> AllAsync(
        CwayClient cway,
        Func<CwayUser, bool>? until,
        int limit,
        CancellationToken ct
    )
    {
        var users = new List<CwayUser>();
        for (var page = 0; page < MaxPages; page++)
        {
            var (sent, note) = await PageAsync(cway, null, page, PageSize, ct);
            var fresh = sent.Users.Present();
            users.AddRange(fresh);
            var total = sent.TotalHits ?? users.Count;
            if (fresh.Count == 0 || users.Count >= total || users.Count >= limit || fresh.Any(until ?? (_ => false)))
            {
                return ([.. users.Take(limit)], total, note);
            }
        }

        return ([.. users.Take(limit)], users.Count, $"Only the first {users.Count} users were looked at.");
    }

    internal static async Task<int> CountAsync(CwayClient cway, CancellationToken ct) =>
        (int)((await PageAsync(cway, null, 0, 1, ct)).Page.TotalHits ?? 0);

    /// <summary>By username, which Cway can find, or by UUID, which is compared here.</summary>
    internal static async Task<CwayUser?> FindAsync(CwayClient cway, string id, CancellationToken ct)
    {
        if (!Guid.TryParse(id, out var uuid))
        {
            return await ByNameAsync(cway, id, ct);
        }

        bool Is(CwayUser user) => Guid.TryParse(user.Id, out var own) && own == uuid;
        var found = (await AllAsync(cway, Is, int.MaxValue, ct)).Users.Find(Is);
        return found?.Username is { } name ? await ByNameAsync(cway, name, ct) ?? found : found;
    }

    internal static async Task<CwayUser?> ByEmailAsync(CwayClient cway, string email, CancellationToken ct)
    {
        bool Is(CwayUser user) => email.Trim().Equals(user.Email, StringComparison.OrdinalIgnoreCase);
        return (await AllAsync(cway, Is, int.MaxValue, ct)).Users.Find(Is);
    }

    private static async Task<CwayUser?> ByNameAsync(CwayClient cway, string username, CancellationToken ct) =>
        (await cway.AskAsync<CwayUser>("CwayGetUser", "getUser", new { username = username.Trim() }, ct)).Value;

    private static async Task<(CwayUserPage Page, string? Note)> PageAsync(
        CwayClient cway,
        string? username,
        int page,
        int size,
        CancellationToken ct
    )
    {
        var (sent, note) = await cway.AskAsync<CwayUserPage>(
            "CwayFindUsersPage",
            "findUsersPage",
            new
            {
                username = string.IsNullOrWhiteSpace(username) ? null : username.Trim(),
                paging = CwayShape.Page(page, size),
            },
            ct
        );
        return (sent ?? new(page, 0, []), note);
    }

    private Task RenameAsync(string username, string? firstName, string? lastName, CancellationToken ct) =>
        cway.ChangeAsync(
            "CwaySetUserRealName",
            "setUserRealName",
            CwayProjectTools.Given(("username", username), ("firstName", firstName), ("lastName", lastName)),
            ct
        );

    private async Task<CwayUser> RequireAsync(string username, CancellationToken ct) =>
        await ByNameAsync(cway, username, ct) ?? throw CwayShape.NotFound("User", username, "cway_search_users");
}
