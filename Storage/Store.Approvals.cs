using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Calls that await manual approval.</summary>
internal sealed partial class Store
{
    /// <summary>Returns false when the caller has too many pending calls.</summary>
    public Task<bool> OpenApprovalAsync(StoredApproval row, int most, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("delete from approvals where expires <= @At", row);
                return await connection.ExecuteScalarAsync<long>(
                        "select count(*) from approvals where subject = @Subject and status = 'waiting'",
                        row
                    ) < most
                    && await connection.ExecuteAsync(
                        """
                        insert into approvals (id, binding, tool, level, effect, subject, client, address, surface,
                            arguments, preview, call_id, at, expires,
                            status)
                        values (@Id, @Binding, @Tool, @Level, @Effect, @Subject, @Client, @Address, @Surface,
                            @Arguments, @Preview, @CallId, @At, @Expires,
                            'waiting')
                        """,
                        row
                    ) == 1;
            },
            cancellationToken
        );

    /// <summary>The pending calls, oldest first.</summary>
    public Task<IReadOnlyList<StoredApproval>> ReadApprovalsAsync(
        long now,
        int limit,
        CancellationToken cancellationToken
    ) =>
        ReadAsync<IReadOnlyList<StoredApproval>>(
            async connection =>
                (
                    await connection.QueryAsync<StoredApproval>(
                        """
                        select approvals.*, (select max(person) from oauth_grants where subject = approvals.subject) as
                            person
                        from approvals where status = 'waiting' and expires > @now order by at, id limit @limit
                        """,
                        new { now, limit }
                    )
                ).AsList(),
            cancellationToken
        );

    /// <summary>How many calls are pending.</summary>
    public Task<long> CountApprovalsAsync(long now, CancellationToken cancellationToken) =>
        ReadAsync(
            connection =>
                connection.ExecuteScalarAsync<long>(
                    "select count(*) from approvals where status = 'waiting' and expires > @now",
                    new { now }
                ),
            cancellationToken
        );

    public Task<StoredApproval?> FindApprovalAsync(string id, long now, CancellationToken cancellationToken) =>
        ReadAsync(
            connection =>
                connection.QuerySingleOrDefaultAsync<StoredApproval>(
                    "select * from approvals where id = @id and expires > @now",
                    new { id, now }
                ),
            cancellationToken
        );

    /// <summary>Returns true for the first decision.</summary>
    public Task<bool> DecideApprovalAsync(
        string id,
        bool approve,
        string by,
        long now,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    "update approvals set status = @status, decided_by = @by where id = @id and status = 'waiting' "
                        + "and expires > @now",
                    new
                    {
                        id,
                        status = approve ? "approved" : "denied",
                        by,
                        now,
                    }
                ) == 1,
            cancellationToken
        );

    /// <summary>Returns true for exactly one of all attempts.</summary>
    public Task<bool> RedeemApprovalAsync(string id, string binding, long now, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    "delete from approvals where id = @id and binding = @binding and status = 'approved' and expires "
                        + "> @now",
                    new
                    {
                        id,
                        binding,
                        now,
                    }
                ) == 1,
            cancellationToken
        );
}

/// <summary>A pending call, as it is stored.</summary>
internal sealed class StoredApproval
{
    /// <summary>The requester's name and email, if known; only in lists.</summary>
    public string? Person { get; set; }

    public string Id { get; set; } = "";

    public string Binding { get; set; } = "";

    public string Tool { get; set; } = "";

    public string Level { get; set; } = "";

    public string Effect { get; set; } = "";

    public string Subject { get; set; } = "";

    public string? Client { get; set; }

    public string? Address { get; set; }

    public string Surface { get; set; } = "";

    public string Arguments { get; set; } = "";

    /// <summary>The result of the tool's own dry run as JSON; null without one.</summary>
    public string? Preview { get; set; }

    public string CallId { get; set; } = "";

    public long At { get; set; }

    public long Expires { get; set; }

    /// <summary>waiting, approved or denied.</summary>
    public string Status { get; set; } = "";

    public string? DecidedBy { get; set; }
}
