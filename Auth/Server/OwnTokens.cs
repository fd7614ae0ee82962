using System.Buffers.Text;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// Checks access tokens of our own. A token's header must be, letter for letter, the one that we write for one of our published keys: nothing in it is read, so nothing in it
/// can choose an algorithm or a key.
/// </summary>
internal sealed class OwnTokens(SigningKeys keys, Store store, Issuer issuer, SeenTokens seen, TimeProvider time) : IAccessTokens
{
    private const int MaxLength = 4096;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30); // between replicas

    public ValueTask<ClaimsPrincipal> CheckAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > MaxLength)
        {
            throw Refused("is not one of this server's");
        }

        var digest = SeenTokens.Digest(token);
        return seen.Find(digest) is { } known ? ValueTask.FromResult(known) : CheckNewAsync(digest, token, cancellationToken);
    }

    /// <summary>What the token says and the grant that it is of.</summary>
    /// <exception cref="TokenRefusedException">It is not ours, or not good any more.</exception>
    public async ValueTask<(JsonElement Claims, StoredGrant Grant)> ReadAsync(string token, CancellationToken cancellationToken)
    {
        var claims = await VerifyAsync(token, cancellationToken);
        var now = time.GetUtcNow();
        if (DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("exp").GetInt64()) <= now)
        {
            throw Refused("has expired");
        }

        if (DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("iat").GetInt64()) > now + Skew)
        {
            throw Refused("is of the future: the clock of this server was set back");
        }

        return await store.FindGrantAsync(claims.GetProperty("gid").GetString()!, cancellationToken) is { } grant ? (claims, grant) : throw Refused("was revoked");
    }

    private async ValueTask<ClaimsPrincipal> CheckNewAsync(UInt256 digest, string token, CancellationToken cancellationToken)
    {
        var round = seen.Round;
        var (claims, grant) = await ReadAsync(token, cancellationToken);
        var scopes = Scopes.Split(claims.GetProperty("scope").GetString()!).Select(scope => new Claim("scope", scope));
        var caller = new ClaimsPrincipal(new ClaimsIdentity([new("sub", grant.Subject), new("client_id", grant.ClientId), .. scopes], "Bearer", "sub", null));
        seen.Add(digest, caller, grant.GrantId, DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("exp").GetInt64()), round);
        return caller;
    }

    private async ValueTask<JsonElement> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > MaxLength || token.Split('.') is not [var header, var payload, var signature] || await keys.FindAsync(header, cancellationToken) is not { } key)
        {
            throw Refused("is not one of this server's");
        }

        // One way only to write a text in base64url: another one of the same bytes would be another token to everybody who compares them.
        if (!TryDecode(payload, out var content) || !TryDecode(signature, out var signed) || !key.Verify(Encoding.ASCII.GetBytes($"{header}.{payload}"), signed))
        {
            throw Refused("has a wrong signature");
        }

        var claims = JsonElement.Parse(content);
        return claims.GetProperty("iss").ValueEquals(issuer.Url) && claims.GetProperty("aud").ValueEquals(issuer.Resource) ? claims : throw Refused("is for another server");
    }

    private static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : [];
        return bytes.Length > 0 && Base64Url.EncodeToString(bytes) == text;
    }

    private static TokenRefusedException Refused(string reason) => new($"The access token {reason}.");
}
