using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Sign-ins of operators at other MCP servers.</summary>
internal sealed partial class Store
{
    private const int MaxSignIns = 1000;

    /// <summary>The tokens for a server; null before somebody signed in.</summary>
    public Task<StoredTokens?> ServerTokensAsync(long serverId, CancellationToken cancellationToken) =>
        ReadAsync(
            connection =>
                connection.QuerySingleOrDefaultAsync<StoredTokens?>(
                    "select sealed, version from hub_tokens where server_id = @serverId",
                    new { serverId }
                ),
            cancellationToken
        );

    /// <summary>Replaces the tokens for a server by those of a new sign-in.</summary>
    public Task SetServerTokensAsync(long serverId, string sealedTokens, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                var version = await NextAsync(connection, "hub_token_version");
                return await connection.ExecuteAsync(
                    """
                    insert into hub_tokens (server_id, sealed, version)
                        select id, @sealedTokens, @version from hub_servers where id = @serverId
                    on conflict (server_id) do update set sealed = excluded.sealed, version = excluded.version
                    """,
                    new
                    {
                        serverId,
                        sealedTokens,
                        version,
                    }
                );
            },
            cancellationToken
        );

    /// <summary>
    /// Replaces the tokens that were read with that version, or drops them. False when they are others now.
    /// </summary>
    public Task<bool> SwapServerTokensAsync(
        long serverId,
        long version,
        string? sealedTokens,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                var next = await NextAsync(connection, "hub_token_version");
                return await connection.ExecuteAsync(
                        sealedTokens is null
                            ? "delete from hub_tokens where server_id = @serverId and version = @version"
                            : """
                            update hub_tokens set sealed = @sealedTokens, version = @next
                                where server_id = @serverId and version = @version
                            """,
                        new
                        {
                            serverId,
                            version,
                            sealedTokens,
                            next,
                        }
                    ) == 1;
            },
            cancellationToken
        );

    /// <summary>Keeps a sign-in until it is finished. False when too many are under way.</summary>
    public Task<bool> BeginServerSignInAsync(
        string stateHash,
        string sealedSignIn,
        long now,
        long expires,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("delete from hub_sign_ins where expires <= @now", new { now });
                return await connection.ExecuteAsync(
                        """
                        insert into hub_sign_ins (state_hash, sealed, expires)
                            select @stateHash, @sealedSignIn, @expires
                            where (select count(*) from hub_sign_ins) < @MaxSignIns
                        """,
                        new
                        {
                            stateHash,
                            sealedSignIn,
                            expires,
                            MaxSignIns,
                        }
                    ) == 1;
            },
            cancellationToken
        );

    /// <summary>Gives a sign-in that was begun to exactly one of all attempts to finish it.</summary>
    public Task<string?> TakeServerSignInAsync(string stateHash, long now, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.QuerySingleOrDefaultAsync<string?>(
                    "delete from hub_sign_ins where state_hash = @stateHash and expires > @now returning sealed",
                    new { stateHash, now }
                ),
            cancellationToken
        );
}

/// <summary>Encrypted tokens, and which they are.</summary>
internal sealed record StoredTokens
{
    public required string Sealed { get; init; }

    public long Version { get; init; }
}
