using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Server;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>
/// Creates and revokes API keys while the server runs. Keys of other replicas are known, and their revoked ones
/// refused, within seconds. This replica's are at once.
/// </summary>
internal sealed partial class StoredKeys(
    Store store,
    ApiKeys keys,
    IOptions<AuthOptions> options,
    TimeProvider time,
    ILogger<StoredKeys> log
) : BackgroundService
{
    public const int Most = 200;

    private const string Prefix = "mcp_";

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _reading = new(1);
    private long _version = -1;

    /// <summary>Why no key can be created; null when one can.</summary>
    public string? Problem =>
        options.Value.TakesKeys
            ? null
            : $"This server accepts no API keys: Auth:Mode (MCP_AUTH_MODE) is {options.Value.Mode.ToLowerInvariant()}"
                + $"{(options.Value.LacksKeys ? " without a key" : "")}. Set it to api-key, embedded or hybrid, and "
                + "MCP_API_KEY to the first key.";

    public bool IsConfigured(string name) =>
        options.Value.ApiKeys.ContainsKey(name) || (name == "default" && options.Value.ApiKey is { Length: > 0 });

    /// <summary>Creates a key. It is returned here and never again.</summary>
    public async Task<(ApiKeyWrite Outcome, StoredApiKey Row, string Key)> CreateAsync(
        string name,
        string scopes,
        DateTimeOffset? expires,
        CancellationToken cancellationToken
    )
    {
        var key = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var row = new StoredApiKey
        {
            Name = name,
            KeyHash = ReferenceTokens.Hash(key),
            Scopes = scopes,
            Created = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Expires = expires?.ToUnixTimeMilliseconds(),
        };
        var (outcome, id) = await store.InsertApiKeyAsync(row, Most, cancellationToken);
        await RefreshAsync(cancellationToken);
        return (outcome, row with { Id = id }, key);
    }

    /// <returns>False when there is no such key.</returns>
    public async Task<bool> RevokeAsync(long id, CancellationToken cancellationToken)
    {
        var found = await store.DeleteApiKeyAsync(id, cancellationToken);
        await RefreshAsync(cancellationToken);
        return found;
    }

    public async Task<IReadOnlyList<StoredApiKey>> ListAsync(CancellationToken cancellationToken)
    {
        var (_, rows) = await store.ApiKeysAsync(cancellationToken);
        return [.. rows.Select(row => row with { LastUsed = keys.LastUseOf(row.Id) ?? row.LastUsed })];
    }

    /// <summary>Stored keys are known before the first request.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.TakesKeys)
        {
            await TryAsync(RefreshAsync, cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.TakesKeys)
        {
            return;
        }

        using var timer = new PeriodicTimer(Poll, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryAsync(FollowAsync, stoppingToken);
            }
        }
        finally
        {
            await TryAsync(NoteUsesAsync, CancellationToken.None);
        }
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        if (keys.TakeExpired() is { Count: > 0 } expired)
        {
            await store.DeleteGrantsOfKeysAsync(expired, cancellationToken);
            keys.RaiseEnded();
        }

        if (await store.ApiKeyVersionAsync(cancellationToken) != Volatile.Read(ref _version))
        {
            await RefreshAsync(cancellationToken);
        }

        await NoteUsesAsync(cancellationToken);
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            var (version, rows) = await store.ApiKeysAsync(cancellationToken);
            Volatile.Write(ref _version, version);
            keys.SetStored(options.Value.TakesKeys ? rows : []);
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task NoteUsesAsync(CancellationToken cancellationToken)
    {
        if (keys.TakeUses() is { Count: > 0 } uses)
        {
            await store.NoteApiKeyUsesAsync(uses, cancellationToken);
        }
    }

    // At the start the store itself reports why it cannot be opened.
    private async Task TryAsync(Func<CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act(cancellationToken);
        }
        catch (StorageException failure)
        {
            LogUnread(failure.Message);
        }
        catch (ObjectDisposedException)
        {
            // the store was closed first
        }
    }

    [LoggerMessage(LogLevel.Warning, "Stored API keys could not be read or written {Reason}")]
    private partial void LogUnread(string reason);
}
