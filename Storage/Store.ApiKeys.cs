using Dapper;

namespace MinimalMcp.Storage;

/// <summary>API keys that were created while the server ran.</summary>
internal sealed partial class Store
{
    private const string KeyVersion = "api_key_version";

    /// <summary>A number that every change of a key raises; 0 before the first.</summary>
    public Task<long> ApiKeyVersionAsync(CancellationToken cancellationToken) =>
        ReadAsync(connection => CounterAsync(connection, KeyVersion), cancellationToken);

    /// <summary>All keys, and the version that they have together.</summary>
    public Task<(long Version, IReadOnlyList<StoredApiKey> Keys)> ApiKeysAsync(CancellationToken cancellationToken) =>
        ReadAsync<(long, IReadOnlyList<StoredApiKey>)>(
            async connection =>
            {
                var version = await CounterAsync(connection, KeyVersion);
                var rows = await connection.QueryAsync<StoredApiKey>(
                    """
                    select id, name, key_hash as KeyHash, scopes, created, expires, last_used as LastUsed
                    from api_keys order by id
                    """
                );
                return (version, rows.AsList());
            },
            cancellationToken
        );

    /// <summary>Stores a new key and gives it its number, which no other ever gets.</summary>
    /// <param name="most">The number of keys that may exist.</param>
    public Task<(ApiKeyWrite Outcome, long Id)> InsertApiKeyAsync(
        StoredApiKey key,
        int most,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                // Holds the row of the counter until the transaction ends, so that replicas take turns.
                await NextAsync(connection, KeyVersion);
                if (await connection.ExecuteScalarAsync<long>("select count(*) from api_keys") >= most)
                {
                    return (ApiKeyWrite.TooMany, 0L);
                }

                const string SameName = "select count(*) from api_keys where name = @Name";
                if (await connection.ExecuteScalarAsync<long>(SameName, new { key.Name }) > 0)
                {
                    return (ApiKeyWrite.NameTaken, 0L);
                }

                var id = await NextAsync(connection, "api_key_ids");
                await connection.ExecuteAsync(
                    """
                    insert into api_keys (id, name, key_hash, scopes, created, expires)
                    values (@id, @Name, @KeyHash, @Scopes, @Created, @Expires)
                    """,
                    new
                    {
                        id,
                        key.Name,
                        key.KeyHash,
                        key.Scopes,
                        key.Created,
                        key.Expires,
                    }
                );
                return (ApiKeyWrite.Done, id);
            },
            cancellationToken
        );

    /// <summary>Deletes a key, and with it what was granted to clients by somebody who signed in with it.</summary>
    /// <returns>False when there is no such key.</returns>
    public Task<bool> DeleteApiKeyAsync(long id, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                await NextAsync(connection, KeyVersion);
                await connection.ExecuteAsync(
                    """
                    delete from oauth_grants where credential in
                        (select 'key ' || key_hash from api_keys where id = @id)
                    """,
                    new { id }
                );
                return await connection.ExecuteAsync("delete from api_keys where id = @id", new { id }) == 1;
            },
            cancellationToken
        );

    /// <summary>Deletes what was granted to clients by somebody who signed in with one of these keys.</summary>
    public Task<int> DeleteGrantsOfKeysAsync(IReadOnlyList<string> keyHashes, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync(
                    "delete from oauth_grants where credential = @Credential",
                    keyHashes.Select(hash => new { Credential = "key " + hash })
                ),
            cancellationToken
        );

    /// <summary>Notes when keys were used last. This is no change of a key.</summary>
    public Task<int> NoteApiKeyUsesAsync(IReadOnlyList<(long Id, long At)> uses, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync(
                    """
                    update api_keys set last_used = @At where id = @Id and (last_used is null or last_used < @At)
                    """,
                    uses.Select(use => new { use.Id, use.At })
                ),
            cancellationToken
        );
}

/// <summary>What came of a new key.</summary>
internal enum ApiKeyWrite
{
    Done,
    NameTaken,
    TooMany,
}

/// <summary>An API key, as its hash.</summary>
internal sealed record StoredApiKey
{
    public long Id { get; init; }

    public required string Name { get; init; }

    /// <summary>SHA-256 in lower-case hexadecimal.</summary>
    public required string KeyHash { get; init; }

    /// <summary>Separated by spaces.</summary>
    public required string Scopes { get; init; }

    public long Created { get; init; }

    public long? Expires { get; init; }

    public long? LastUsed { get; init; }
}
