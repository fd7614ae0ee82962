using CwaySample;
using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Cway;

internal sealed class CwayParity : FamilyCalls
{
    private CwayLab? _lab;
    private CwayServer? _cway;

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls =>
        _cway is null ? [] : CallsOf(_cway);

    // All ways share one workspace, and changes of it cannot be taken back: they are dry runs here. CwayToolsTests
    // makes them.
    public static IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> CallsOf(CwayServer cway)
    {
        var workspace = cway.Workspace;
        var projects = workspace.Projects.ToArray();
        var (open, closable) = (projects[0], projects.First(project => project.IsInClosableState));
        var closed = projects.First(project => project.State is ProjectState.CLOSED);
        var artwork = open.Artworks[0];
        var approvable = projects
            .SelectMany(project => project.Artworks)
            .Where(one => one.IsInApprovableState)
            .ToArray();
        var (user, team, me) = (workspace.Users.Skip(3).First(), workspace.Teams.First(), workspace.Me);
        var folder = workspace.Folders.First(one => one.Items.Length > 2);
        var item = folder.Items[0];
        var (root, file, share) = (workspace.Folders.First(), workspace.Files.First(), workspace.Shares.First());
        var id = $$"""{"project_id":"{{open.Id}}"}""";
        var artworkId = $$"""{"artwork_id":"{{artwork.Id}}"}""";
        (string, string, FailureKind?)[] calls =
        [
            ("get_project", """{"project_id":"7"}""", FailureKind.Tool),
            ("compare_projects", $$"""{"project_ids":["{{open.Id}}"]}""", FailureKind.Arguments),
            ("update_project", id, FailureKind.Tool),
            ("get_system_status", "{}", null),
            ("get_login_info", "{}", null),
            ("list_projects", """{"limit":5}""", null),
            ("get_active_projects", """{"limit":5}""", null),
            ("get_completed_projects", """{"limit":5}""", null),
            ("get_project", id, null),
            ("search_projects", """{"query":"labels","limit":3}""", null),
            ("get_project_by_id", id, null),
            ("get_project_attachments", $$"""{"project_id":"{{closable.Id}}"}""", null),
            ("get_project_status_summary", "{}", null),
            ("compare_projects", $$"""{"project_ids":["{{open.Id}}","{{closed.Id}}"]}""", null),
            ("get_project_history", $$"""{"project_id":"{{open.Id}}","limit":3}""", null),
            ("get_project_timeline", $$"""{"project_id":"{{open.Id}}","limit":3}""", null),
            ("get_monthly_project_trends", "{}", null),
            ("generate_project_summary_ai", id, null),
            ("analyze_project_velocity", id, null),
            ("get_temporal_dashboard", """{"analysis_period_days":30}""", null),
            ("get_stagnation_alerts", """{"min_urgency_score":8,"limit":3}""", null),
            ("get_kpi_dashboard", "{}", null),
            ("get_project_health", """{"limit":3}""", null),
            ("list_users", """{"limit":5}""", null),
            ("get_user", $$"""{"user_id":"{{user.Username}}"}""", null),
            ("find_user_by_email", $$"""{"email":"{{user.Email}}"}""", null),
            ("get_users_page", """{"page":1,"size":3}""", null),
            ("search_users", $$"""{"query":"{{user.Username[..4]}}"}""", null),
            ("find_users_and_teams", """{"size":3}""", null),
            ("get_permission_groups", "{}", null),
            ("list_teams", "{}", null),
            ("get_artwork", artworkId, null),
            ("get_artwork_versions", artworkId, null),
            (
                "get_artwork_preview",
                $$"""{"artwork_id":"{{approvable.First(one => one.PreviewFile is not null).Id}}"}""",
                null
            ),
            ("get_artwork_history", artworkId, null),
            ("get_my_artworks", "{}", null),
            ("get_artworks_to_approve", "{}", null),
            ("get_artworks_to_upload", "{}", null),
            ("analyze_artwork_ai", artworkId, null),
            ("get_categories", "{}", null),
            ("get_folder_tree", """{"limit":3}""", null),
            ("get_folder", $$"""{"folder_id":"{{root.Id}}"}""", null),
            ("get_folder_items", $$"""{"folder_id":"{{folder.Id}}"}""", null),
            ("search_media_center", """{"query":"shelf","limit":3}""", null),
            ("get_media_center_stats", "{}", null),
            ("get_file", $$"""{"file_id":"{{file.Id}}"}""", null),
            ("find_shares", """{"limit":3}""", null),
            ("get_share", $$"""{"share_id":"{{share.Id}}"}""", null),
            ("get_indexing_job_status", """{"job_id":"index_all_1"}""", null),
            ("update_project", $$"""{"project_id":"{{open.Id}}","name":"{{open.Name}}","dry_run":true}""", null),
            ("update_project_notes", $$"""{"project_id":"{{open.Id}}","notes":"Two weeks","dry_run":true}""", null),
            ("create_project", """{"name":"Garden","description":"Beds","dry_run":true}""", null),
            (
                "transfer_project_ownership",
                $$"""{"project_id":"{{open.Id}}","new_owner_id":"{{user.Id}}","dry_run":true}""",
                null
            ),
            (
                "upload_project_attachment",
                $$"""{"project_id":"{{open.Id}}","file_id":"{{file.Id}}","dry_run":true}""",
                null
            ),
            ("prepare_close_projects", $$"""{"project_ids":["{{closable.Id}}"]}""", null),
            ("confirm_close_projects", $$"""{"project_ids":["{{closable.Id}}"],"dry_run":true}""", null),
            ("reopen_projects", $$"""{"project_ids":["{{closed.Id}}"],"dry_run":true}""", null),
            (
                "create_user",
                """{"email":"new@nordlys.example","username":"new@nordlys.example","first_name":"N","dry_run":true}""",
                null
            ),
            ("update_user_name", $$"""{"username":"{{user.Username}}","first_name":"Nia","dry_run":true}""", null),
            (
                "set_user_permissions",
                $$"""{"usernames":["{{user.Username}}"]"""
                    + $$""","permission_group_id":"{{workspace.PermissionGroups.First().Id}}","dry_run":true}""",
                null
            ),
            ("create_team", """{"name":"Proof readers","description":"They read","dry_run":true}""", null),
            (
                "add_users_to_team",
                $$"""{"team_id":"{{team.Id}}","user_ids":["{{workspace.Users.Last().Id}}"],"dry_run":true}""",
                null
            ),
            (
                "remove_users_from_team",
                $$"""{"team_id":"{{team.Id}}","user_ids":["{{workspace.Users.Last().Id}}"],"dry_run":true}""",
                null
            ),
            (
                "attach_team_to_artwork",
                $$"""{"artwork_id":"{{artwork.Id}}","team_id":"{{team.Id}}","assignments":"""
                    + $$"""["RECEIVER"],"dry_run":true}""",
                null
            ),
            ("create_artwork", $$"""{"project_id":"{{open.Id}}","name":"Lid","dry_run":true}""", null),
            ("approve_artwork", $$"""{"artwork_id":"{{approvable[0].Id}}","dry_run":true}""", null),
            (
                "reject_artwork",
                $$"""{"artwork_id":"{{approvable[1].Id}}","reason":"The logo is old","dry_run":true}""",
                null
            ),
            (
                "bulk_update_artwork_status",
                $$"""{"artwork_ids":["{{approvable[2].Id}}"],"status":"APPROVED","dry_run":true}""",
                null
            ),
            (
                "bulk_update_artwork_status",
                $$"""{"artwork_ids":["{{approvable[3].Id}}"],"status":"REJECTED","dry_run":true}""",
                null
            ),
            ("assign_artwork", $$"""{"artwork_id":"{{artwork.Id}}","user_id":"{{user.Id}}","dry_run":true}""", null),
            ("create_category", """{"name":"Poster","description":"For walls","dry_run":true}""", null),
            ("create_folder", $$"""{"name":"Proofs","parent_folder_id":"{{root.Id}}","dry_run":true}""", null),
            ("rename_folder", $$"""{"folder_id":"{{folder.Id}}","new_name":"Pictures","dry_run":true}""", null),
            ("rename_file", $$"""{"file_id":"{{item.Id}}","new_name":"Shelf 2","dry_run":true}""", null),
            (
                "move_files",
                $$"""{"file_ids":["{{item.Id}}"]"""
                    + $$""","target_folder_id":"{{root.Id}}","source_folder_id":"{{folder.Id}}","dry_run":true}""",
                null
            ),
            (
                "delete_file",
                $$"""{"file_id":"{{folder.Items[1].Id}}","folder_id":"{{folder.Id}}","dry_run":true}""",
                null
            ),
            ("delete_folder", $$"""{"folder_id":"{{workspace.Folders.Last().Id}}","dry_run":true}""", null),
            (
                "create_share",
                $$"""{"name":"Proofs","file_ids":["{{file.Id}}"],"emails":"{{user.Email}}","dry_run":true}""",
                null
            ),
            ("delete_share", $$"""{"share_id":"{{share.Id}}","dry_run":true}""", null),
            ("index_all_content", """{"dry_run":true}""", null),
            ("quick_backup", """{"dry_run":true}""", null),
            ("index_project_content", $$"""{"project_id":"{{open.Id}}","dry_run":true}""", null),
            ("configure_indexing_target", """{"name":"backup","platform":"file","description":"Every night"}""", null),
            ("prepare_delete_projects", $$"""{"project_ids":["{{closed.Id}}"],"force":true}""", null),
            ("confirm_delete_projects", $$"""{"project_ids":["{{closed.Id}}"],"force":true,"dry_run":true}""", null),
            ("prepare_delete_user", $$"""{"username":"{{user.Username}}"}""", null),
            ("confirm_delete_user", $$"""{"username":"{{user.Username}}","dry_run":true}""", null),
        ];
        return [.. calls.Select(call => ("cway_" + call.Item1, call.Item2, call.Item3))];
    }

    public override async Task<(string Key, string Value)[]> StartAsync()
    {
        _lab = await CwayLab.StartAsync();
        _cway = _lab.Cway;
        return _lab.Settings;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}
