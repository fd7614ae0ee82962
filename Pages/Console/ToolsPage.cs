using System.Globalization;
using MinimalMcp.Governance;
using MinimalMcp.Monitoring;
using MinimalMcp.Tools;

namespace MinimalMcp.Pages.Console;

/// <summary>Tools: what this server offers, how it is used, and one of them with a form to try it.</summary>
internal static class ToolsPage
{
    private const int ErrorsRead = 200;

    private static readonly string[] Columns =
    [
        "Tool",
        "Family",
        "Effect",
        "Risk",
        "Budget used",
        "Calls in 24 h",
        "Last error",
    ];

    public static Task GetAsync(HttpContext http) =>
        http.Request.Query["tool"] is [{ Length: > 0 } name, ..] ? OneAsync(http, name) : ListAsync(http);

    private static async Task ListAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var all = services.GetRequiredService<ToolRegistry>().Current.All;
        var family = http.Request.Query["family"].ToString().Trim();
        var search = http.Request.Query["q"].ToString().Trim();
        Tool[] tools =
        [
            .. all.Where(tool =>
                (family.Length == 0 || tool.Family == family)
                && (
                    tool.Name.Contains(search, StringComparison.OrdinalIgnoreCase)
                    || tool.Description.Contains(search, StringComparison.OrdinalIgnoreCase)
                )
            ),
        ];
        var usage = await services.GetRequiredService<MetricsSummary>().ReadAsync("24h", http.RequestAborted);
        var calls = usage.Tools.GroupBy(row => row.Name).ToDictionary(row => row.Key, row => row.First());
        var budgets = await services
            .GetRequiredService<Budgets>()
            .ReadAsync(tools.SelectMany(tool => tool.Budgets), http.RequestAborted);
        var errors = await ErrorsAsync(services, http.RequestAborted);
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <form class="filters" method="get" action="tools">
                      {PageFilters.Input("q", "Name or description", search, "search")}
                      <p class="field"><label for="family">Family</label>
                        <select id="family" name="family"><option value="">All</option>{Html.Each(
                        all.Select(tool => tool.Family).Distinct().Order(StringComparer.Ordinal),
                        one => Html.Of(
                            $"""<option value="{one}"{PageFilters.Selected(one == family)}>{one}</option>"""
                        )
                    )}</select></p>
                      <p class="go"><button>Filter</button> <a class="button plain" href="tools">Clear</a></p>
                    </form>
                    {ConsoleTable.Of(
                        "Tools",
                        Columns,
                        tools,
                        tool => Cells(tool, calls, budgets, errors),
                        all.Count == 0
                            ? Html.Of(
                                $"""
                                <p>No tools yet. <a href="servers">Register a server</a>, configure a family, or add a
                                  class with <code>[McpServerToolType]</code>.</p>
                                """
                            )
                            : Html.Of($"""<p>No tool matches. <a href="tools">Show all</a></p>"""),
                        tool => $"tool-{tool.Name}"
                    )}
                    """
                )
            )
            {
                Lead = Html.Of($"{all.Count} {(all.Count == 1 ? "tool" : "tools")}. Open one to try it."),
                Files = ["pages.css"],
            }
        );
    }

    private static Html[] Cells(
        Tool tool,
        Dictionary<string, UsageRow> calls,
        IReadOnlyList<BudgetUse> budgets,
        Dictionary<string, ActivityEvent> errors
    ) =>
        [
            Html.Of($"""<a href="tools?tool={Uri.EscapeDataString(tool.Name)}"><code>{tool.Name}</code></a>"""),
            Html.Of($"{tool.Family}"),
            Html.Of($"{InWords(tool.Effect)}"),
            Risk(tool),
            Budget(tool, budgets),
            Html.Of($"{CallsOf(tool, calls).ToString("N0", CultureInfo.InvariantCulture)}"),
            LastError(tool, errors),
        ];

    private static long CallsOf(Tool tool, Dictionary<string, UsageRow> calls) =>
        calls.GetValueOrDefault(tool.AuditName)?.Calls ?? 0;

    private static async Task OneAsync(HttpContext http, string name)
    {
        var services = http.RequestServices;
        if (services.GetRequiredService<ToolRegistry>().Current.Find(name) is not { } tool)
        {
            await ConsolePage.NotFoundAsync(http, "There is no tool of that name. It may have left with its server.");
            return;
        }

        var usage = await services.GetRequiredService<MetricsSummary>().ReadAsync("24h", http.RequestAborted);
        var budgets = await services.GetRequiredService<Budgets>().ReadAsync(tool.Budgets, http.RequestAborted);
        var errors = await ErrorsAsync(services, http.RequestAborted);
        var row = usage.Tools.FirstOrDefault(one => one.Name == tool.AuditName);
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <dl class="facts">
                      <dt>Family</dt><dd>{tool.Family}</dd>
                      <dt>Effect</dt><dd>{InWords(tool.Effect)}</dd>
                      <dt>Risk</dt><dd>{Risk(tool)}</dd>
                      <dt>Scope</dt><dd><code>{tool.Scope}</code></dd>
                      <dt>Before a call</dt><dd>{(
                        tool.NeedsApproval ? "approval by another person"
                        : tool.NeedsConfirmation ? "confirmation"
                        : "nothing"
                    )}</dd>
                      <dt>Budget used</dt><dd>{Budget(tool, budgets)}</dd>
                      <dt>Calls in 24 h</dt><dd><a href="audit?tool={Uri.EscapeDataString(tool.AuditName)}">{(
                        row?.Calls ?? 0
                    ).ToString("N0", CultureInfo.InvariantCulture)}</a></dd>
                      <dt>Last error</dt><dd>{LastError(tool, errors)}</dd>
                    </dl>
                    <p class="description">{tool.Description}</p>
                    {ToolForm.Of(tool)}
                    """
                )
            )
            {
                Title = tool.Name,
                Parent = ("console/tools", "Tools"),
                Files = ["pages.css", "tools.js"],
            }
        );
    }

    // The newest error of each tool among the latest errors: as many reads as there are tools would be too many.
    private static async Task<Dictionary<string, ActivityEvent>> ErrorsAsync(
        IServiceProvider services,
        CancellationToken cancellationToken
    )
    {
        var errors = await services
            .GetRequiredService<ActivityLog>()
            .ReadAsync(new(ActivityTypes.ErrorOccurred, Limit: ErrorsRead), cancellationToken);
        return errors
            .Events.Where(one => one.Metadata.ContainsKey("tool"))
            .GroupBy(one => one.Metadata["tool"])
            .ToDictionary(one => one.Key, one => one.First());
    }

    private static Html LastError(Tool tool, Dictionary<string, ActivityEvent> errors)
    {
        if ((errors.GetValueOrDefault(tool.AuditName) ?? errors.GetValueOrDefault(tool.Name)) is not { } error)
        {
            return Html.Of($"""<span class="quiet">–</span>""");
        }

        var address = error.Metadata.TryGetValue("call_id", out var call)
            ? $"audit?call={Uri.EscapeDataString(call)}"
            : PageFilters.Address("audit", ("tool", tool.AuditName));
        return ConsoleTable.Cell(
            Html.Of($"""<a href="{address}">{ConsoleTable.Time(error.CreatedAt)}</a>"""),
            TextLimit.Cut(error.Description ?? error.Title, 120)
        );
    }

    private static Html Risk(Tool tool) =>
        ConsoleTable.State(
            tool.Risk switch
            {
                "LOW" => "good",
                "MEDIUM" => "idle",
                "HIGH" => "warn",
                _ => "bad",
            },
            tool.Risk
        );

    // Each caller has a budget: the one who used most of it is shown.
    private static Html Budget(Tool tool, IReadOnlyList<BudgetUse> uses) =>
        tool.Budgets.Count == 0
            ? Html.Of($"""<span class="quiet">no limit</span>""")
            : Html.Of($"<div>{Html.Each(tool.Budgets, limit => Used(limit, uses))}</div>");

    private static Html Used(CallLimit limit, IReadOnlyList<BudgetUse> uses) =>
        uses.FirstOrDefault(use => use.Limit.Name == limit.Name) is { } most
            ? Html.Of(
                $"""
                <span class="budget"><meter min="0" max="{limit.Calls}" value="{most.Used}" high="{(
                    limit.Calls * 4 / 5
                )}" aria-label="Budget used by {most.Subject}"></meter> {most.Used} of {limit.InWords} by {
                    most.Subject
                }</span>
                """
            )
            : Html.Of($"""<span class="budget">0 of {limit.InWords}</span>""");

    private static string InWords(Effect effect) =>
        effect switch
        {
            Effect.Read => "read",
            Effect.Write => "write",
            _ => "destroy",
        };
}
