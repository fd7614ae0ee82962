using System.Data.Common;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>The store, in domain terms. Nothing else in the program contains SQL.</summary>
internal sealed partial class Store : IAsyncDisposable
{
    private readonly IDatabase _database;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Store(IDatabase database) => _database = database;

    static Store() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    public string Description => _database.Description;

    /// <summary>Opens the store. Operations that start earlier wait for it.</summary>
    internal Task OpenAsync(CancellationToken cancellationToken) => OpenAsync(() => null, cancellationToken);

    /// <inheritdoc cref="OpenAsync(CancellationToken)"/>
    /// <param name="names">Called only when an older version wrote the store.</param>
    internal async Task OpenAsync(Func<ISubjectMigration?> names, CancellationToken cancellationToken)
    {
        try
        {
            await _database.OpenAsync(cancellationToken);
            const string Renamed = $"select value from meta where name = '{Subjects}'";
            var renamed = await _database.ReadAsync(
                connection => Task.FromResult(connection.Run(Renamed)),
                cancellationToken
            );
            if (renamed is null && names() is { } known)
            {
                await RenameSubjectsAsync(known, cancellationToken);
            }

            _opened.TrySetResult();
        }
        catch (Exception failure)
        {
            _opened.TrySetException(failure);
            throw;
        }
    }

    /// <summary>Checks that a write succeeds.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) =>
        WriteAsync(
            connection => connection.ExecuteAsync("update meta set value = value where name = 'schema'"),
            cancellationToken
        );

    /// <summary>
    /// Takes uses from all budgets, or from none. A use counts for the length of the window, so no window ever holds
    /// more uses than the limit.
    /// </summary>
    /// <param name="count">The number of uses to take; fewer are taken when fewer are left. 0 only checks.</param>
    /// <returns>The number of uses taken; or the exhausted budget and when it has room again.</returns>
    public Task<(int Taken, ExhaustedBudget? UsedUp)> ConsumeBudgetsAsync(
        IReadOnlyList<Budget> budgets,
        long now,
        int count,
        CancellationToken cancellationToken
    ) =>
        WriteAsync<(int, ExhaustedBudget?)>(
            async connection =>
            {
                var taken = count;
                // in a fixed order, so that replicas cannot deadlock
                foreach (var budget in budgets.OrderBy(budget => budget.Name, StringComparer.Ordinal))
                {
                    // Locks the row until the transaction ends.
                    await connection.ExecuteAsync(
                        "insert into budgets (name, touched) values (@Name, @now) on conflict (name) do update set "
                            + "touched = @now",
                        new { budget.Name, now }
                    );
                    var over = budget.OverAt(now);
                    await connection.ExecuteAsync(
                        "delete from budget_uses where name = @Name and at <= @over",
                        new { budget.Name, over }
                    );
                    var (used, first) = await connection.QuerySingleAsync<(long, long?)>(
                        "select cast(coalesce(sum(uses), 0) as bigint), min(at) from budget_uses where name = @Name",
                        new { budget.Name }
                    );
                    if (used >= budget.Limit)
                    {
                        return (0, new ExhaustedBudget(budget, (first ?? now) + now - over));
                    }

                    taken = (int)Math.Min(taken, budget.Limit - used);
                }

                foreach (var budget in taken > 0 ? budgets : [])
                {
                    await connection.ExecuteAsync(
                        "insert into budget_uses (name, at, uses) values (@Name, @at, @taken) on conflict (name, at) "
                            + "do update set uses = budget_uses.uses + @taken",
                        new
                        {
                            budget.Name,
                            at = budget.SliceOf(now),
                            taken,
                        }
                    );
                }

                return (taken, null);
            },
            cancellationToken
        );

    /// <summary>The uses that count now, by budget, of those whose names begin so; the most used first.</summary>
    /// <param name="over">Uses of that time and before do not count any more.</param>
    public Task<IReadOnlyList<(string Name, long Uses)>> ReadBudgetUsesAsync(
        string prefix,
        long over,
        int limit,
        CancellationToken cancellationToken
    ) =>
        ReadAsync<IReadOnlyList<(string, long)>>(
            async connection =>
                (
                    await connection.QueryAsync<(string, long)>(
                        """
                        select budgets.name, cast(sum(budget_uses.uses) as bigint) as uses
                        from budgets join budget_uses on budget_uses.name = budgets.name
                        where budgets.touched > @over and substr(budgets.name, 1, length(@prefix)) = @prefix
                          and budget_uses.at > @over
                        group by budgets.name order by 2 desc, 1 limit @limit
                        """,
                        new
                        {
                            prefix,
                            over,
                            limit,
                        }
                    )
                ).AsList(),
            cancellationToken
        );

    public Task OpenConfirmationAsync(
        string tokenHash,
        string binding,
        long now,
        long expires,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("delete from confirmations where expires <= @now", new { now });
                return await connection.ExecuteAsync(
                    "insert into confirmations (token_hash, binding, expires) values (@tokenHash, @binding, @expires)",
                    new
                    {
                        tokenHash,
                        binding,
                        expires,
                    }
                );
            },
            cancellationToken
        );

    /// <summary>
    /// Returns true for exactly one of all attempts. A token of another call is not consumed, so guessing has no
    /// effect.
    /// </summary>
    public Task<bool> RedeemConfirmationAsync(
        string tokenHash,
        string binding,
        long now,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    "delete from confirmations where token_hash = @tokenHash and binding = @binding and expires > @now",
                    new
                    {
                        tokenHash,
                        binding,
                        now,
                    }
                ) == 1,
            cancellationToken
        );

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}

/// <summary>
/// A number of uses per time window, shared by everything that uses the name. Uses of a large budget are stored per
/// slice of its window: each counts until its slice is a window ago, so the limit holds with at most about a hundred
/// rows.
/// </summary>
internal sealed record Budget(string Name, int Limit, TimeSpan Window)
{
    private const int Large = 1000;

    /// <summary>In milliseconds.</summary>
    public long Slice { get; } = Limit <= Large ? 1 : Math.Max(1, (long)Window.TotalMilliseconds / 100);

    public bool IsLarge => Limit > Large;

    public long SliceOf(long now) => now - (now % Slice);

    /// <summary>Slices that began at this time or before no longer count.</summary>
    public long OverAt(long now) => now - (long)Window.TotalMilliseconds - Slice + 1;
}

/// <summary>An exhausted budget, and when it has room again (milliseconds since 1970 UTC).</summary>
internal sealed record ExhaustedBudget(Budget Budget, long Until);
