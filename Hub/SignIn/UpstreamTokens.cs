using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using MinimalMcp.Auth;
using MinimalMcp.Hub.Remote;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub.SignIn;

/// <summary>Tokens for a server, with what renews them. They belong to one address.</summary>
internal sealed record ServerTokens(
    string Address,
    string Resource,
    string Issuer,
    Uri TokenEndpoint,
    OAuthClient Client,
    string AccessToken,
    string? RefreshToken,
    long Obtained,
    long? Expires
);

/// <summary>
/// The tokens that operators' sign-ins gave, encrypted in the store. They are renewed before they end, and once after a
/// 401; one at a time over all replicas, because a refresh token may be good for one use (RFC 9700 section 2.2.2).
/// </summary>
internal sealed partial class UpstreamTokens(
    Store store,
    ServerKeys keys,
    OAuthRequests requests,
    HubAddress address,
    TimeProvider time,
    ILogger<UpstreamTokens> logger
) : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5),
        Look = TimeSpan.FromSeconds(1);

    private readonly StoreLocks _locks = new(store, time);
    private readonly ConcurrentDictionary<long, (ServerTokens Tokens, long Version)> _known = new();
    private readonly ConcurrentDictionary<long, SemaphoreSlim> _queues = new();
    private readonly Lazy<SealingKey> _key = new(
        () => keys.Sealing("minimal hub: tokens"),
        LazyThreadSafetyMode.PublicationOnly
    );

    /// <summary>Where an operator signs in at a server.</summary>
    public string PageOf(long server) => address.SignIn(server);

    /// <summary>The access token. Throws <see cref="SignInNeededException"/> when there is none.</summary>
    public async ValueTask<string> GetAsync(ServerDefinition server, CancellationToken cancellationToken)
    {
        if (
            !(_known.TryGetValue(server.Id, out var known) && IsOf(known.Tokens, server))
            && await ReadAsync(server, cancellationToken) is { } read
        )
        {
            known = read;
        }

        if (known.Tokens is null)
        {
            throw Needed(server);
        }

        if (!IsEnding(known.Tokens))
        {
            return known.Tokens.AccessToken;
        }

        try
        {
            return await RenewAsync(server, known.Tokens.AccessToken, cancellationToken);
        }
        catch (UpstreamLostException) when (known.Tokens.Expires > Now)
        {
            return known.Tokens.AccessToken; // it is still good; the next request tries again
        }
    }

    /// <summary>Another access token than the one that was refused.</summary>
    public async Task<string> RenewAsync(ServerDefinition server, string refused, CancellationToken cancellationToken)
    {
        var queue = _queues.GetOrAdd(server.Id, _ => new(1));
        await queue.WaitAsync(cancellationToken);
        try
        {
            using var turn = await _locks.AcquireAsync($"hub tokens {server.Id}", 1, cancellationToken);
            if (await ReadAsync(server, cancellationToken) is not { } current)
            {
                throw Needed(server);
            }

            if (current.Tokens.AccessToken != refused)
            {
                return current.Tokens.AccessToken; // another request, or another replica, was first
            }

            return turn.IsAcquired
                ? await RefreshAsync(server, current.Tokens, current.Version, cancellationToken)
                : throw NotRenewed("another replica is renewing it");
        }
        finally
        {
            queue.Release();
        }
    }

    /// <summary>Drops tokens that are refused although they are new: somebody has to sign in again.</summary>
    public async Task DropAsync(ServerDefinition server, string refused, CancellationToken cancellationToken)
    {
        if (await ReadAsync(server, cancellationToken) is { } current && current.Tokens.AccessToken == refused)
        {
            await DropAsync(server, current.Version, "the server refuses them");
        }

        throw Needed(server);
    }

    public async Task SetAsync(long serverId, ServerTokens tokens, CancellationToken cancellationToken)
    {
        await store.SetServerTokensAsync(serverId, Seal(serverId, tokens), cancellationToken);
        _known.TryRemove(serverId, out _);
    }

    /// <summary>Reads the answer of a token endpoint; null when it is none.</summary>
    public ServerTokens? Read(JsonElement? answer, ServerTokens before)
    {
        if (
            answer is not { } body
            || OAuthDiscovery.Text(body, "access_token") is not { Length: > 0 } access
            || access.Any(letter => letter is <= ' ' or > '~')
            || OAuthDiscovery.Text(body, "token_type")?.Equals("Bearer", StringComparison.OrdinalIgnoreCase) == false
        )
        {
            return null;
        }

        var lifetime =
            body.TryGetProperty("expires_in", out var seconds)
            && seconds.ValueKind is JsonValueKind.Number
            && seconds.TryGetInt64(out var number)
            && number is > 0 and < 1_000_000_000
                ? number * 1000
                : (long?)null;
        return before with
        {
            AccessToken = access,
            RefreshToken = OAuthDiscovery.Text(body, "refresh_token") ?? before.RefreshToken,
            Obtained = Now,
            Expires = Now + lifetime,
        };
    }

    public void Dispose() => _locks.Dispose();

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<string> RefreshAsync(
        ServerDefinition server,
        ServerTokens tokens,
        long version,
        CancellationToken cancellationToken
    )
    {
        var (status, body) = tokens.RefreshToken is null
            ? (HttpStatusCode.BadRequest, null)
            : await AskAsync(server, tokens, tokens.RefreshToken);
        if (status is HttpStatusCode.OK && Read(body, tokens) is { } renewed)
        {
            if (await store.SwapServerTokensAsync(server.Id, version, Seal(server.Id, renewed), CancellationToken.None))
            {
                _known.TryRemove(server.Id, out _);
                LogRenewed(server.Name);
                return renewed.AccessToken;
            }

            // Somebody signed in meanwhile.
            return await ReadAsync(server, cancellationToken) is { } other
                ? other.Tokens.AccessToken
                : throw Needed(server);
        }

        var error = body is { } refusal ? OAuthDiscovery.Text(refusal, "error") : null;
        if (tokens.RefreshToken is not null && error is not ("invalid_grant" or "invalid_client"))
        {
            throw NotRenewed($"its authorization server answered {(int)status}");
        }

        await DropAsync(server, version, error ?? "there is no refresh token");
        throw Needed(server);
    }

    private async Task DropAsync(ServerDefinition server, long version, string reason)
    {
        await store.SwapServerTokensAsync(server.Id, version, null, CancellationToken.None);
        _known.TryRemove(server.Id, out _);
        LogDropped(server.Name, reason);
    }

    private async Task<(HttpStatusCode Status, JsonElement? Body)> AskAsync(
        ServerDefinition server,
        ServerTokens tokens,
        string refreshToken
    )
    {
        // RFC 6749 section 6, RFC 8707 section 2.2.
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "refresh_token",
            ["refresh_token"] = refreshToken,
            ["resource"] = tokens.Resource,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, tokens.TokenEndpoint);
        OAuthRequests.Authenticate(request, form, tokens.Client);
        try
        {
            // A caller who leaves must not leave us with a refresh token that was used.
            return await requests.SendAsync(request, server.Address!, CancellationToken.None);
        }
        catch (UpstreamLostException failure)
        {
            throw NotRenewed("its authorization server does not answer", failure);
        }
    }

    private static UpstreamLostException NotRenewed(string why, Exception? inner = null) =>
        new($"our token could not be renewed: {why}", inner) { IsConnected = true };

    private async Task<(ServerTokens Tokens, long Version)?> ReadAsync(
        ServerDefinition server,
        CancellationToken cancellationToken
    )
    {
        if (
            await store.ServerTokensAsync(server.Id, cancellationToken) is not { } row
            || _key.Value.Open(row.Sealed, ContextOf(server.Id)) is not { } opened
            || JsonSerializer.Deserialize(opened, RecordJson.Default.ServerTokens) is not { } tokens
            || !IsOf(tokens, server)
        )
        {
            _known.TryRemove(server.Id, out _);
            return null;
        }

        return _known[server.Id] = (tokens, row.Version);
    }

    private async Task WaitAsync(ServerDefinition server, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await ReadAsync(server, cancellationToken) is not null)
                {
                    return;
                }
            }
            catch (StorageException)
            {
                // the next look may find it
            }

            await Task.Delay(Look, cancellationToken);
        }
    }

    // A changed address is another resource: its tokens are not sent there.
    private static bool IsOf(ServerTokens tokens, ServerDefinition server) =>
        tokens.Address == server.Address!.AbsoluteUri;

    private bool IsEnding(ServerTokens tokens)
    {
        if (tokens.Expires is not { } expires)
        {
            return false;
        }

        var early = Math.Min((expires - tokens.Obtained) / 4, (long)Longest.TotalMilliseconds);
        return Now >= expires - early;
    }

    private string Seal(long serverId, ServerTokens tokens) =>
        _key.Value.Seal(
            JsonSerializer.SerializeToUtf8Bytes(tokens, RecordJson.Default.ServerTokens),
            ContextOf(serverId)
        );

    // The tokens of one row are of no use in another.
    private static string ContextOf(long serverId) => $"tokens of server {serverId}";

    private SignInNeededException Needed(ServerDefinition server) =>
        new($"an operator must sign in there first, at {PageOf(server.Id)}", cancellationToken =>
            WaitAsync(server, cancellationToken)
        );

    [LoggerMessage(LogLevel.Information, "The token for a server was renewed {Server}")]
    private partial void LogRenewed(string server);

    [LoggerMessage(
        LogLevel.Warning,
        "The tokens for a server were dropped, because they cannot be renewed {Server} {Reason}"
    )]
    private partial void LogDropped(string server, string reason);
}

/// <summary>The access token of an operator's sign-in.</summary>
internal sealed class SignedInCredential(ServerDefinition server, UpstreamTokens tokens) : UpstreamCredential
{
    public override string Fix => $"Sign in there again, at {tokens.PageOf(server.Id)}";

    public override async ValueTask AddAsync(HttpRequestHeaders headers, CancellationToken cancellationToken) =>
        headers.Authorization = new("Bearer", await tokens.GetAsync(server, cancellationToken));

    public override async ValueTask<bool> RenewAsync(HttpRequestHeaders refused, CancellationToken cancellationToken)
    {
        if (refused.Authorization?.Parameter is not { } token)
        {
            return false;
        }

        await tokens.RenewAsync(server, token, cancellationToken);
        return true;
    }

    public override async ValueTask GiveUpAsync(HttpRequestHeaders refused, CancellationToken cancellationToken) =>
        await tokens.DropAsync(server, refused.Authorization?.Parameter ?? "", cancellationToken);
}
