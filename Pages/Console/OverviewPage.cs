using System.Globalization;
using MinimalMcp.Governance;
using MinimalMcp.Hub;
using MinimalMcp.Monitoring;

namespace MinimalMcp.Pages.Console;

/// <summary>The first page of the console: what needs attention, figures, and charts of a time window.</summary>
internal static class OverviewPage
{
    private const int MaxRows = 8;

    private static readonly string[] Columns = ["Name", "Calls", "Errors", "Refusals", "p95"];

    public static async Task GetAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var window =
            http.Request.Query["window"].ToString() is var asked && MetricsSummary.Windows.Contains(asked)
                ? asked
                : "1h";
        var usage = await services.GetRequiredService<MetricsSummary>().ReadAsync(window, http.RequestAborted);
        var approvals = (await services.GetRequiredService<Approvals>().ListAsync(http.RequestAborted)).Count;
        var sessions = await services.GetRequiredService<SessionList>().ReadAsync(http.RequestAborted);
        var attention = await OverviewAttention.ReadAsync(services, usage, approvals, http.RequestAborted);
        var console = ConsolePage.Root(http) + "console/";
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <div id="overview" data-live="15000">
                      {Attention(attention, console)}
                      <dl class="figures">{Html.Each(Figures(services, usage, approvals, sessions), one =>
                        Figure(one, console))}</dl>
                      {(usage.Series.Count == 0 ? Html.Of($"""
                        <div class="empty"><p>Nothing was measured yet. <a href="{console}connect">Connect a client</a>
                          and call a tool, or <a href="{console}tools">try one</a>.</p></div>
                        """) : Charts(usage))}
                      <div class="columns">
                        {Top("Tools", $"{console}tools", usage.Tools, "No tool was called in this time.")}
                        {Top("Clients", $"{console}sessions", usage.Clients, "No client called in this time.")}
                      </div>
                    </div>
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"All replicas together; sessions, servers, memory and processors are those of this one."
                ),
                Actions = Html.Of(
                    $"""
                    <nav class="windows" aria-label="Time window"><ul>{Html.Each(MetricsSummary.Windows, one =>
                        Window(one, one == window))}</ul></nav>
                    """
                ),
                Files = ["pages.css", "charts.js"],
            }
        );
    }

    private static Html Attention(IReadOnlyList<AttentionItem> items, string console) =>
        Html.Of(
            $"""
            <section class="attention" aria-labelledby="attention">
              <h2 id="attention">Needs attention</h2>
              {(items.Count == 0
                ? Html.Of($"""<p class="calm">{ConsoleTable.State("good", "fine")} Nothing needs attention.</p>""")
                : Html.Of($"""<ul>{Html.Each(items, item => Item(item, console))}</ul>"""))}
            </section>
            """
        );

    private static Html Item(AttentionItem item, string console) =>
        Html.Of(
            $"""
            <li>{(item.IsUrgent
                ? ConsoleTable.State("bad", "problem")
                : ConsoleTable.State("warn", "waiting"))} <span>{item.Text}</span> <a href="{console}{item.Page}">{
                item.Action
            }</a></li>
            """
        );

    private static Html Window(string window, bool isCurrent) =>
        Html.Of(
            $"""
            <li><a href="?window={window}"{Html.When(isCurrent, () => Html.Of($" aria-current=\"true\""))}>{InWords(
                window
            )}</a></li>
            """
        );

    private static string InWords(string window) =>
        window switch
        {
            "15m" => "15 min",
            "1h" => "1 hour",
            "24h" => "24 hours",
            "7d" => "7 days",
            _ => window,
        };

    private sealed record Figured(string Name, string Value, string? More, string Page, Html? Line = null);

    private static IEnumerable<Figured> Figures(
        IServiceProvider services,
        UsageSummary usage,
        int approvals,
        IReadOnlyList<SessionView> sessions
    )
    {
        var total = usage.Total;
        var registry = services.GetRequiredService<ServerRegistry>().Current;
        var up = registry.Count(server =>
            services.GetRequiredService<Supervisor>().State(server.Id).Status is ServerStatus.Active
        );
        var process = services.GetRequiredService<UsageWriter>().ProcessNow();
        yield return new(
            "Calls",
            Count(total.Calls),
            null,
            "activity?type=tool_called",
            Line(usage, "calls", one => one.Calls)
        );
        yield return new(
            "Errors",
            Count(total.Errors),
            Share(total.Errors, total.Calls),
            "activity?type=error_occurred",
            Line(usage, "errors", one => one.Errors)
        );
        yield return new(
            "Refusals",
            Count(total.Refusals),
            Share(total.Refusals, total.Calls),
            "activity?type=error_occurred",
            Line(usage, "refusals", one => one.Refusals)
        );
        yield return new(
            "Latency p95",
            total.P95Ms is { } p95 ? Chart.Show(p95 / 1000, "s") : "–",
            null,
            "tools",
            Line(usage, "p95", one => one.P95Ms ?? double.NaN)
        );
        yield return new("Active sessions", Count(sessions.Count(one => one.IsActive)), null, "sessions");
        yield return new("Servers up", $"{up} of {registry.Count}", null, "servers");
        yield return new("Pending approvals", Count(approvals), null, "approvals");
        yield return new(
            "Memory",
            Chart.Show(process.MemoryBytes, "B"),
            null,
            "diagnostics",
            Line(usage, "memory", one => one.MemoryBytes ?? double.NaN)
        );
        yield return new(
            "CPU",
            process.CpuPercent.ToString("0.#", CultureInfo.InvariantCulture) + "%",
            null,
            "diagnostics",
            Line(usage, "cpu", one => one.CpuPercent ?? double.NaN)
        );
    }

    private static Html Figure(Figured one, string console) =>
        Html.Of(
            $"""
            <div><dt><a href="{console}{one.Page}">{one.Name}</a></dt><dd><strong>{one.Value}</strong>{Html.When(
                one.More is not null,
                () => Html.Of($" <span>{one.More}</span>")
            )}{one.Line ?? Html.Of($"")}</dd></div>
            """
        );

    private static Html Line(UsageSummary usage, string color, Func<UsagePoint, double> value) =>
        Chart.Sparkline([.. usage.Series.Select(value)], color);

    private static Html Charts(UsageSummary usage)
    {
        DateTimeOffset[] times = [.. usage.Series.Select(point => point.At)];
        var step = times.Length > 1 ? times[1] - times[0] : usage.To - usage.From;
        ChartSeries Of(string name, string color, Func<UsagePoint, double> value) =>
            new(name, color, [.. usage.Series.Select(value)]);
        Chart calls = new(
            $"Calls per {Step(step)}",
            "",
            times,
            step,
            [
                Of("Completed", "calls", one => Math.Max(0, one.Calls - one.Errors - one.Refusals)),
                Of("Refused", "refusals", one => one.Refusals),
                Of("Failed", "errors", one => one.Errors),
            ],
            Stacked: true
        );
        Chart latency = new(
            "Latency of calls",
            "s",
            times,
            step,
            [
                Of("p50", "p50", one => one.P50Ms / 1000 ?? double.NaN),
                Of("p95", "p95", one => one.P95Ms / 1000 ?? double.NaN),
                Of("p99", "p99", one => one.P99Ms / 1000 ?? double.NaN),
            ]
        );
        Chart errors = new(
            $"Errors, refusals and failed sign-ins per {Step(step)}",
            "",
            times,
            step,
            [
                Of("Failed calls", "errors", one => one.Errors),
                Of("Refused calls", "refusals", one => one.Refusals),
                Of("Failed sign-ins", "signins", one => one.SignInFailures),
            ],
            Stacked: true
        );
        return Html.Of(
            $"""<div class="charts">{calls.Render("calls")}{latency.Render("latency")}{errors.Render("errors")}</div>"""
        );
    }

    private static Html Top(string title, string page, IReadOnlyList<UsageRow> rows, string empty) =>
        Html.Of(
            $"""
            <section>
              <h2>{title} by calls</h2>
              {ConsoleTable.Of(
                $"{title} by calls",
                Columns,
                [.. rows.Take(MaxRows)],
                Cells,
                Html.Of($"<p>{empty}</p>")
            )}
              <p><a href="{page}">All {title.ToLowerInvariant()}</a></p>
            </section>
            """
        );

    private static Html[] Cells(UsageRow row) =>
        [
            Html.Of($"<code>{row.Name}</code>"),
            Html.Of($"{Count(row.Calls)}"),
            Html.Of($"{Count(row.Errors)}"),
            Html.Of($"{Count(row.Refusals)}"),
            Html.Of($"{(row.P95Ms is { } p95 ? Chart.Show(p95 / 1000, "s") : "–")}"),
        ];

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string? Share(long part, long of) =>
        part == 0 || of == 0 ? null : ((double)part / of).ToString("P1", CultureInfo.InvariantCulture);

    private static string Step(TimeSpan step) =>
        step.TotalMinutes switch
        {
            < 1 => $"{step.TotalSeconds:0} seconds",
            1 => "minute",
            < 60 => $"{step.TotalMinutes:0} minutes",
            60 => "hour",
            < 1440 => $"{step.TotalHours:0} hours",
            _ => "day",
        };
}
