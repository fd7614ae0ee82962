using Dapper;

namespace MinimalMcp.Storage;

/// <summary>The figures of a period of one replica.</summary>
internal sealed record MetricsRow
{
    public long Seconds { get; init; }

    public long At { get; init; }

    public required string Replica { get; init; }

    /// <summary>JSON.</summary>
    public required string Figures { get; init; }
}

/// <summary>Figures over time, of all replicas.</summary>
internal sealed partial class Store
{
    /// <summary>Writes rows; one of the same period and replica is replaced.</summary>
    public Task<int> WriteMetricsAsync(IReadOnlyList<MetricsRow> rows, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync(
                    """
                    insert into metrics (seconds, at, replica, figures) values (@Seconds, @At, @Replica, @Figures)
                    on conflict (seconds, at, replica) do update set figures = excluded.figures
                    """,
                    rows
                ),
            cancellationToken
        );

    /// <summary>The rows of that length that began at a time or later, oldest first.</summary>
    public Task<IReadOnlyList<MetricsRow>> ReadMetricsAsync(
        long seconds,
        long from,
        CancellationToken cancellationToken
    ) =>
        ReadAsync<IReadOnlyList<MetricsRow>>(
            async connection =>
                (
                    await connection.QueryAsync<MetricsRow>(
                        "select * from metrics where seconds = @seconds and at >= @from order by at",
                        new { seconds, from }
                    )
                ).AsList(),
            cancellationToken
        );

    /// <summary>Deletes the rows of that length that began before a time.</summary>
    public Task<int> CutMetricsAsync(long seconds, long before, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync(
                    "delete from metrics where seconds = @seconds and at < @before",
                    new { seconds, before }
                ),
            cancellationToken
        );

    /// <summary>The size of the database in bytes.</summary>
    public Task<long> SizeAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            connection =>
                connection.ExecuteScalarAsync<long>(
                    _database is PostgresDatabase
                        ? "select pg_database_size(current_database())"
                        : "select page_count * page_size from pragma_page_count(), pragma_page_size()"
                ),
            cancellationToken
        );
}
