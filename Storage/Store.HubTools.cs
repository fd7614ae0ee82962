using Dapper;

namespace MinimalMcp.Storage;

/// <content>Definitions of other servers' tools that were approved.</content>
internal sealed partial class Store
{
    private const string ApprovedOf =
        "select tool, hash, definition from hub_approved where server_id = @server and generation = @generation";

    /// <summary>What was approved of a server, as it is registered now.</summary>
    public Task<IReadOnlyList<ApprovedTool>> ApprovedToolsAsync(
        long server,
        long generation,
        CancellationToken cancellationToken
    ) =>
        ReadAsync<IReadOnlyList<ApprovedTool>>(
            async connection =>
                (await connection.QueryAsync<ApprovedTool>(ApprovedOf, new { server, generation })).AsList(),
            cancellationToken
        );

    /// <summary>
    /// Approves the tools that nobody has seen before, and gives all that are approved. What was approved of an earlier
    /// registration of the server counts no more.
    /// </summary>
    public Task<IReadOnlyList<ApprovedTool>> ApproveNewToolsAsync(
        long server,
        long generation,
        IReadOnlyCollection<ApprovedTool> tools,
        CancellationToken cancellationToken
    ) =>
        WriteAsync<IReadOnlyList<ApprovedTool>>(
            async connection =>
            {
                await connection.ExecuteAsync(
                    "delete from hub_approved where server_id = @server and generation < @generation",
                    new { server, generation }
                );
                // Nothing when the server was deleted meanwhile.
                await connection.ExecuteAsync(
                    """
                    insert into hub_approved (server_id, tool, generation, hash, definition)
                    select id, @Tool, @generation, @Hash, @Definition from hub_servers where id = @server
                    on conflict (server_id, tool) do nothing
                    """,
                    tools.Select(tool => new
                    {
                        server,
                        generation,
                        tool.Tool,
                        tool.Hash,
                        tool.Definition,
                    })
                );
                return (await connection.QueryAsync<ApprovedTool>(ApprovedOf, new { server, generation })).AsList();
            },
            cancellationToken
        );

    /// <summary>Approves another definition of a tool, and lets replicas hear of it.</summary>
    /// <returns>False when the server was registered anew or deleted meanwhile.</returns>
    public Task<bool> ApproveToolAsync(
        long server,
        long generation,
        ApprovedTool tool,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                var version = await NextAsync(connection, ServerVersion);
                var changed = await connection.ExecuteAsync(
                    """
                    update hub_approved set hash = @Hash, definition = @Definition
                    where server_id = @server and tool = @Tool and generation = @generation
                    """,
                    new
                    {
                        server,
                        generation,
                        tool.Tool,
                        tool.Hash,
                        tool.Definition,
                    }
                );
                await connection.ExecuteAsync(
                    "update hub_servers set version = @version where id = @server",
                    new { server, version }
                );
                return changed == 1;
            },
            cancellationToken
        );
}

/// <summary>An approved definition of another server's tool.</summary>
/// <param name="Tool">The name that the server gave it.</param>
internal sealed record ApprovedTool(string Tool, string Hash, string Definition);
