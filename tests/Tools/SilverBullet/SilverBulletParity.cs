using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.SilverBullet;

internal sealed class SilverBulletParity : FamilyCalls
{
    private Space? _space;

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("silverbullet_list_pages", """{"limit":0}""", FailureKind.Arguments),
        ("silverbullet_get_page", "{}", FailureKind.Arguments),
        ("silverbullet_get_page", """{"page_name":"Garden"}""", FailureKind.Tool),
        ("silverbullet_get_page", """{"page_name":"../etc/passwd"}""", FailureKind.Tool),
        ("silverbullet_create_page", """{"page_name":"index","content":"new"}""", FailureKind.Tool),
        (
            "silverbullet_update_page",
            """{"page_name":"index","content":"new","expected_last_modified":1}""",
            FailureKind.Tool
        ),
        ("silverbullet_delete_page", """{"page_name":"Library/Std/APIs/Command"}""", FailureKind.Tool),
        ("silverbullet_list_pages", "{}", null),
        ("silverbullet_get_page", """{"page_name":"Projects/Åland & co"}""", null),
        ("silverbullet_create_page", """{"page_name":"Journal/2026-02-01","content":"Snow."}""", null),
        ("silverbullet_update_page", """{"page_name":"index","content":"More.","mode":"append"}""", null),
        ("silverbullet_delete_page", """{"page_name":"Projects/Garden"}""", null),
        ("silverbullet_search_pages", """{"query":"roof"}""", null),
    ];

    public override async Task<(string Key, string Value)[]> StartAsync()
    {
        _space = await Space.StartAsync();
        return _space.Settings;
    }

    public override void Reset() => _space!.Reset();

    public override async ValueTask DisposeAsync()
    {
        await _space!.DisposeAsync();
        await base.DisposeAsync();
    }
}
