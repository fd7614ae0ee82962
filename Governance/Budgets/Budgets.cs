using System.Collections.Concurrent;
using System.Globalization;
using MinimalMcp.Auth;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Call budgets per caller. Counted in the store, so that replicas share them and restarts keep them.
/// </summary>
internal sealed class Budgets(Store store, TimeProvider time)
{
    private const int MaxShown = 50; // callers of one budget

    private readonly ConcurrentDictionary<(ToolPolicy, string), (Budget[], BudgetLease?)> _accounts = new();
    private readonly ConcurrentDictionary<string, BudgetLease> _leases = new(StringComparer.Ordinal);

    /// <summary>
    /// Takes one call from each budget of the tool, or throws a refusal with the limit and the time of the next
    /// possible call.
    /// </summary>
    /// <param name="spend">False only checks, for a call that will not run yet.</param>
    public async ValueTask RequireAsync(
        string tool,
        ToolPolicy policy,
        Caller caller,
        bool spend,
        CancellationToken cancellationToken
    )
    {
        if (policy.Budgets.Count == 0)
        {
            return;
        }

        var now = time.GetUtcNow();
        var milliseconds = now.ToUnixTimeMilliseconds();
        var (budgets, lease) = _accounts.GetOrAdd((policy, caller.Subject), Open);
        var usedUp =
            spend && lease is not null
                ? await lease.TakeAsync(store, budgets, milliseconds, cancellationToken)
                : (await store.ConsumeBudgetsAsync(budgets, milliseconds, spend ? 1 : 0, cancellationToken)).UsedUp;
        if (usedUp is not { } full)
        {
            return;
        }

        var name = full.Budget.Name[..^(caller.Subject.Length + 1)].Replace('/', ' ');
        var until = DateTimeOffset.FromUnixTimeMilliseconds(full.Until);
        throw new ToolRefusedException(
            Refusal.Budget,
            $"{tool} was not called: {name} allows {full.Budget.Limit} calls per "
                + $"{CallLimit.Unit(full.Budget.Window)}, and all are used. The next call is possible at "
                + $"{until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC, in "
                + $"{Math.Max(1, (long)Math.Ceiling((until - now).TotalSeconds))} seconds."
        )
        {
            RetryAfter = until - now,
        };
    }

    /// <summary>
    /// Who has used most of each budget now, the fullest first. Shares of large budgets count as used when they are
    /// taken.
    /// </summary>
    public async Task<IReadOnlyList<BudgetUse>> ReadAsync(
        IEnumerable<CallLimit> limits,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var uses = new List<BudgetUse>();
        foreach (var limit in limits.Where(limit => limit.Calls > 0).DistinctBy(limit => limit.Name))
        {
            var over = new Budget(limit.Name, limit.Calls, limit.Window).OverAt(now);
            var used = await store.ReadBudgetUsesAsync(limit.Name + "/", over, MaxShown, cancellationToken);
            uses.AddRange(used.Select(one => new BudgetUse(limit, one.Name[(limit.Name.Length + 1)..], one.Uses)));
        }

        return [.. uses.OrderByDescending(use => use.Share)];
    }

    // Tools of one level and family share the lease of a large budget, as they share the budget.
    private (Budget[], BudgetLease?) Open((ToolPolicy Policy, string Subject) account)
    {
        Budget[] budgets =
        [
            .. account.Policy.Budgets.Select(limit => new Budget(
                $"{limit.Name}/{account.Subject}",
                limit.Calls,
                limit.Window
            )),
        ];
        return (
            budgets,
            budgets.All(budget => budget.IsLarge)
                ? _leases.GetOrAdd(string.Join('+', budgets.Select(budget => budget.Name)), _ => new())
                : null
        );
    }
}

/// <summary>How much of a budget one caller has used.</summary>
internal sealed record BudgetUse(CallLimit Limit, string Subject, long Used)
{
    /// <summary>From 0 to 1.</summary>
    public double Share => (double)Used / Limit.Calls;
}
