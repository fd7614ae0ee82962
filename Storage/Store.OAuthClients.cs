using System.Data.Common;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Clients of the authorization server, their pending authorization requests, and the signing keys.</summary>
internal sealed partial class Store
{
    /// <summary>
    /// Stores a self-registered client. When there are too many, the oldest client without a grant is deleted; one with
    /// a grant never is, because it could not come back (ChatGPT registers once and keeps the id).
    /// </summary>
    /// <param name="settled">Newer clients are kept: a user may be about to sign in.</param>
    /// <returns>False when there is no room.</returns>
    public Task<bool> RegisterClientAsync(
        StoredClient client,
        long now,
        int most,
        long settled,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                await HoldAsync(connection);
                var count = await connection.ExecuteScalarAsync<long>("select count(*) from oauth_clients");
                if (
                    count >= most
                    && await connection.ExecuteAsync(
                        """
                        delete from oauth_clients where client_id = (select client_id from oauth_clients
                            where created < @settled and not exists (select 1 from oauth_grants where
                                oauth_grants.client_id = oauth_clients.client_id) order by created limit 1)
                        """,
                        new { settled }
                    ) == 0
                )
                {
                    return false;
                }

                return await connection.ExecuteAsync(
                        "insert into oauth_clients (client_id, metadata, secret_hash, created) values (@ClientId, "
                            + "@Metadata, @SecretHash, @now)",
                        new
                        {
                            client.ClientId,
                            client.Metadata,
                            client.SecretHash,
                            now,
                        }
                    ) == 1;
            },
            cancellationToken
        );

    public Task<StoredClient?> FindClientAsync(string clientId, CancellationToken cancellationToken) =>
        ReadAsync<StoredClient?>(
            connection =>
                connection.QuerySingleOrDefaultAsync<StoredClient?>(
                    "select client_id, metadata, secret_hash from oauth_clients where client_id = @clientId",
                    new { clientId }
                ),
            cancellationToken
        );

    /// <summary>
    /// Stores an authorization request. When its address has too many, its oldest one is deleted; when there are too
    /// many overall, the oldest of the address with the most.
    /// </summary>
    public Task<int> OpenTicketAsync(
        StoredTicket ticket,
        long now,
        int mostOfAddress,
        int most,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("delete from oauth_tickets where expires <= @now", new { now });
                await connection.ExecuteAsync(
                    """
                    delete from oauth_tickets where ticket_hash in (
                        select ticket_hash from oauth_tickets where address = @Address
                        order by expires desc, ticket_hash limit 1000000 offset @kept)
                    """,
                    new { ticket.Address, kept = mostOfAddress - 1 }
                );
                await connection.ExecuteAsync(
                    """
                    delete from oauth_tickets where (select count(*) from oauth_tickets) >= @most and ticket_hash = (
                        select ticket_hash from oauth_tickets
                        where address = (
                            select address from oauth_tickets group by address order by count(*) desc, address limit 1)
                        order by expires, ticket_hash limit 1)
                    """,
                    new { most }
                );
                return await connection.ExecuteAsync(
                    """
                    insert into oauth_tickets (ticket_hash, browser_hash, address, request, expires)
                    values (@TicketHash, @BrowserHash, @Address, @Request, @Expires)
                    """,
                    ticket
                );
            },
            cancellationToken
        );

    public Task<string?> FindTicketAsync(
        string ticketHash,
        string browserHash,
        long now,
        CancellationToken cancellationToken
    ) =>
        ReadAsync(
            connection =>
                connection.ExecuteScalarAsync<string?>(
                    "select request from oauth_tickets "
                        + "where ticket_hash = @ticketHash and browser_hash = @browserHash and expires > @now",
                    new
                    {
                        ticketHash,
                        browserHash,
                        now,
                    }
                ),
            cancellationToken
        );

    /// <summary>Returns the request to exactly one of all attempts.</summary>
    public Task<string?> RedeemTicketAsync(
        string ticketHash,
        string browserHash,
        long now,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            connection =>
                connection.ExecuteScalarAsync<string?>(
                    "delete from oauth_tickets where "
                        + "ticket_hash = @ticketHash and browser_hash = @browserHash and expires > @now returning "
                        + "request",
                    new
                    {
                        ticketHash,
                        browserHash,
                        now,
                    }
                ),
            cancellationToken
        );

    /// <summary>Returns true for the first use.</summary>
    public Task<bool> UseAssertionAsync(string assertionHash, long expires, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    "insert into oauth_assertions (assertion_hash, expires) values (@assertionHash, @expires) on "
                        + "conflict (assertion_hash) do nothing",
                    new { assertionHash, expires }
                ) == 1,
            cancellationToken
        );

    /// <summary>Newest first.</summary>
    public Task<IReadOnlyList<StoredKey>> ReadKeysAsync(CancellationToken cancellationToken) =>
        ReadAsync(KeysAsync, cancellationToken);

    /// <summary>
    /// Adds the key unless another replica just did, and deletes retired ones. Returns the current keys.
    /// </summary>
    /// <param name="since">A key that is younger makes this one unnecessary.</param>
    public Task<IReadOnlyList<StoredKey>> AddKeyAsync(
        StoredKey key,
        long since,
        long retired,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                await HoldAsync(connection);
                await connection.ExecuteAsync(
                    "insert into oauth_keys (kid, private_key, created) select @Kid, @PrivateKey, cast(@Created as "
                        + "bigint) where not exists (select 1 from oauth_keys where created > @since)",
                    new
                    {
                        key.Kid,
                        key.PrivateKey,
                        key.Created,
                        since,
                    }
                );
                await connection.ExecuteAsync("delete from oauth_keys where created <= @retired", new { retired });
                return await KeysAsync(connection);
            },
            cancellationToken
        );

    private static async Task<IReadOnlyList<StoredKey>> KeysAsync(DbConnection connection) =>
        (
            await connection.QueryAsync<StoredKey>(
                "select kid, private_key, created from oauth_keys order by created desc, kid"
            )
        ).AsList();

    // Serializes replicas.
    private static Task<int> HoldAsync(DbConnection connection) =>
        connection.ExecuteAsync("update meta set value = value where name = 'schema'");
}
