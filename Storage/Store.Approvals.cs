using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Calls that a person approves or denies.</summary>
public sealed partial class Store
{
    /// <summary>False when so many calls of this caller wait already.</summary>
    public Task<bool> OpenApprovalAsync(ApprovalRow row, int most, CancellationToken cancellationToken) =>
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
                        insert into approvals (id, binding, tool, level, effect, subject, client, address, surface, arguments, preview, call_id, at, expires,
                            status)
                        values (@Id, @Binding, @Tool, @Level, @Effect, @Subject, @Client, @Address, @Surface, @Arguments, @Preview, @CallId, @At, @Expires,
                            'waiting')
                        """,
                        row
                    ) == 1;
            },
            cancellationToken
        );

    /// <summary>Those that wait, the oldest first.</summary>
    public Task<IReadOnlyList<ApprovalRow>> ReadApprovalsAsync(
        long now,
        int limit,
        CancellationToken cancellationToken
    ) =>
        ReadAsync<IReadOnlyList<ApprovalRow>>(
            async connection =>
                (
                    await connection.QueryAsync<ApprovalRow>(
                        """
                        select approvals.*, (select max(person) from oauth_grants where subject = approvals.subject) as person
                        from approvals where status = 'waiting' and expires > @now order by at, id limit @limit
                        """,
                        new { now, limit }
                    )
                ).AsList(),
            cancellationToken
        );

    public Task<ApprovalRow?> FindApprovalAsync(string id, long now, CancellationToken cancellationToken) =>
        ReadAsync(
            connection =>
                connection.QuerySingleOrDefaultAsync<ApprovalRow>(
                    "select * from approvals where id = @id and expires > @now",
                    new { id, now }
                ),
            cancellationToken
        );

    /// <summary>True for the first who decides.</summary>
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
                    "update approvals set status = @status, decided_by = @by where id = @id and status = 'waiting' and expires > @now",
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

    /// <summary>True for exactly one of all who try.</summary>
    public Task<bool> RedeemApprovalAsync(string id, string binding, long now, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    "delete from approvals where id = @id and binding = @binding and status = 'approved' and expires > @now",
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

/// <summary>A call that waits, as it is stored.</summary>
public sealed class ApprovalRow
{
    /// <summary>What is known of the person who asked, beside the subject; only in lists.</summary>
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

    /// <summary>What the tool itself says that it would do, as JSON; null when it does not say.</summary>
    public string? Preview { get; set; }

    public string CallId { get; set; } = "";

    public long At { get; set; }

    public long Expires { get; set; }

    /// <summary>waiting, approved or denied.</summary>
    public string Status { get; set; } = "";

    public string? DecidedBy { get; set; }
}
