using System.Globalization;
using MinimalMcp.Monitoring;

namespace MinimalMcp.Pages.Console;

/// <summary>Activity: what happened, newest first, and what happens now.</summary>
internal static class ActivityPage
{
    private const int PageSize = 50;

    private static readonly string[] Columns = ["Time", "Type", "What happened", "User", "Server"];

    public static async Task GetAsync(HttpContext http)
    {
        var filter = Filter(http.Request.Query);
        var page = await http.RequestServices.GetRequiredService<ActivityLog>().ReadAsync(filter, http.RequestAborted);
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    {Form(filter)}
                    <p class="feed" hidden><span id="feed-state"></span>
                      <button type="button" class="plain" id="feed-pause" aria-pressed="false">Pause</button></p>
                    <div id="events"{Html.When(filter.Before is null, () => Html.Of($" data-feed"))}>
                      {ConsoleTable.Of(
                        "Activity",
                        Columns,
                        page.Events,
                        Cells,
                        Empty(filter),
                        one => $"event-{one.Id}"
                    )}
                    </div>
                    {Pages(filter, page.Next)}
                    """
                )
            )
            {
                Lead = Html.Of($"Calls, sessions, sign-ins, approvals and servers, on all replicas."),
                Files = ["pages.css", "activity.js"],
            }
        );
    }

    private static ActivityFilter Filter(IQueryCollection query) =>
        new(
            Text(query, "type"),
            Text(query, "user"),
            Text(query, "server_id"),
            Before: long.TryParse(query["before"], NumberStyles.None, CultureInfo.InvariantCulture, out var before)
                ? before
                : null,
            Limit: PageSize
        );

    private static Html Form(ActivityFilter filter) =>
        Html.Of(
            $"""
            <form class="filters" method="get" action="activity">
              <p class="field"><label for="type">Type</label>
                <select id="type" name="type"><option value="">All</option>{Html.Each(ActivityTypes.All, type =>
                Html.Of(
                    $"""<option value="{type}"{PageFilters.Selected(type == filter.Type)}>{InWords(type)}</option>"""
                ))}</select></p>
              {PageFilters.Input("user", "User", filter.User)}
              {PageFilters.Input("server_id", "Server", filter.ServerId)}
              <p class="go"><button>Filter</button> <a class="button plain" href="activity">Clear</a></p>
            </form>
            """
        );

    // activity.js makes the same cells of an event of the stream.
    private static Html[] Cells(ActivityEvent one) =>
        [
            ConsoleTable.Time(one.CreatedAt),
            ConsoleTable.State(Tone(one), InWords(one.Type)),
            ConsoleTable.Cell(Title(one), one.Description),
            Html.Of($"{one.User}"),
            Html.Of($"{one.Metadata.GetValueOrDefault("server") ?? one.ServerId}"),
        ];

    private static Html Title(ActivityEvent one) =>
        one.Metadata.TryGetValue("call_id", out var call)
            ? Html.Of($"""<a href="audit?call={Uri.EscapeDataString(call)}">{one.Title}</a>""")
            : Html.Of($"{one.Title}");

    private static string Tone(ActivityEvent one) =>
        one.Type switch
        {
            ActivityTypes.ErrorOccurred or ActivityTypes.ServerError => "bad",
            ActivityTypes.ToolCalled or ActivityTypes.ServerStarted => "good",
            ActivityTypes.Approval => "warn",
            _ => "idle",
        };

    private static string InWords(string type) => type.Replace('_', ' ');

    private static Html Empty(ActivityFilter filter) =>
        (filter.Type ?? filter.User ?? filter.ServerId) is not null || filter.Before is not null
            ? Html.Of($"""<p>Nothing matches. <a href="activity">Show everything</a></p>""")
            : Html.Of(
                $"""
                <p>Nothing happened yet. <a href="connect">Connect a client</a> or <a href="servers">register a
                  server</a>: what they do appears here.</p>
                """
            );

    private static Html Pages(ActivityFilter filter, long? next)
    {
        string Address(long? before) =>
            PageFilters.Address(
                "activity",
                ("type", filter.Type),
                ("user", filter.User),
                ("server_id", filter.ServerId),
                ("before", before?.ToString(CultureInfo.InvariantCulture))
            );
        return PageFilters.Pages(filter.Before is null ? null : Address(null), next is null ? null : Address(next));
    }

    private static string? Text(IQueryCollection query, string name) =>
        query[name] is [{ } value, ..] && value.Trim() is { Length: > 0 and <= 200 } text ? text : null;
}
