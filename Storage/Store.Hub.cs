using System.Data.Common;
using System.Globalization;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Other MCP servers that are registered, and what they listed last.</summary>
internal sealed partial class Store
{
    private const string ServerVersion = "hub_version";

    /// <summary>A number that every change of a server raises; 0 before the first.</summary>
    public Task<long> ServerVersionAsync(CancellationToken cancellationToken) =>
        ReadAsync(connection => CounterAsync(connection, ServerVersion), cancellationToken);

    /// <summary>All servers, and the version that they have together.</summary>
    public Task<(long Version, IReadOnlyList<StoredServer> Servers)> ServersAsync(
        CancellationToken cancellationToken
    ) =>
        ReadAsync<(long, IReadOnlyList<StoredServer>)>(
            async connection =>
            {
                var version = await CounterAsync(connection, ServerVersion);
                var rows = await connection.QueryAsync<StoredServer>("select * from hub_servers order by id");
                return (version, rows.AsList());
            },
            cancellationToken
        );

    /// <summary>Stores a new server and gives it its number, which no other ever gets.</summary>
    /// <param name="most">The number of servers that may exist.</param>
    /// <param name="mostWanted">The number of servers that may be wanted.</param>
    public Task<(ServerWrite Outcome, long Id)> InsertServerAsync(
        StoredServer server,
        int most,
        int mostWanted,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                // Holds the row of the counter until the transaction ends, so that replicas take turns.
                var version = await NextAsync(connection, ServerVersion);
                if (await connection.ExecuteScalarAsync<long>("select count(*) from hub_servers") >= most)
                {
                    return (ServerWrite.TooMany, 0L);
                }

                if (await ProblemAsync(connection, server, mostWanted) is { } problem)
                {
                    return (problem, 0L);
                }

                var id = await NextAsync(connection, "hub_ids");
                await connection.ExecuteAsync(
                    """
                    insert into hub_servers (id, name, definition, sealed, wanted, created, updated, version)
                    values (@id, @Name, @Definition, @Sealed, @Wanted, @Created, @Updated, @version)
                    """,
                    new
                    {
                        id,
                        server.Name,
                        server.Definition,
                        server.Sealed,
                        server.Wanted,
                        server.Created,
                        server.Updated,
                        version,
                    }
                );
                return (ServerWrite.Done, id);
            },
            cancellationToken
        );

    /// <summary>Replaces a server, unless it changed since its version was read.</summary>
    public Task<ServerWrite> UpdateServerAsync(
        StoredServer server,
        int mostWanted,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                var next = await NextAsync(connection, ServerVersion);
                if (await ProblemAsync(connection, server, mostWanted) is { } problem)
                {
                    return problem;
                }

                var changed = await connection.ExecuteAsync(
                    """
                    update hub_servers set name = @Name, definition = @Definition, sealed = @Sealed, wanted = @Wanted,
                        updated = @Updated, version = @next where id = @Id and version = @Version
                    """,
                    new
                    {
                        server.Id,
                        server.Name,
                        server.Definition,
                        server.Sealed,
                        server.Wanted,
                        server.Updated,
                        server.Version,
                        next,
                    }
                );
                return changed == 1 ? ServerWrite.Done : ServerWrite.Changed;
            },
            cancellationToken
        );

    /// <returns>False when there is no such server.</returns>
    public Task<bool> DeleteServerAsync(long id, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                await NextAsync(connection, ServerVersion);
                await connection.ExecuteAsync("delete from hub_lists where server_id = @id", new { id });
                await connection.ExecuteAsync("delete from hub_approved where server_id = @id", new { id });
                await connection.ExecuteAsync("delete from hub_tokens where server_id = @id", new { id });
                await connection.ExecuteAsync("delete from hub_caller_secrets where server_id = @id", new { id });
                return await connection.ExecuteAsync("delete from hub_servers where id = @id", new { id }) == 1;
            },
            cancellationToken
        );

    /// <summary>JSON of what a server listed last; null when it never did.</summary>
    public Task<string?> ServerListsAsync(long id, CancellationToken cancellationToken) =>
        ReadAsync(
            connection =>
                connection.QuerySingleOrDefaultAsync<string?>(
                    "select lists from hub_lists where server_id = @id",
                    new { id }
                ),
            cancellationToken
        );

    /// <summary>Stores what a server listed. Does nothing when the server was deleted meanwhile.</summary>
    public Task<int> SaveServerListsAsync(long id, string lists, CancellationToken cancellationToken) =>
        WriteAsync(
            connection =>
                connection.ExecuteAsync(
                    """
                    insert into hub_lists (server_id, lists) select id, @lists from hub_servers where id = @id
                    on conflict (server_id) do update set lists = excluded.lists
                    """,
                    new { id, lists }
                ),
            cancellationToken
        );

    private static async Task<ServerWrite?> ProblemAsync(DbConnection connection, StoredServer server, int mostWanted)
    {
        var sameName = await connection.ExecuteScalarAsync<long>(
            "select count(*) from hub_servers where name = @Name and id <> @Id",
            new { server.Name, server.Id }
        );
        if (sameName > 0)
        {
            return ServerWrite.NameTaken;
        }

        const string Others = "select count(*) from hub_servers where wanted = 1 and id <> @Id";
        return server.Wanted == 1 && await connection.ExecuteScalarAsync<long>(Others, new { server.Id }) >= mostWanted
            ? ServerWrite.TooManyWanted
            : null;
    }

    private static async Task<long> CounterAsync(DbConnection connection, string name) =>
        long.Parse(
            await connection.QuerySingleOrDefaultAsync<string?>(
                "select value from meta where name = @name",
                new { name }
            ) ?? "0",
            CultureInfo.InvariantCulture
        );

    private static async Task<long> NextAsync(DbConnection connection, string name) =>
        long.Parse(
            await connection.QuerySingleAsync<string>(
                """
                insert into meta (name, value) values (@name, '1') on conflict (name) do update
                    set value = cast(cast(meta.value as bigint) + 1 as text) returning value
                """,
                new { name }
            ),
            CultureInfo.InvariantCulture
        );
}

/// <summary>What came of a change of a server.</summary>
internal enum ServerWrite
{
    Done,
    NameTaken,
    TooMany,
    TooManyWanted,

    /// <summary>Somebody else changed or deleted it since it was read.</summary>
    Changed,
}

/// <summary>A registered MCP server.</summary>
internal sealed record StoredServer
{
    public long Id { get; init; }

    public required string Name { get; init; }

    public required string Definition { get; init; }

    public required string Sealed { get; init; }

    public long Wanted { get; init; }

    public long Created { get; init; }

    public long Updated { get; init; }

    public long Version { get; init; }
}
