using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// A piece of a large budget, so that not every call asks the store. It was counted as used when it was taken, and is
/// good for the slice of time that it was taken in: what is called with it is never more than the budget allows.
/// </summary>
internal sealed class BudgetLease : IDisposable
{
    private const int OneIn = 1000;

    private readonly SemaphoreSlim _refilling = new(1);
    private long _until;
    private int _left;

    /// <summary>Null when the call may happen.</summary>
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

        // One asks and the others wait for what it gets; if each asked, pieces would lie about while callers are
        // refused.
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
            Volatile.Write(ref _left, taken - 1); // one is for this call
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
