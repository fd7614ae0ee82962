using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Secrets that callers stored for themselves at other MCP servers.</summary>
internal sealed partial class Store
{
    private const string SecretVersion = "hub_secret_version";

    /// <summary>A caller's secret for a server; null when it has none.</summary>
    public Task<StoredSecret?> CallerSecretAsync(long serverId, string subject, CancellationToken cancellationToken) =>
        ReadAsync(
            connection =>
                connection.QuerySingleOrDefaultAsync<StoredSecret?>(
                    """
                    select server_id, sealed, version, stored from hub_caller_secrets
                        where server_id = @serverId and subject = @subject
                    """,
                    new { serverId, subject }
                ),
            cancellationToken
        );

    /// <summary>All secrets of a caller.</summary>
    public Task<IReadOnlyList<StoredSecret>> CallerSecretsAsync(string subject, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<StoredSecret>>(
            async connection =>
                (
                    await connection.QueryAsync<StoredSecret>(
                        "select server_id, sealed, version, stored from hub_caller_secrets where subject = @subject",
                        new { subject }
                    )
                ).AsList(),
            cancellationToken
        );

    /// <summary>Stores a caller's secret for a server in place of the one that was there.</summary>
    /// <param name="most">The number of secrets that one caller may have.</param>
    /// <returns>False when the caller has too many, or the server was deleted.</returns>
    public Task<bool> SetCallerSecretAsync(
        long serverId,
        string subject,
        string sealedSecret,
        long now,
        int most,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                // Holds the row of the counter until the transaction ends, so that replicas take turns.
                var version = await NextAsync(connection, SecretVersion);
                return await connection.ExecuteAsync(
                        """
                        insert into hub_caller_secrets (server_id, subject, sealed, version, stored)
                            select id, @subject, @sealedSecret, @version, @now from hub_servers
                            where id = @serverId and @most > (
                                select count(*) from hub_caller_secrets
                                where subject = @subject and server_id <> @serverId
                            )
                        on conflict (server_id, subject) do update
                            set sealed = excluded.sealed, version = excluded.version, stored = excluded.stored
                        """,
                        new
                        {
                            serverId,
                            subject,
                            sealedSecret,
                            version,
                            now,
                            most,
                        }
                    ) == 1;
            },
            cancellationToken
        );

    /// <returns>False when the caller has no secret for the server.</returns>
    public Task<bool> DeleteCallerSecretAsync(long serverId, string subject, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    "delete from hub_caller_secrets where server_id = @serverId and subject = @subject",
                    new { serverId, subject }
                ) == 1,
            cancellationToken
        );
}

/// <summary>An encrypted secret of a caller, and which it is.</summary>
internal sealed record StoredSecret
{
    public long ServerId { get; init; }

    public required string Sealed { get; init; }

    public long Version { get; init; }

    public long Stored { get; init; }
}
