using System.Data.Common;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>What is kept, in the words of those who keep it. Nothing else in the program contains SQL.</summary>
public sealed partial class Store : IAsyncDisposable
{
    private readonly IEngine _engine;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Store(IEngine engine) => _engine = engine;

    static Store() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    public string Description => _engine.Description;

    /// <summary>Whoever needs the store before it is open waits for it.</summary>
    internal async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _engine.OpenAsync(cancellationToken);
            _opened.TrySetResult();
        }
        catch (Exception failure)
        {
            _opened.TrySetException(failure);
            throw;
        }
    }

    /// <summary>Whether a write would succeed now.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => WriteAsync(
        connection => connection.ExecuteAsync("update meta set value = value where name = 'schema'"), cancellationToken);

    /// <summary>
    /// Takes one use from each of the budgets, or none from any. A use counts for the budget's window after it, so no window of that length ever
    /// holds more uses than the limit.
    /// </summary>
    /// <param name="spend">False only asks.</param>
    /// <returns>The budget that is used up and when it has room again; null when the call may happen.</returns>
    public Task<UsedUp?> TryConsumeBudgetsAsync(IReadOnlyList<Budget> budgets, long now, bool spend, CancellationToken cancellationToken) => WriteAsync<UsedUp?>(async connection =>
    {
        foreach (var budget in budgets.OrderBy(budget => budget.Name, StringComparer.Ordinal)) // in one order, so that two replicas cannot wait for each other
        {
            // Holds the row until the transaction ends.
            await connection.ExecuteAsync("insert into budgets (name, touched) values (@Name, @now) on conflict (name) do update set touched = @now", new { budget.Name, now });
            var since = now - (long)budget.Window.TotalMilliseconds;
            await connection.ExecuteAsync("delete from budget_uses where name = @Name and at <= @since", new { budget.Name, since });
            var (used, first) = await connection.QuerySingleAsync<(long, long?)>("select count(*), min(at) from budget_uses where name = @Name", new { budget.Name });
            if (used >= budget.Limit)
            {
                return new UsedUp(budget, (first ?? now) + (long)budget.Window.TotalMilliseconds);
            }
        }

        if (spend)
        {
            var id = Guid.NewGuid().ToString("N");
            foreach (var budget in budgets)
            {
                await connection.ExecuteAsync("insert into budget_uses (name, id, at) values (@Name, @id, @now)", new { budget.Name, id, now });
            }
        }

        return null;
    }, cancellationToken);

    public Task OpenConfirmationAsync(string tokenHash, string binding, long now, long expires, CancellationToken cancellationToken) => WriteAsync(async connection =>
    {
        await connection.ExecuteAsync("delete from confirmations where expires <= @now", new { now });
        return await connection.ExecuteAsync("insert into confirmations (token_hash, binding, expires) values (@tokenHash, @binding, @expires)", new { tokenHash, binding, expires });
    }, cancellationToken);

    /// <summary>True for exactly one of all who try. A token for another call is left alone, so that guessing spoils nothing.</summary>
    public Task<bool> RedeemConfirmationAsync(string tokenHash, string binding, long now, CancellationToken cancellationToken) => WriteAsync(async connection =>
        await connection.ExecuteAsync("delete from confirmations where token_hash = @tokenHash and binding = @binding and expires > @now", new { tokenHash, binding, now }) == 1, cancellationToken);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    private async Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await _opened.Task;
        return await _engine.WriteAsync(work, cancellationToken);
    }

    private async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await _opened.Task;
        return await _engine.ReadAsync(work, cancellationToken);
    }
}

/// <summary>So many uses within a time, shared by everything that consumes the same name.</summary>
public sealed record Budget(string Name, int Limit, TimeSpan Window);

/// <summary>A budget without room, and when it has room again (milliseconds since 1970 UTC).</summary>
public sealed record UsedUp(Budget Budget, long Until);
