namespace MinimalMcp.Pages.Console;

/// <summary>A page in the console's navigation. It is metadata of its endpoint, so that the page is marked.</summary>
/// <param name="Path">Below the console's root, with a slash; empty for the first page.</param>
/// <param name="Icon">The path of a drawing of 24 by 24.</param>
internal sealed record ConsoleLink(string Group, string Path, string Title, string Icon, RequestDelegate Answer)
{
    public static IReadOnlyList<ConsoleLink> All { get; } =
    [
        new("Monitor", "", "Overview", "M4 4h7v7H4zM14 4h6v4h-6zM14 11h6v9h-6zM4 14h7v6H4z", OverviewPage.GetAsync),
        new("Monitor", "/activity", "Activity", "M3 12h4l3-8 4 16 3-8h4", ActivityPage.GetAsync),
        new(
            "Monitor",
            "/sessions",
            "Sessions",
            "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 20c0-3.5 3-5.5 7-5.5s7 2 7 5.5M16 3.5a4 4 0 0 1 0 7M22 20c0-2.6"
                + "-1.5-4.5-4-5.2",
            SessionsPage.GetAsync
        ),
        new("Monitor", "/audit", "Audit log", "M6 3h9l4 4v14H6zM9 8h4M9 12h7M9 16h7", AuditPage.GetAsync),
        new(
            "Tools",
            "/servers",
            "Servers",
            "M4 4h16v7H4zM4 13h16v7H4zM7.5 7.5h.01M7.5 16.5h.01M12 7.5h5M12 16.5h5",
            ServersPage.GetAsync
        ),
        new(
            "Tools",
            "/tools",
            "Tools",
            "M14.5 6.5a4.5 4.5 0 0 0-6 5.5L3 17.5 6.5 21l5.5-5.5a4.5 4.5 0 0 0 5.5-6l-3 3-3" + "-.5-.5-3z",
            ToolsPage.GetAsync
        ),
        new(
            "Tools",
            "/approvals",
            "Approvals",
            "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5",
            ApprovalsPage.GetAsync
        ),
        new("Access", "/keys", "API keys", "M8 20a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 13l9-9M16 8l3 3", KeysPage.GetAsync),
        new(
            "Access",
            "/connect",
            "Connect",
            "M9 15l6-6M10.5 6.5L13 4a5 5 0 0 1 7 7l-2.5 2.5M13.5 17.5L11 20a5 5 0 0 1-7-7l2.5-2.5",
            ConnectPage.GetAsync
        ),
        new(
            "System",
            "/diagnostics",
            "Diagnostics",
            "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5M8 11h1.5l1.5-3 1.5 5 1-2H15",
            DiagnosticsPage.GetAsync
        ),
        new(
            "System",
            "/settings",
            "Settings",
            "M4 6h9M17 6h3M15 4v4M4 12h3M11 12h9M9 10v4M4 18h11M19 18h1M17 16v4",
            SettingsPage.GetAsync
        ),
    ];
}
