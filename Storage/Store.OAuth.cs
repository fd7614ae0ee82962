using System.Data.Common;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>
/// OAuth grants, and their codes and tokens. Each is consumed by one statement, so that exactly one of several attempts
/// succeeds, also across replicas.
/// </summary>
internal sealed partial class Store
{
    private const string Grant = "grant_id, client_id, subject, scope, person, credential";

    /// <summary>Stores a grant, with a code for the authorization code flow.</summary>
    public Task<int> OpenGrantAsync(
        StoredGrant grant,
        StoredCode? code,
        long expires,
        CancellationToken cancellationToken
    ) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync(
                    $"insert into oauth_grants ({Grant}, expires) values (@GrantId, @ClientId, @Subject, @Scope, "
                        + "@Person, @Credential, @expires)",
                    new
                    {
                        grant.GrantId,
                        grant.ClientId,
                        grant.Subject,
                        grant.Scope,
                        grant.Person,
                        grant.Credential,
                        expires,
                    }
                );
                return code is null
                    ? 0
                    : await connection.ExecuteAsync(
                        "insert into oauth_codes (code_hash, grant_id, client_id, redirect_uri, challenge, expires) "
                            + "values (@CodeHash, @GrantId, @ClientId, @RedirectUri, @Challenge, @Expires)",
                        new
                        {
                            code.CodeHash,
                            grant.GrantId,
                            grant.ClientId,
                            code.RedirectUri,
                            code.Challenge,
                            code.Expires,
                        }
                    );
            },
            cancellationToken
        );

    /// <summary>
    /// Redeems a code and returns its grant. A code that is redeemed twice was stolen: the grant is revoked (RFC 6749
    /// section 4.1.2). Another client's code is not consumed.
    /// </summary>
    /// <returns>The grant; or the id of the one that has ended; or neither.</returns>
    public Task<(StoredGrant? Grant, StoredCode? Code, string? Ended)> RedeemCodeAsync(
        string codeHash,
        string clientId,
        long now,
        CancellationToken cancellationToken
    ) =>
        WriteAsync<(StoredGrant?, StoredCode?, string?)>(
            async connection =>
            {
                var code = await connection.QuerySingleOrDefaultAsync<StoredCode>(
                    "update oauth_codes set used = @now "
                        + "where code_hash = @codeHash and client_id = @clientId and used is null returning "
                        + "code_hash, redirect_uri, challenge, expires",
                    new
                    {
                        codeHash,
                        clientId,
                        now,
                    }
                );
                var grantId = await connection.ExecuteScalarAsync<string>(
                    "select grant_id from oauth_codes where code_hash = @codeHash and client_id = @clientId",
                    new { codeHash, clientId }
                );
                if (grantId is not null && code is null)
                {
                    await RevokeAsync(connection, grantId);
                    return (null, null, grantId);
                }

                return code?.Expires > now ? (await GrantAsync(connection, grantId!), code, null) : default;
            },
            cancellationToken
        );

    /// <summary>Extends the grant, optionally with a refresh token.</summary>
    public Task<int> ExtendGrantAsync(
        string grantId,
        string? refreshTokenHash,
        long expires,
        CancellationToken cancellationToken
    ) => WriteAsync(connection => ExtendAsync(connection, grantId, refreshTokenHash, expires), cancellationToken);

    public Task<StoredGrant?> FindGrantAsync(string grantId, CancellationToken cancellationToken) =>
        ReadAsync(connection => GrantAsync(connection, grantId), cancellationToken);

    public Task<StoredGrant?> FindGrantOfRefreshTokenAsync(string tokenHash, CancellationToken cancellationToken) =>
        ReadAsync<StoredGrant?>(
            connection =>
                connection.QuerySingleOrDefaultAsync<StoredGrant?>(
                    $"select {Grant} from oauth_grants where grant_id = (select grant_id from oauth_refresh_tokens "
                        + "where token_hash = @tokenHash)",
                    new { tokenHash }
                ),
            cancellationToken
        );

    /// <summary>
    /// Replaces a refresh token. The same token may be used again within a short time, until its successor is used:
    /// responses get lost, and clients refresh twice at once. After that the token counts as stolen, and the grant is
    /// revoked (RFC 9700 section 4.14.2).
    /// </summary>
    /// <returns>The grant; or the id of the one that has ended; or neither.</returns>
    public Task<(StoredGrant? Grant, string? Ended)> RotateRefreshTokenAsync(
        string tokenHash,
        string successorHash,
        long now,
        long replayed,
        long expires,
        CancellationToken cancellationToken
    ) =>
        WriteAsync<(StoredGrant?, string?)>(
            async connection =>
            {
                var grantId = await connection.ExecuteScalarAsync<string>(
                    "update oauth_refresh_tokens set used = @now where token_hash = @tokenHash and used is null and "
                        + "expires > @now returning grant_id",
                    new { tokenHash, now }
                );
                if (grantId is null)
                {
                    var (again, used) = await connection.QuerySingleOrDefaultAsync<(string?, long?)>(
                        "select grant_id, used from oauth_refresh_tokens where token_hash = @tokenHash",
                        new { tokenHash }
                    );
                    if (again is null || used is null)
                    {
                        return default; // unknown, or expired
                    }

                    var unused = await connection.ExecuteScalarAsync<long>(
                        "select count(*) from oauth_refresh_tokens where token_hash = @successorHash and used is null",
                        new { successorHash }
                    );
                    if (used < replayed || unused == 0)
                    {
                        await RevokeAsync(connection, again);
                        return (null, again);
                    }

                    grantId = again;
                }

                var grant = await GrantAsync(connection, grantId);
                if (grant is not null)
                {
                    await ExtendAsync(connection, grantId, successorHash, expires);
                }

                return (grant, null);
            },
            cancellationToken
        );

    public Task<int> RevokeGrantAsync(string grantId, CancellationToken cancellationToken) =>
        WriteAsync(connection => RevokeAsync(connection, grantId), cancellationToken);

    /// <summary>Deletes expired and orphaned rows.</summary>
    public Task<int> PruneOAuthAsync(long now, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
                await connection.ExecuteAsync(
                    """
                    delete from oauth_tickets where expires <= @now;
                    delete from oauth_assertions where expires <= @now;
                    delete from oauth_grants where expires <= @now;
                    delete from oauth_codes where expires <= @now and not exists (select 1 from oauth_grants where
                        oauth_grants.grant_id = oauth_codes.grant_id);
                    delete from oauth_refresh_tokens where expires <= @now or not exists (select 1 from oauth_grants
                        where oauth_grants.grant_id = oauth_refresh_tokens.grant_id);
                    """,
                    new { now }
                ),
            cancellationToken
        );

    private static async Task<StoredGrant?> GrantAsync(DbConnection connection, string grantId) =>
        await connection.QuerySingleOrDefaultAsync<StoredGrant>(
            $"select {Grant} from oauth_grants where grant_id = @grantId",
            new { grantId }
        );

    // The grant lives as long as its last token.
    private static async Task<int> ExtendAsync(
        DbConnection connection,
        string grantId,
        string? refreshTokenHash,
        long expires
    )
    {
        var extended = await connection.ExecuteAsync(
            "update oauth_grants set expires = @expires where grant_id = @grantId and expires < @expires",
            new { grantId, expires }
        );
        return refreshTokenHash is null
            ? extended
            : await connection.ExecuteAsync(
                "insert into oauth_refresh_tokens (token_hash, grant_id, expires) values (@refreshTokenHash, "
                    + "@grantId, @expires) on conflict (token_hash) do nothing",
                new
                {
                    refreshTokenHash,
                    grantId,
                    expires,
                }
            );
    }

    private static Task<int> RevokeAsync(DbConnection connection, string grantId) =>
        connection.ExecuteAsync("delete from oauth_grants where grant_id = @grantId", new { grantId });
}
