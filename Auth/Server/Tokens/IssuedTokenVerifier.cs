using System.Security.Claims;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>Verifies access tokens that this server issued. A token is valid only while its grant is.</summary>
internal sealed class IssuedTokenVerifier(
    SigningKeys keys,
    Store store,
    Issuer issuer,
    VerifiedTokenCache seen,
    TimeProvider time
) : IAccessTokenVerifier
{
    // In characters. Ours have fewer than a thousand unless a client id is long; longer tokens are not even hashed.
    private const int MaxLength = 4096;

    private readonly Lazy<TokenValidationRules> _rules = new(() =>
        new()
        {
            Issuers = new HashSet<string>(StringComparer.Ordinal) { issuer.Url },
            Audiences = new HashSet<string>(StringComparer.Ordinal) { issuer.Resource },
            Algorithms = new HashSet<string>(StringComparer.Ordinal) { SigningKey.Algorithm },
            Types = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { SigningKey.Type },
            TypeRequired = true,
            MaxLength = MaxLength,
        }
    );

    public ValueTask<ClaimsPrincipal> CheckAsync(string token, CancellationToken cancellationToken) =>
        Known(token) is { } known ? ValueTask.FromResult(known) : CheckNewAsync(token, cancellationToken);

    public ClaimsPrincipal? Known(string token) => token.Length <= MaxLength ? seen.Find(token) : null;

    // Another replica may have revoked it, and has removed it only from its own cache.
    public ValueTask<ClaimsPrincipal> CheckAgainAsync(string token, CancellationToken cancellationToken) =>
        CheckNewAsync(token, cancellationToken);

    /// <summary>Returns the verified token and its grant.</summary>
    /// <exception cref="TokenRefusedException">The token is not ours or no longer valid.</exception>
    public async ValueTask<(VerifiedToken Token, StoredGrant Grant)> ReadAsync(
        string token,
        CancellationToken cancellationToken
    )
    {
        var signed = SignedToken.Parse(token, _rules.Value);
        var key = await keys.FindAsync(signed.KeyId, cancellationToken) ?? throw Jwt.UnknownKey();
        var verified = Jwt.Verify(signed, key.Public, _rules.Value, time.GetUtcNow());
        return
            verified.Text("gid") is { } grantId && await store.FindGrantAsync(grantId, cancellationToken) is { } grant
            ? (verified, grant)
            : throw new TokenRefusedException(
                "The token was revoked, or its grant has ended. The user has to sign in again."
            );
    }

    private async ValueTask<ClaimsPrincipal> CheckNewAsync(string token, CancellationToken cancellationToken)
    {
        var round = seen.Round;
        var (verified, grant) = await ReadAsync(token, cancellationToken);
        var caller = new ClaimsPrincipal(
            new ClaimsIdentity(
                [
                    new("sub", grant.Subject),
                    new("client_id", grant.ClientId),
                    .. verified.Words("scope").Select(scope => new Claim("scope", scope)),
                ],
                "Bearer"
            )
        );
        seen.Add(token, caller, verified.Expires, grant.GrantId, round);
        return caller;
    }
}
