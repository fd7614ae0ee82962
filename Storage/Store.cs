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
    internal Task OpenAsync(CancellationToken cancellationToken) => OpenAsync(() => null, cancellationToken);

    /// <inheritdoc cref="OpenAsync(CancellationToken)"/>
    /// <param name="names">Asked for only when an older version wrote the store.</param>
    internal async Task OpenAsync(Func<ISubjectNames?> names, CancellationToken cancellationToken)
    {
        try
        {
            await _engine.OpenAsync(cancellationToken);
            const string Renamed = $"select value from meta where name = '{Subjects}'";
            var renamed = await _engine.ReadAsync(
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

    /// <summary>Whether a write would succeed now.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) =>
        WriteAsync(
            connection => connection.ExecuteAsync("update meta set value = value where name = 'schema'"),
            cancellationToken
        );

    /// <summary>
    /// Takes uses from each of the budgets, or none from any. A use counts for the budget's window after it, so no window of that length ever
    /// holds more uses than the limit.
    /// </summary>
    /// <param name="count">How many are wanted; fewer are given when fewer are left. 0 only asks whether there is one.</param>
    /// <returns>How many were taken; or the budget that is used up and when it has room again.</returns>
    public Task<(int Taken, UsedUp? UsedUp)> ConsumeBudgetsAsync(
        IReadOnlyList<Budget> budgets,
        long now,
        int count,
        CancellationToken cancellationToken
    ) =>
        WriteAsync<(int, UsedUp?)>(
            async connection =>
            {
                var taken = count;
                foreach (var budget in budgets.OrderBy(budget => budget.Name, StringComparer.Ordinal)) // in one order, so that two replicas cannot wait for each other
                {
                    // Holds the row until the transaction ends.
                    await connection.ExecuteAsync(
                        "insert into budgets (name, touched) values (@Name, @now) on conflict (name) do update set touched = @now",
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
                        return (0, new UsedUp(budget, (first ?? now) + now - over));
                    }

                    taken = (int)Math.Min(taken, budget.Limit - used);
                }

                foreach (var budget in taken > 0 ? budgets : [])
                {
                    await connection.ExecuteAsync(
                        "insert into budget_uses (name, at, uses) values (@Name, @at, @taken) on conflict (name, at) do update set uses = budget_uses.uses + @taken",
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

    /// <summary>True for exactly one of all who try. A token for another call is left alone, so that guessing spoils nothing.</summary>
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

    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}

/// <summary>
/// So many uses within a time, shared by everything that consumes the same name. Uses of a large budget are kept by slices of its window: each
/// counts until the last moment of its slice is a window ago, so the limit holds and there are never more than a hundred rows.
/// </summary>
public sealed record Budget(string Name, int Limit, TimeSpan Window)
{
    private const int Large = 1000;

    /// <summary>In milliseconds.</summary>
    public long Slice { get; } = Limit <= Large ? 1 : Math.Max(1, (long)Window.TotalMilliseconds / 100);

    public bool IsLarge => Limit > Large;

    public long SliceOf(long now) => now - (now % Slice);

    /// <summary>Slices that began then or before count no longer.</summary>
    public long OverAt(long now) => now - (long)Window.TotalMilliseconds - Slice + 1;
}

/// <summary>A budget without room, and when it has room again (milliseconds since 1970 UTC).</summary>
public sealed record UsedUp(Budget Budget, long Until);
