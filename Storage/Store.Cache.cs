using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Cache entries with sliding expiration, and locks to change one.</summary>
internal sealed partial class Store
{
    private const int MaxCached = 100_000;

    private int _cached;

    /// <param name="Value">Null when there is no such entry.</param>
    /// <param name="Expires">In milliseconds since 1970 UTC, as everywhere.</param>
    /// <param name="Sliding">In milliseconds; 0 without sliding expiration.</param>
    public readonly record struct Cached(string? Value, long Expires, long Sliding);

    public Task<Cached> ReadCacheAsync(string name, long now, CancellationToken cancellationToken) =>
        ReadAsync(
            async connection =>
            {
                var (value, expires, sliding) = await connection.QuerySingleOrDefaultAsync<(string?, long, long)>(
                    "select value, expires, sliding from cache where name = @name and expires > @now",
                    new { name, now }
                );
                return new Cached(value, expires, sliding);
            },
            cancellationToken
        );

    /// <summary>
    /// Extends an entry that was read. It may live a tenth longer than requested, so that not every read has to write.
    /// </summary>
    public Task<int> TouchCacheAsync(string name, long now, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync(
                    """
                    update cache set expires = case when @now + sliding + sliding / 10 < absolute then @now + sliding +
                        sliding / 10 else absolute end
                    where name = @name and sliding > 0 and expires > @now
                    """,
                    new { name, now }
                ),
            cancellationToken
        );

    /// <summary>
    /// Writes an entry. Deletes expired entries and, when there are too many, those that expire first.
    /// </summary>
    public Task WriteCacheAsync(
        string name,
        string value,
        long absolute,
        long sliding,
        long now,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("delete from cache where expires <= @now", new { now });
                if (Interlocked.Increment(ref _cached) % 1000 == 0)
                {
                    await connection.ExecuteAsync(
                        "delete from cache where name in (select name from cache order by expires desc limit 10000 "
                            + "offset @MaxCached)",
                        new { MaxCached }
                    );
                }

                var expires = sliding > 0 ? Math.Min(absolute, now + sliding + (sliding / 10)) : absolute;
                return await connection.ExecuteAsync(
                    """
                    insert into cache (name, value, expires, absolute, sliding) values (@name, @value, @expires,
                        @absolute, @sliding)
                    on conflict (name) do update set value = @value, expires = @expires, absolute = @absolute, sliding
                        = @sliding
                    """,
                    new
                    {
                        name,
                        value,
                        expires,
                        absolute,
                        sliding,
                    }
                );
            },
            cancellationToken
        );

    public Task RemoveCacheAsync(string name, CancellationToken cancellationToken) =>
        WriteAsync(
            connection => connection.ExecuteAsync("delete from cache where name = @name", new { name }),
            cancellationToken
        );

    /// <summary>Returns true for exactly one of all attempts, until it releases the lock or the lock expires.</summary>
    public Task<bool> TryTakeTurnAsync(
        string name,
        string owner,
        long now,
        long expires,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    """
                    insert into turns (name, owner, expires) values (@name, @owner, @expires)
                    on conflict (name) do update set owner = @owner, expires = @expires where turns.expires <= @now
                    """,
                    new
                    {
                        name,
                        owner,
                        now,
                        expires,
                    }
                ) == 1,
            cancellationToken
        );

    public Task EndTurnAsync(string name, string owner, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync("delete from turns where name = @name and owner = @owner", new { name, owner }),
            cancellationToken
        );
}
