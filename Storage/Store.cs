using System.Data.Common;
using System.Globalization;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>What is kept, in the words of those who keep it. Nothing else in the program contains SQL.</summary>
public sealed class Store : IAsyncDisposable
{
    private readonly IEngine _engine;

    internal Store(IEngine engine) => _engine = engine;

    static Store() => DefaultTypeMap.MatchNamesWithUnderscores = true;

    public string Description => _engine.Description;

    internal Task OpenAsync(CancellationToken cancellationToken) => _engine.OpenAsync(cancellationToken);

    /// <summary>Whether a write would succeed now.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => _engine.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync("update meta set value = value where name = 'schema'", transaction: transaction), cancellationToken);

    /// <summary>
    /// Takes one use from each of the budgets, or none from any. A use counts for the budget's window after it, so no window of that length ever
    /// holds more uses than the limit.
    /// </summary>
    /// <param name="spend">False only asks.</param>
    /// <returns>The budget that is used up and when it has room again; null when the call may happen.</returns>
    public Task<UsedUp?> TryConsumeBudgetsAsync(IReadOnlyList<Budget> budgets, long now, bool spend, CancellationToken cancellationToken) => _engine.WriteAsync<UsedUp?>(async (connection, transaction) =>
    {
        foreach (var budget in budgets.OrderBy(budget => budget.Name, StringComparer.Ordinal)) // in one order, so that two replicas cannot wait for each other
        {
            // Holds the row until the transaction ends.
            await connection.ExecuteAsync("insert into budgets (name, touched) values (@Name, @now) on conflict (name) do update set touched = @now", new { budget.Name, now }, transaction);
            var since = now - (long)budget.Window.TotalMilliseconds;
            await connection.ExecuteAsync("delete from budget_uses where name = @Name and at <= @since", new { budget.Name, since }, transaction);
            var (used, first) = await connection.QuerySingleAsync<(long, long?)>("select count(*), min(at) from budget_uses where name = @Name", new { budget.Name }, transaction);
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
                await connection.ExecuteAsync("insert into budget_uses (name, id, at) values (@Name, @id, @now)", new { budget.Name, id, now }, transaction);
            }
        }

        return null;
    }, cancellationToken);

    public Task OpenConfirmationAsync(string tokenHash, string binding, long now, long expires, CancellationToken cancellationToken) => _engine.WriteAsync(async (connection, transaction) =>
    {
        await connection.ExecuteAsync("delete from confirmations where expires <= @now", new { now }, transaction);
        return await connection.ExecuteAsync("insert into confirmations (token_hash, binding, expires) values (@tokenHash, @binding, @expires)", new { tokenHash, binding, expires }, transaction);
    }, cancellationToken);

    /// <summary>True for exactly one of all who try. A token for another call is left alone, so that guessing spoils nothing.</summary>
    public Task<bool> RedeemConfirmationAsync(string tokenHash, string binding, long now, CancellationToken cancellationToken) => _engine.WriteAsync(async (connection, transaction) =>
        await connection.ExecuteAsync("delete from confirmations where token_hash = @tokenHash and binding = @binding and expires > @now", new { tokenHash, binding, now }, transaction) == 1, cancellationToken);

    /// <summary>Appends rows to the end of the chain; their numbers and hashes are made here.</summary>
    public Task<int> AppendAuditAsync(IReadOnlyList<AuditRow> rows, CancellationToken cancellationToken) => _engine.WriteAsync(async (connection, transaction) =>
    {
        // The update holds the row, so a second replica continues from what this one appends.
        var (seq, hash) = await connection.QuerySingleAsync<(long, string)>("update audit_head set seq = seq + @Count where id = 1 returning seq - @Count, hash", new { rows.Count }, transaction);
        foreach (var row in rows)
        {
            row.Seq = ++seq;
            hash = row.Hash = row.HashAfter(hash);
        }

        await connection.ExecuteAsync("""
            insert into audit (seq, at, phase, call_id, subject, client, address, surface, tool, level, arguments, outcome, detail, duration_us, openai_subject, openai_session, hash)
            values (@Seq, @At, @Phase, @CallId, @Subject, @Client, @Address, @Surface, @Tool, @Level, @Arguments, @Outcome, @Detail, @DurationUs, @OpenaiSubject, @OpenaiSession, @Hash)
            """, rows, transaction);
        return await connection.ExecuteAsync("update audit_head set hash = @hash where id = 1", new { hash }, transaction);
    }, cancellationToken);

    public Task<IReadOnlyList<AuditRow>> ReadAuditAsync(AuditFilter filter, CancellationToken cancellationToken) => _engine.ReadAsync<IReadOnlyList<AuditRow>>(async (connection, moment) =>
        (await connection.QueryAsync<AuditRow>("""
            select * from audit
            where (@Subject is null or subject = @Subject) and (@Tool is null or tool = @Tool) and (@Outcome is null or outcome = @Outcome) and (@CallId is null or call_id = @CallId)
              and (cast(@From as bigint) is null or at >= @From) and (cast(@To as bigint) is null or at < @To) and (cast(@Before as bigint) is null or seq < @Before)
            order by seq desc limit @Limit
            """, filter, moment)).AsList(), cancellationToken);

    /// <summary>Recomputes the chain from its anchor to its head. A changed, removed, added or moved row breaks it.</summary>
    public Task<AuditVerdict> VerifyAuditAsync(CancellationToken cancellationToken) => _engine.ReadAsync(async (connection, moment) =>
    {
        var head = await connection.QuerySingleAsync<(long Seq, string Hash)>("select seq, hash from audit_head where id = 1", transaction: moment);
        var (seq, hash) = await AnchorAsync(connection, moment);
        long rows = 0;
        foreach (var row in connection.Query<AuditRow>("select * from audit order by seq", transaction: moment, buffered: false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            rows++;
            if (row.Seq != seq + 1)
            {
                return new AuditVerdict(rows, seq, hash, row.Seq <= seq ? $"row {row.Seq} stands where it does not belong" : $"row {seq + 1} is missing");
            }

            if (row.HashAfter(hash) != row.Hash)
            {
                return new AuditVerdict(rows, seq, hash, $"row {row.Seq} is not as it was written, or the row before it is another one");
            }

            (seq, hash) = (row.Seq, row.Hash);
        }

        return new AuditVerdict(rows, seq, hash, (seq, hash) == head ? null : $"the chain ends with row {seq}, but row {head.Seq} was written");
    }, cancellationToken);

    /// <summary>Removes rows of before a time. The chain goes on from the last of them, whose number and hash are kept as its anchor.</summary>
    public Task<int> CutAuditAsync(long before, CancellationToken cancellationToken) => _engine.WriteAsync(async (connection, transaction) =>
    {
        // Up to the first row that stays: a clock that jumped must not tear a hole.
        var stays = await connection.ExecuteScalarAsync<long?>("select min(seq) from audit where at >= @before", new { before }, transaction);
        var last = await connection.QuerySingleOrDefaultAsync<AuditRow>(
            "select * from audit where seq = (select max(seq) from audit where cast(@stays as bigint) is null or seq < @stays)", new { stays }, transaction);
        if (last is null)
        {
            return 0;
        }

        await connection.ExecuteAsync("insert into meta (name, value) values ('audit_anchor', @anchor) on conflict (name) do update set value = @anchor", new { anchor = $"{last.Seq} {last.Hash}" }, transaction);
        return await connection.ExecuteAsync("delete from audit where seq <= @Seq", new { last.Seq }, transaction);
    }, cancellationToken);

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    private static async Task<(long Seq, string Hash)> AnchorAsync(DbConnection connection, DbTransaction transaction) =>
        await connection.ExecuteScalarAsync<string>("select value from meta where name = 'audit_anchor'", transaction: transaction) is { } anchor && anchor.Split(' ') is [var seq, var hash]
            ? (long.Parse(seq, CultureInfo.InvariantCulture), hash)
            : (0, "");
}

/// <summary>So many uses within a time, shared by everything that consumes the same name.</summary>
public sealed record Budget(string Name, int Limit, TimeSpan Window);

/// <summary>A budget without room, and when it has room again (milliseconds since 1970 UTC).</summary>
public sealed record UsedUp(Budget Budget, long Until);
