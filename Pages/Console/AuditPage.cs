using System.Globalization;
using MinimalMcp.Governance;
using MinimalMcp.Storage;

namespace MinimalMcp.Pages.Console;

/// <summary>Audit log: every call and change, searchable; one call's whole story; export and verification.</summary>
internal static class AuditPage
{
    private const int PageSize = 50;

    private static readonly string[] Columns = ["Time", "Subject", "Tool", "Outcome", "Risk", "Surface", "Duration"];

    // What governance and the servers' operators write; others can be typed into the address.
    private static readonly string[] Outcomes =
    [
        "ok",
        "failed",
        "cancelled",
        "preview",
        "input required",
        "intent",
        "approved",
        "denied",
        .. Enum.GetNames<Refusal>().Select(reason => $"refused: {reason.ToLowerInvariant()}"),
    ];

    private static readonly string[] Levels = [.. Enum.GetNames<RiskLevel>().Select(name => name.ToUpperInvariant())];

    private static readonly string[] Surfaces =
    [
        "http",
        "mcp",
        "sse",
        "stdio",
        "rest",
        "functions",
        "console",
        "approvals",
        "hub",
        "server",
    ];

    public static async Task GetAsync(HttpContext http)
    {
        if (AuditQuery.Read(http.Request.Query, out var wrong) is not { } filter)
        {
            await ConsolePage.WriteAsync(
                http,
                new(Html.Of($"""<div class="empty"><p>{wrong} <a href="audit">Show everything</a></p></div>"""))
                {
                    Status = StatusCodes.Status400BadRequest,
                }
            );
            return;
        }

        var store = http.RequestServices.GetRequiredService<Store>();
        if (filter.CallId is { } call && filter == new AuditFilter(CallId: call))
        {
            await AuditStory.WriteAsync(http, store, call);
            return;
        }

        var limit = http.Request.Query["limit"].Count > 0 ? filter.Limit : PageSize;
        var rows = await store.ReadAuditAsync(filter with { Limit = limit }, http.RequestAborted);
        var filters = Filters(filter).ToArray();
        var exported = Filters(filter with { Before = null }).ToArray();
        var api = ConsolePage.Root(http) + "api/v1/audit";
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    {Form(filter)}
                    <p id="verdict" class="note" role="status" hidden></p>
                    {ConsoleTable.Of("Audit log", Columns, rows, Cells, Empty(filters), one => $"entry-{one.Seq}")}
                    {PageFilters.Pages(
                        filter.Before is null ? null : PageFilters.Address("audit", exported),
                        rows.Count < limit
                            ? null
                            : PageFilters.Address(
                                "audit",
                                [.. exported, ("before", rows[^1].Seq.ToString(CultureInfo.InvariantCulture))]
                            )
                    )}
                    """
                )
            )
            {
                Lead = Html.Of($"Every call and every change by an operator, on all replicas, newest first."),
                Actions = Html.Of(
                    $"""
                    <a class="button plain" href="{PageFilters.Address(api, [.. exported, ("format", "csv")])}"
                      download>Export CSV</a>
                    <a class="button plain" href="{PageFilters.Address(api, [.. exported, ("format", "jsonl")])}"
                      download>Export JSON lines</a>
                    <button type="button" id="verify">Verify the chain</button>
                    <button type="button" class="plain" id="print">Print</button>
                    """
                ),
                Files = ["pages.css", "audit.js"],
            }
        );
    }

    internal static Html Outcome(AuditEntry one) =>
        ConsoleTable.State(
            one.Outcome switch
            {
                "ok" or "approved" => "good",
                "failed" => "bad",
                "intent" or "preview" or "input required" => "idle",
                _ => "warn",
            },
            one.Outcome
        );

    internal static string Duration(long? microseconds) =>
        microseconds is { } known ? Chart.Show(known / 1e6, "s") : "–";

    internal static string Person(AuditEntry one) =>
        PersonName.Of(one.Person) is { } name ? $"{name} ({one.Subject})" : one.Subject;

    private static Html[] Cells(AuditEntry one) =>
        [
            Html.Of(
                $"""
                <a href="{PageFilters.Address("audit", ("call", one.CallId))}">{ConsoleTable.Time(
                    DateTimeOffset.FromUnixTimeMilliseconds(one.At)
                )}</a>
                """
            ),
            ConsoleTable.Cell(Html.Of($"{Person(one)}"), one.Client),
            Html.Of($"<code>{one.Tool}</code>"),
            ConsoleTable.Cell(Outcome(one), one.Detail is null ? null : TextLimit.Cut(one.Detail, 160)),
            Html.Of($"{one.Level}"),
            Html.Of($"{one.Surface}"),
            Html.Of($"{Duration(one.DurationUs)}"),
        ];

    private static Html Form(AuditFilter filter) =>
        Html.Of(
            $"""
            <form class="filters" method="get" action="audit">
              {PageFilters.Input("from", "From (UTC)", Minute(filter.From), "datetime-local")}
              {PageFilters.Input("to", "To (UTC)", Minute(filter.To), "datetime-local")}
              {PageFilters.Input("subject", "Subject", filter.Subject)}
              {PageFilters.Input("tool", "Tool", filter.Tool)}
              {Choice("outcome", "Outcome", Outcomes, filter.Outcome)}
              {Choice("surface", "Surface", Surfaces, filter.Surface)}
              {Choice("level", "Risk", Levels, filter.Level)}
              {PageFilters.Input("call", "Call id", filter.CallId)}
              {PageFilters.Input("trace", "Trace id", filter.TraceId)}
              <p class="go"><button>Search</button> <a class="button plain" href="audit">Clear</a></p>
            </form>
            """
        );

    // A value that the list does not have stays, so that the next search means the same.
    private static Html Choice(string name, string label, IEnumerable<string> values, string? chosen) =>
        Html.Of(
            $"""
            <p class="field"><label for="{name}">{label}</label>
                <select id="{name}" name="{name}"><option value="">All</option>{Html.Each(
                chosen is null ? values : values.Union([chosen]),
                value => Html.Of($"<option{PageFilters.Selected(value == chosen)}>{value}</option>")
            )}</select></p>
            """
        );

    private static Html Empty((string Name, string? Value)[] filters) =>
        filters.Any(filter => filter.Value is not null)
            ? Html.Of($"""<p>No entry matches. <a href="audit">Show everything</a></p>""")
            : Html.Of(
                $"""
                <p>No entries yet. <a href="connect">Connect a client</a> or <a href="tools">try a tool</a>: every call
                  is recorded here.</p>
                """
            );

    private static IEnumerable<(string Name, string? Value)> Filters(AuditFilter filter) =>
        [
            ("subject", filter.Subject),
            ("tool", filter.Tool),
            ("outcome", filter.Outcome),
            ("surface", filter.Surface),
            ("level", filter.Level),
            ("call", filter.CallId),
            ("trace", filter.TraceId),
            ("from", Second(filter.From)),
            ("to", Second(filter.To)),
            ("before", filter.Before?.ToString(CultureInfo.InvariantCulture)),
        ];

    private static string? Minute(long? time) => Utc(time, "yyyy-MM-dd'T'HH:mm");

    private static string? Second(long? time) => Utc(time, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    private static string? Utc(long? time, string format) =>
        time is { } at
            ? DateTimeOffset.FromUnixTimeMilliseconds(at).ToString(format, CultureInfo.InvariantCulture)
            : null;
}
