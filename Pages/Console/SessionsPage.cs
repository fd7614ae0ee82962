using System.Globalization;
using MinimalMcp.Monitoring;

namespace MinimalMcp.Pages.Console;

/// <summary>Sessions: who is connected to this replica, and who called it without a session.</summary>
internal static class SessionsPage
{
    private const int MaxRows = 200; // the page is read again every few seconds

    private static readonly string[] Columns =
    [
        "Client",
        "User",
        "Revision",
        "Servers",
        "Last activity",
        "Calls",
        "Action",
    ];

    public static async Task GetAsync(HttpContext http)
    {
        var sessions = await http.RequestServices.GetRequiredService<SessionList>().ReadAsync(http.RequestAborted);
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <section id="sessions" data-live="5000">
                      {ConsoleTable.Of(
                        "Sessions",
                        Columns,
                        [.. sessions.Take(MaxRows)],
                        Cells,
                        Html.Of($"""<p>No client is connected. <a href="connect">Connect one</a>.</p>"""),
                        one => $"session-{one.Id}"
                    )}
                      {Html.When(sessions.Count > MaxRows, () => Html.Of(
                        $"""
                        <p class="note plain">The {MaxRows} that were used last are shown, of {sessions.Count}. The API
                          lists all: <code>/api/v1/sessions</code>.</p>
                        """
                    ))}
                    </section>
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"MCP sessions of this replica, and callers without a session that it saw in the last 30 minutes."
                ),
                Files = ["pages.css"],
            }
        );
    }

    private static Html[] Cells(SessionView one)
    {
        var name = one.ClientInfo is { } info ? $"{info.Name} {info.Version}".Trim() : one.Client ?? "unknown client";
        return
        [
            Html.Of(
                $"""
                <div><strong>{name}</strong> {(
                    one.IsActive ? ConsoleTable.State("good", "active") : ConsoleTable.State("idle", "idle")
                )}</div>
                """
            ),
            ConsoleTable.Cell(Html.Of($"{one.User}"), ClientType(one)),
            Html.Of($"{one.Revision ?? one.Surface}"),
            Html.Of($"{(one.ConnectedServers.Count == 0 ? "–" : string.Join(", ", one.ConnectedServers))}"),
            ConsoleTable.Cell(
                ConsoleTable.Time(one.LastActivity),
                "first seen " + one.CreatedAt.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)
            ),
            Html.Of($"{one.Calls.ToString("N0", CultureInfo.InvariantCulture)}"),
            one.HasSession ? End(one, name) : Html.Of($"""<span class="quiet">no session</span>"""),
        ];
    }

    private static Html End(SessionView one, string name) =>
        Html.Of(
            $"""
            <button type="button" class="harmful" data-path="api/v1/sessions/{Uri.EscapeDataString(one.Id)}"
              data-method="DELETE" data-title="End this session?" data-done="The session has ended."
              data-confirm="{name} of {one.User} must initialize again. Calls that are under way are cancelled."
              aria-label="End session of {name}, {one.User}">End session</button>
            """
        );

    private static string ClientType(SessionView one) =>
        one.ClientType switch
        {
            "chatgpt" => "ChatGPT",
            "oauth" => "OAuth",
            "api_key" => "API key",
            _ => "not signed in",
        } + (one.Client is null ? "" : $" ({one.Client})");
}
