using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// A share of a large budget, so that not every call accesses the store. It is counted as used when it is taken and is
/// valid for one time slice, so calls never exceed the budget.
/// </summary>
internal sealed class BudgetLease : IDisposable
{
    private const int OneIn = 1000;

    private readonly SemaphoreSlim _refilling = new(1);
    private long _until;
    private int _left;

    /// <summary>Returns null when the call may run.</summary>
    public async ValueTask<ExhaustedBudget?> TakeAsync(
        Store store,
        Budget[] budgets,
        long now,
        CancellationToken cancellationToken
    )
    {
        if (TryTake(now))
        {
            return null;
        }

        // One caller refills and the others wait for the result; otherwise shares would be held unused while callers
        // are refused.
        await _refilling.WaitAsync(cancellationToken);
        try
        {
            if (TryTake(now))
            {
                return null;
            }

            var (taken, usedUp) = await store.ConsumeBudgetsAsync(
                budgets,
                now,
                budgets.Min(budget => budget.Limit) / OneIn,
                cancellationToken
            );
            Volatile.Write(ref _until, budgets.Min(budget => budget.SliceOf(now) + budget.Slice));
            Volatile.Write(ref _left, taken - 1); // one is used by this call
            return usedUp;
        }
        finally
        {
            _refilling.Release();
        }
    }

    public void Dispose() => _refilling.Dispose();

    private bool TryTake(long now) => now < Volatile.Read(ref _until) && Interlocked.Decrement(ref _left) >= 0;
}
