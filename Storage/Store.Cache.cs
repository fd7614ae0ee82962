using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Entries that go when nobody asks for them any more, and turns to change one.</summary>
public sealed partial class Store
{
    private const int MaxCached = 100_000;

    private int _cached;

    /// <param name="Value">Null when there is no such entry.</param>
    /// <param name="Expires">In milliseconds since 1970 UTC, as everywhere.</param>
    /// <param name="Sliding">In milliseconds; 0 when the entry does not stay longer for being asked for.</param>
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

    /// <summary>An entry that was asked for stays. It may stay a tenth longer than was said, so that not each question has to write.</summary>
    public Task<int> TouchCacheAsync(string name, long now, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync(
                    """
                    update cache set expires = case when @now + sliding + sliding / 10 < absolute then @now + sliding + sliding / 10 else absolute end
                    where name = @name and sliding > 0 and expires > @now
                    """,
                    new { name, now }
                ),
            cancellationToken
        );

    /// <summary>Keeps an entry; what has expired goes on the way, and of too many those that would go first.</summary>
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
                        "delete from cache where name in (select name from cache order by expires desc limit 10000 offset @MaxCached)",
                        new { MaxCached }
                    );
                }

                var expires = sliding > 0 ? Math.Min(absolute, now + sliding + (sliding / 10)) : absolute;
                return await connection.ExecuteAsync(
                    """
                    insert into cache (name, value, expires, absolute, sliding) values (@name, @value, @expires, @absolute, @sliding)
                    on conflict (name) do update set value = @value, expires = @expires, absolute = @absolute, sliding = @sliding
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

    /// <summary>True for one of all who try, until it ends the turn or the turn expires.</summary>
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
