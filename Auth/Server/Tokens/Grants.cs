using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>Creates grants, issues their tokens, and revokes them.</summary>
internal sealed class Grants(
    Store store,
    SigningKeys keys,
    ServerSecret secret,
    Issuer issuer,
    VerifiedTokenCache seen,
    IOptions<AuthorizationServerOptions> options,
    TimeProvider time
)
{
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);

    // A client that lost our response, or refreshes twice at once, may repeat the request within this time.
    private static readonly TimeSpan Replay = TimeSpan.FromSeconds(30);

    private TimeSpan AccessLifetime => TimeSpan.FromMinutes(options.Value.AccessTokenMinutes);

    /// <summary>Issues a code for a consent.</summary>
    public async Task<string> OpenAsync(
        AuthorizationRequest request,
        SignedInUser person,
        string[] scopes,
        CancellationToken cancellationToken
    )
    {
        var code = ReferenceTokens.New();
        var expires = (time.GetUtcNow() + CodeLifetime).ToUnixTimeMilliseconds();
        await store.OpenGrantAsync(
            new()
            {
                GrantId = NewId(),
                ClientId = request.ClientId,
                Subject = person.Subject,
                Scope = string.Join(' ', scopes),
                Person = person.ToJson(),
                Credential = person.Credential,
            },
            new()
            {
                CodeHash = ReferenceTokens.Hash(code),
                RedirectUri = request.RedirectUri,
                Challenge = request.Challenge,
                Expires = expires,
            },
            expires,
            cancellationToken
        );
        return code;
    }

    /// <summary>
    /// Redeems a code. The rest of the request is validated afterwards, so that a code which somebody experiments with
    /// is spent.
    /// </summary>
    public async Task<(StoredGrant Grant, StoredCode Code)> RedeemAsync(
        string code,
        Client client,
        CancellationToken cancellationToken
    )
    {
        var (grant, redeemed, ended) = await store.RedeemCodeAsync(
            ReferenceTokens.Hash(code),
            client.Id,
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            cancellationToken
        );
        Forget(ended);
        return grant is not null && redeemed is not null ? (grant, redeemed) : throw OAuthException.InvalidGrant();
    }

    /// <summary>Issues the tokens of a redeemed code.</summary>
    public async Task<JsonObject> IssueAsync(StoredGrant grant, bool refresh, CancellationToken cancellationToken)
    {
        var token = refresh ? ReferenceTokens.New() : null;
        var lifetime = refresh ? TimeSpan.FromDays(options.Value.RefreshTokenDays) : AccessLifetime;
        await store.ExtendGrantAsync(
            grant.GrantId,
            token is null ? null : ReferenceTokens.Hash(token),
            (time.GetUtcNow() + lifetime).ToUnixTimeMilliseconds(),
            cancellationToken
        );
        return await TokensAsync(grant, grant.Scope, token, cancellationToken);
    }

    /// <summary>Issues a token for the client credentials grant.</summary>
    public async Task<JsonObject> IssueToClientAsync(
        Client client,
        string[] scopes,
        CancellationToken cancellationToken
    )
    {
        var grant = new StoredGrant
        {
            GrantId = NewId(),
            ClientId = client.Id,
            Subject = Subjects.OfClient(client.Id),
            Scope = string.Join(' ', scopes),
        };
        await store.OpenGrantAsync(
            grant,
            code: null,
            (time.GetUtcNow() + AccessLifetime).ToUnixTimeMilliseconds(),
            cancellationToken
        );
        return await TokensAsync(grant, grant.Scope, null, cancellationToken);
    }

    /// <param name="scopes">The scopes of the new access token; the refresh token keeps all of the grant's.</param>
    public async Task<JsonObject> RefreshAsync(string refreshToken, string scopes, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var successor = secret.SuccessorOf(refreshToken);
        var (grant, ended) = await store.RotateRefreshTokenAsync(
            ReferenceTokens.Hash(refreshToken),
            ReferenceTokens.Hash(successor),
            now.ToUnixTimeMilliseconds(),
            (now - Replay).ToUnixTimeMilliseconds(),
            (now + TimeSpan.FromDays(options.Value.RefreshTokenDays)).ToUnixTimeMilliseconds(),
            cancellationToken
        );
        Forget(ended);
        return await TokensAsync(grant ?? throw OAuthException.InvalidGrant(), scopes, successor, cancellationToken);
    }

    public async Task RevokeAsync(string grantId, CancellationToken cancellationToken)
    {
        await store.RevokeGrantAsync(grantId, cancellationToken);
        seen.Forget(grantId);
    }

    private void Forget(string? ended)
    {
        if (ended is not null)
        {
            seen.Forget(ended);
        }
    }

    private async Task<JsonObject> TokensAsync(
        StoredGrant grant,
        string scope,
        string? refreshToken,
        CancellationToken cancellationToken
    )
    {
        var answer = new JsonObject
        {
            ["access_token"] = await SignAsync(grant, scope, cancellationToken),
            ["token_type"] = "Bearer",
            ["expires_in"] = (long)AccessLifetime.TotalSeconds,
            ["scope"] = scope,
        };
        if (refreshToken is not null)
        {
            answer["refresh_token"] = refreshToken;
        }

        return answer;
    }

    // RFC 9068. The claim gid is ours: the grant id, by which tokens are revoked.
    private async Task<string> SignAsync(StoredGrant grant, string scope, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var payload = new ArrayBufferWriter<byte>(512);
        await using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            json.WriteString("iss", issuer.Url);
            json.WriteNumber("exp", (now + AccessLifetime).ToUnixTimeSeconds());
            json.WriteString("aud", issuer.Resource);
            json.WriteString("sub", grant.Subject);
            json.WriteString("client_id", grant.ClientId);
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteString("jti", NewId());
            json.WriteString("scope", scope);
            json.WriteString("gid", grant.GrantId);
            json.WriteEndObject();
        }

        return (await keys.CurrentAsync(cancellationToken)).Sign(payload.WrittenSpan);
    }

    private static string NewId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
}
