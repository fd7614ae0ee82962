using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Vikunja;

internal sealed class VikunjaParity : FamilyCalls
{
    private Board? _board;

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("vikunja_get_task", """{"project_id":2}""", FailureKind.Arguments),
        ("vikunja_get_task", """{"project_id":2,"task_id":"twelve"}""", FailureKind.Arguments),
        ("vikunja_create_task", """{"project_id":2,"title":"x","priority":6}""", FailureKind.Arguments),
        ("vikunja_get_project", """{"project_id":77}""", FailureKind.Tool),
        ("vikunja_get_project", """{"project_id":9}""", FailureKind.Tool),
        ("vikunja_create_task", """{"project_id":2,"title":"x","due_date":"next friday"}""", FailureKind.Tool),
        ("vikunja_update_task", """{"project_id":2,"task_id":12}""", FailureKind.Tool),
        ("vikunja_delete_task", """{"project_id":3,"task_id":12}""", FailureKind.Tool),
        ("vikunja_list_projects", "{}", null),
        ("vikunja_get_project", """{"project_id":2}""", null),
        ("vikunja_create_project", """{"title":"Garden","description":"Beds","identifier":"GAR"}""", null),
        ("vikunja_list_tasks", """{"project_id":2,"done":false,"search":"c","sort":"due_date"}""", null),
        ("vikunja_get_task", """{"project_id":2,"task_id":12}""", null),
        ("vikunja_get_task", """{"project_id":"2","task_id":12.0}""", null),
        (
            "vikunja_create_task",
            """
            {"project_id":2,"title":"Order filters","description":"Two","priority":3,
             "due_date":"2026-02-01T12:00:00+01:00"}
            """,
            null
        ),
        ("vikunja_update_task", """{"project_id":2,"task_id":12,"title":"Rotate all certs","priority":5}""", null),
        ("vikunja_delete_task", """{"project_id":2,"task_id":13}""", null),
        ("vikunja_search_tasks", """{"query":"certs","filter":"priority >= 3"}""", null),
        ("vikunja_list_comments", """{"task_id":12}""", null),
        ("vikunja_add_comment", """{"task_id":12,"comment":"The one in the cellar."}""", null),
        ("vikunja_list_labels", """{"search":"in"}""", null),
        ("vikunja_add_label", """{"task_id":12,"label_id":5}""", null),
        ("vikunja_remove_label", """{"task_id":12,"label_id":3}""", null),
        ("vikunja_assign", """{"task_id":12,"user":"bob"}""", null),
        ("vikunja_unassign", """{"task_id":12,"user":"ann"}""", null),
    ];

    public override async Task<(string Key, string Value)[]> StartAsync()
    {
        _board = await Board.StartAsync();
        return [.. _board.Settings, ("Vikunja:PublicUrl", "https://tasks.example")];
    }

    public override void Reset() => _board!.Renew();

    public override async ValueTask DisposeAsync()
    {
        await _board!.DisposeAsync();
        await base.DisposeAsync();
    }
}
