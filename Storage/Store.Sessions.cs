using Dapper;

namespace MinimalMcp.Storage;

/// <summary>MCP session data that replicas share.</summary>
internal sealed partial class Store
{
    // Above it the oldest can be opened again by who has their ids, which opens no more than a new one would.
    private const int MaxEndedSessions = 100_000;

    private int _endedSessions;

    /// <summary>The key that signs session ids, created by the first replica.</summary>
    public Task<string> ShareKeyAsync(string name, string key, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync(
                    "insert into meta (name, value) values (@name, @key) on conflict (name) do nothing",
                    new { name, key }
                );
                return await connection.QuerySingleAsync<string>(
                    "select value from meta where name = @name",
                    new { name }
                );
            },
            cancellationToken
        );

    /// <summary>Prevents a session from being reopened until its id has expired.</summary>
    public Task EndSessionAsync(string sessionId, long now, long expires, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("delete from ended_sessions where expires <= @now", new { now });
                if (Interlocked.Increment(ref _endedSessions) % 1000 == 0)
                {
                    await connection.ExecuteAsync(
                        """
                        delete from ended_sessions where session_id in (
                            select session_id from ended_sessions order by expires desc limit 10000 offset
                                @MaxEndedSessions)
                        """,
                        new { MaxEndedSessions }
                    );
                }

                return await connection.ExecuteAsync(
                    """
                    insert into ended_sessions (session_id, expires) values (@sessionId, @expires)
                    on conflict (session_id) do nothing
                    """,
                    new { sessionId, expires }
                );
            },
            cancellationToken
        );

    public Task<bool> HasEndedSessionAsync(string sessionId, CancellationToken cancellationToken) =>
        ReadAsync(
            async connection =>
                await connection.ExecuteScalarAsync<long>(
                    "select count(*) from ended_sessions where session_id = @sessionId",
                    new { sessionId }
                ) > 0,
            cancellationToken
        );
}
