using System.Data.Common;
using System.Globalization;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>The audit log: append-only entries, each chained to the previous one by a hash.</summary>
internal sealed partial class Store
{
    /// <summary>Appends entries to the chain and assigns their numbers and hashes.</summary>
    public Task<int> AppendAuditAsync(IReadOnlyList<AuditEntry> rows, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                // The update holds the row, so a second replica continues from what this one appends.
                var (seq, hash) = await connection.QuerySingleAsync<(long, string)>(
                    "update audit_head set seq = seq + @Count where id = 1 returning seq - @Count, hash",
                    new { rows.Count }
                );

                foreach (var row in rows)
                {
                    row.Seq = ++seq;
                    hash = row.Hash = row.HashAfter(hash);
                }

                await _database.InsertAsync(connection, "audit", AuditEntry.Columns, rows.Select(row => row.Values()));
                return await connection.ExecuteAsync("update audit_head set hash = @hash where id = 1", new { hash });
            },
            cancellationToken
        );

    /// <summary>
    /// Reads entries. Without an index for it, a search goes through the table, newest first: in SQLite a million
    /// entries take about a third of a second, while an index of subjects or tools would triple the cost of an append.
    /// </summary>
    public Task<IReadOnlyList<AuditEntry>> ReadAuditAsync(AuditFilter filter, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<AuditEntry>>(
            async connection =>
                (
                    await connection.QueryAsync<AuditEntry>(
                        $"""
                        select page.*, people.person{(filter.Kind is null ? "" : $", {KindColumn}")} from (
                            select * from audit where {Where(filter)}
                            order by seq {(filter.After is null ? "desc" : "asc")} limit @Limit) as page
                        left join (select subject, max(person) as person from oauth_grants group by subject) as people
                            on people.subject = page.subject
                        order by page.seq desc
                        """,
                        filter
                    )
                ).AsList(),
            cancellationToken
        );

    /// <summary>The number of the newest entry.</summary>
    public Task<long> NewestAuditAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            async connection => await connection.ExecuteScalarAsync<long>("select seq from audit_head where id = 1"),
            cancellationToken
        );

    // Only the conditions that there are: one with "or" for those that are missing would use no index.
    private string Where(AuditFilter filter)
    {
        // SQLite knows nothing of the values' frequencies, and would look every success up by the index of outcomes
        // although few have the other value too. A plus sign keeps it from that.
        var isOutcomeAlone = (filter.Subject ?? filter.Tool ?? filter.Level ?? filter.TraceId) is null;
        var outcome = isOutcomeAlone || _database is not SqliteDatabase ? "outcome" : "+outcome";
        string[] conditions =
        [
            "1 = 1",
            .. Given(filter.Subject, "subject = @Subject"),
            .. Given(filter.Tool, "tool = @Tool"),
            .. Given(filter.Outcome, $"{outcome} = @Outcome"),
            .. Given(filter.CallId, "call_id = @CallId"),
            .. Given(filter.TraceId, "trace_id = @TraceId"),
            .. Given(filter.Surface, "surface = @Surface"),
            .. Given(filter.Level, "level = @Level"),
            .. Given(filter.From, "at >= @From"),
            .. Given(filter.To, "at < @To"),
            .. Given(filter.Before, "seq < @Before"),
            .. Given(filter.After, "seq > @After"),
            .. Given(filter.Kind, filter.Kind is null ? "" : ActivityOf(filter.Kind)),
            .. Given(filter.Server, OfServer),
        ];
        return string.Join(" and ", conditions);

        static string[] Given(object? value, string condition) => value is null ? [] : [condition];
    }

    /// <summary>
    /// Recomputes the chain from its anchor to its head. A changed, removed, added or moved entry breaks it.
    /// </summary>
    public Task<AuditVerification> VerifyAuditAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            async connection =>
            {
                var head = await connection.QuerySingleAsync<(long Seq, string Hash)>(
                    "select seq, hash from audit_head where id = 1"
                );
                var (seq, hash) = await AnchorAsync(connection);
                long rows = 0;
                foreach (
                    var row in connection.Query<AuditEntry>(
                        "select * from audit order by seq",
                        buffered: false,
                        commandTimeout: PostgresDatabase.Long
                    )
                )
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    rows++;
                    if (row.Seq != seq + 1)
                    {
                        return new AuditVerification(
                            rows,
                            seq,
                            hash,
                            row.Seq <= seq
                                ? $"row {row.Seq} stands where it does not belong"
                                : $"entry {seq + 1} is missing"
                        );
                    }

                    if (row.HashAfter(hash) != row.Hash)
                    {
                        return new AuditVerification(
                            rows,
                            seq,
                            hash,
                            $"entry {row.Seq} was modified, or the entry before it was replaced"
                        );
                    }

                    (seq, hash) = (row.Seq, row.Hash);
                }

                return new AuditVerification(
                    rows,
                    seq,
                    hash,
                    (seq, hash) == head ? null : $"the chain ends with entry {seq}, but entry {head.Seq} was written"
                );
            },
            cancellationToken
        );

    /// <summary>
    /// Deletes entries older than a time. The chain continues from the last of them, whose number and hash become its
    /// anchor.
    /// </summary>
    public Task<int> CutAuditAsync(long before, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                // Up to the first remaining entry: a clock that jumped must not create a gap.
                var stays = await connection.ExecuteScalarAsync<long?>(
                    "select min(seq) from audit where at >= @before",
                    new { before }
                );
                var last = await connection.QuerySingleOrDefaultAsync<AuditEntry>(
                    "select * from audit where seq = (select max(seq) from audit where cast(@stays as bigint) is "
                        + "null or seq < @stays)",
                    new { stays }
                );
                if (last is null)
                {
                    return 0;
                }

                await connection.ExecuteAsync(
                    "insert into meta (name, value) values ('audit_anchor', @anchor) on conflict (name) do update "
                        + "set value = @anchor",
                    new { anchor = $"{last.Seq} {last.Hash}" }
                );
                return await connection.ExecuteAsync(
                    "delete from audit where seq <= @Seq",
                    new { last.Seq },
                    commandTimeout: PostgresDatabase.Long
                );
            },
            cancellationToken
        );

    private static async Task<(long Seq, string Hash)> AnchorAsync(DbConnection connection) =>
        await connection.ExecuteScalarAsync<string>("select value from meta where name = 'audit_anchor'") is { } anchor
        && anchor.Split(' ') is [var seq, var hash]
            ? (long.Parse(seq, CultureInfo.InvariantCulture), hash)
            : (0, "");
}
