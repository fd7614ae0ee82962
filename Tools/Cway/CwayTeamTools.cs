using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Cway;

/// <summary>Teams of the organisation: groups of users that artworks can be given to.</summary>
[McpServerToolType]
internal sealed class CwayTeamTools(CwayClient cway)
{
    private const string TeamId = "The team's UUID, from cway_list_teams.";
    private const string Mode = "ALL_REQUIRED (every member approves) or ANY_MEMBER (one is enough).";

    [McpServerTool(
        Name = "cway_list_teams",
        Title = "List teams",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the teams of the organisation with their members.")]
    public async Task<CwayTeamList> ListTeams(CancellationToken ct = default)
    {
        var (login, note) = await cway.AskAsync<CwayLogin>("CwayTeams", "loginInfo", null, ct);
        var teams = login?.CurrentOrganisation?.Teams.Present() ?? [];
        return new(teams, teams.Count, note);
    }

    [McpServerTool(
        Name = "cway_create_team",
        Title = "Create a team",
        ReadOnly = false,
        Destructive = false,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Creates a team without members. cway_add_users_to_team adds them.")]
    public async Task<CwayCreated> CreateTeam(
        [Description("The team's name."), StringLength(255, MinimumLength = 1)] string name,
        [Description("What it is for."), StringLength(2000)] string description = "",
        [Description(Mode), AllowedValues("ALL_REQUIRED", "ANY_MEMBER")] string approval_mode = "ALL_REQUIRED",
        CancellationToken ct = default
    )
    {
        var teamId = Guid.NewGuid().ToString("D");
        await cway.ChangeAsync(
            "CwayCreateTeam",
            "createUserTeam",
            new
            {
                teamId,
                name,
                description,
                approvalMode = approval_mode,
            },
            ct
        );
        return new(teamId, $"Team '{name}' created");
    }

    [McpServerTool(
        Name = "cway_add_users_to_team",
        Title = "Add users to a team",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Makes users members of a team.")]
    public async Task<CwayDone> AddUsersToTeam(
        [Description(TeamId)] string team_id,
        [Description("UUIDs of 1 to 50 users, from cway_search_users."), MinLength(1), MaxLength(50)] string[] user_ids,
        [Description("true makes them administrators of the team.")] bool admin = false,
        CancellationToken ct = default
    )
    {
        var users = CwayShape.Uuids(nameof(user_ids), user_ids).Select(userId => new { userId, admin }).ToArray();
        var teamId = CwayShape.Uuid(nameof(team_id), team_id);
        await cway.ChangeAsync("CwayAddUsersToTeam", "addUsersToTeam", new { teamId, users }, ct);
        return new(true, $"{users.Length} user(s) added to the team");
    }

    [McpServerTool(
        Name = "cway_remove_users_from_team",
        Title = "Remove users from a team",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [Description("Ends the membership of users in a team. The users themselves stay.")]
    public async Task<CwayDone> RemoveUsersFromTeam(
        [Description(TeamId)] string team_id,
        [Description("UUIDs of 1 to 50 members."), MinLength(1), MaxLength(50)] string[] user_ids,
        CancellationToken ct = default
    )
    {
        var userIds = CwayShape.Uuids(nameof(user_ids), user_ids);
        var teamId = CwayShape.Uuid(nameof(team_id), team_id);
        await cway.ChangeAsync("CwayRemoveUsersFromTeam", "removeUsersFromTeam", new { teamId, userIds }, ct);
        return new(true, $"{userIds.Length} user(s) removed from the team");
    }

    [McpServerTool(
        Name = "cway_attach_team_to_artwork",
        Title = "Give an artwork to a team",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Makes a team approver, receiver or supplier of an artwork.")]
    public async Task<CwayDone> AttachTeamToArtwork(
        [Description(CwayArtworkTools.ArtworkId)] string artwork_id,
        [Description(TeamId)] string team_id,
        [Description("One or more of APPROVER, RECEIVER and SUPPLIER."), MinLength(1), MaxLength(3)]
            CwayAssignment[] assignments,
        [Description(Mode), AllowedValues("ALL_REQUIRED", "ANY_MEMBER")] string? approval_mode = null,
        CancellationToken ct = default
    )
    {
        await cway.ChangeAsync(
            "CwayAttachTeamToArtwork",
            "attachTeamToArtwork",
            new
            {
                artworkId = CwayShape.Uuid(nameof(artwork_id), artwork_id),
                teamId = CwayShape.Uuid(nameof(team_id), team_id),
                assignments = assignments.Distinct().Select(one => $"{one}").ToArray(),
                approvalMode = approval_mode,
            },
            ct
        );
        return new(true, "Team attached to the artwork");
    }
}

/// <summary>What somebody has to do with an artwork.</summary>
internal enum CwayAssignment
{
    APPROVER,
    RECEIVER,
    SUPPLIER,
}
