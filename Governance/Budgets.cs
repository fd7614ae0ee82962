using System.Collections.Concurrent;
using System.Globalization;
using MinimalMcp.Auth;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>How often a caller may call. Counted in the store, so that replicas count together and a restart forgets nothing.</summary>
public sealed class Budgets(Store store, TimeProvider time)
{
    private readonly ConcurrentDictionary<(Policy, string), (Budget[], Lease?)> _accounts = new();
    private readonly ConcurrentDictionary<string, Lease> _leases = new(StringComparer.Ordinal);

    /// <summary>Takes one call from each budget of the tool, or refuses with the limit and when it has room again.</summary>
    /// <param name="spend">False only looks, for a call that will not be done yet.</param>
    public async ValueTask RequireAsync(
        string tool,
        Policy policy,
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
            $"{tool} was not called: {name} allows {full.Budget.Limit} calls per {Unit(full.Budget.Window)}, and they are used up. "
                + $"The next one is possible at {until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC, in {Math.Max(1, (long)Math.Ceiling((until - now).TotalSeconds))} seconds."
        )
        {
            RetryAfter = until - now,
        };
    }

    // Tools of one level and family share the piece of a large budget, as they share the budget.
    private (Budget[], Lease?) Open((Policy Policy, string Subject) account)
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
