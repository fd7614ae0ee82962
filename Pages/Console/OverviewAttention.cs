using MinimalMcp.Governance;
using MinimalMcp.Hub;
using MinimalMcp.Monitoring;
using MinimalMcp.Tools;

namespace MinimalMcp.Pages.Console;

/// <summary>Something that an operator should look at.</summary>
/// <param name="IsUrgent">Something does not work; otherwise somebody waits, or will.</param>
/// <param name="Page">Where one acts, below the console.</param>
/// <param name="Action">The text of the link.</param>
internal sealed record AttentionItem(bool IsUrgent, string Text, string Page, string Action);

/// <summary>What needs attention now, the urgent first. Reads memory, and a few bounded rows of the store.</summary>
internal static class OverviewAttention
{
    private const double NearlySpent = 0.8;
    private const int ManyFailures = 5; // sign-ins in a window: one may mistype a key
    private const int MaxOfKind = 5;

    public static async Task<IReadOnlyList<AttentionItem>> ReadAsync(
        IServiceProvider services,
        UsageSummary usage,
        int approvals,
        CancellationToken cancellationToken
    )
    {
        var tools = services.GetRequiredService<ToolRegistry>().Current.All;
        var budgets = await services
            .GetRequiredService<Budgets>()
            .ReadAsync(tools.SelectMany(tool => tool.Budgets), cancellationToken);
        return [.. Servers(services), .. Approvals(approvals), .. SignIns(usage), .. Budgets(budgets)];
    }

    private static AttentionItem[] Servers(IServiceProvider services)
    {
        var (registry, supervisor) = (
            services.GetRequiredService<ServerRegistry>(),
            services.GetRequiredService<Supervisor>()
        );
        var joined = services.GetRequiredService<JoinedTools>();
        var items = new List<AttentionItem>();
        foreach (var server in registry.Current.Where(server => server.Wanted))
        {
            var state = supervisor.State(server.Id);
            if (state.Status is ServerStatus.NeedsSignIn)
            {
                items.Add(new(true, $"Server {server.Name} needs a sign-in.", "servers", "Sign in"));
            }
            else if (
                state.Status is ServerStatus.Error
                || (state.Status is ServerStatus.Starting && state.Reason is not null)
            )
            {
                items.Add(
                    new(
                        true,
                        $"Server {server.Name} is down: {TextLimit.Cut(state.Reason ?? "no reason is known", 200)}",
                        "servers",
                        "Look at it"
                    )
                );
            }

            if (joined.Tools(server.Id)?.Count(tool => tool.Replaces is not null) is > 0 and var withheld)
            {
                items.Add(
                    new(
                        false,
                        $"Server {server.Name} changed the definition of {Count(withheld, "tool")}. "
                            + $"{(withheld == 1 ? "It is" : "They are")} withheld until you approve.",
                        "servers",
                        "Compare"
                    )
                );
            }
        }

        return Some(items.OrderByDescending(item => item.IsUrgent), "server", "servers");
    }

    private static IEnumerable<AttentionItem> Approvals(int count) =>
        count == 0
            ? []
            :
            [
                new(
                    false,
                    $"{Count(count, "call")} {(count == 1 ? "awaits" : "await")} approval.",
                    "approvals",
                    "Decide"
                ),
            ];

    private static IEnumerable<AttentionItem> SignIns(UsageSummary usage)
    {
        if (usage.SignIns.Failed < ManyFailures)
        {
            return [];
        }

        var reasons = usage.SignIns.Reasons.OrderByDescending(reason => reason.Count).Take(3);
        return
        [
            new(
                true,
                $"{usage.SignIns.Failed} sign-ins failed"
                    + (
                        usage.SignIns.Reasons.Count == 0
                            ? "."
                            : $": {string.Join(", ", reasons.Select(one => $"{one.Reason} {one.Count}"))}."
                    ),
                "diagnostics",
                "See the requests"
            ),
        ];
    }

    private static AttentionItem[] Budgets(IReadOnlyList<BudgetUse> uses) =>
        Some(
            uses.Where(use => use.Share >= NearlySpent)
                .Select(use => new AttentionItem(
                    use.Share >= 1,
                    $"{use.Subject} has used {use.Used} of {use.Limit.InWords} ({Kind(use.Limit.Name)}).",
                    $"audit?subject={Uri.EscapeDataString(use.Subject)}",
                    "See the calls"
                )),
            "budget",
            "tools"
        );

    // Many of one kind must not hide the others.
    private static AttentionItem[] Some(IEnumerable<AttentionItem> items, string kind, string page)
    {
        var all = items.ToArray();
        return all.Length <= MaxOfKind
            ? all
            :
            [
                .. all.Take(MaxOfKind - 1),
                new(
                    all.Skip(MaxOfKind - 1).Any(item => item.IsUrgent),
                    $"{all.Length - MaxOfKind + 1} more about {kind}s.",
                    page,
                    "See all"
                ),
            ];
    }

    // level/HIGH: risk HIGH; group/docker: family docker.
    private static string Kind(string limit) =>
        limit.Split('/', 2) is [var kind, var name] ? $"{(kind == "level" ? "risk" : "family")} {name}" : limit;

    private static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";
}
