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
            $"{tool} was not called: {name} allows {full.Budget.Limit} calls per {Unit(full.Budget.Window)}, and "
                + "all are used. The next call is possible at "
                + $"{until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC, in "
                + $"{Math.Max(1, (long)Math.Ceiling((until - now).TotalSeconds))} seconds."
        )
        {
            RetryAfter = until - now,
        };
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

    private static string Unit(TimeSpan window) =>
        window.TotalSeconds switch
        {
            1 => "second",
            60 => "minute",
            3600 => "hour",
            _ => "day",
        };
}
