using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>
/// Checks periodically that the credential which opened a stream is still valid. <see cref="CredentialHandler"/> sees
/// only the start of a request, and a stream may stay open indefinitely.
/// </summary>
internal sealed class StreamAuthorization(
    IOptions<AuthOptions> options,
    ApiKeys keys,
    TimeProvider time,
    IServiceProvider services
)
{
    // Expired tokens are accepted for 30 seconds of clock skew, so a stream ends within a minute.
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    private readonly bool _isOff = options.Value.IsOff;
    private readonly bool _takesKeys = options.Value.TakesKeys;
    private readonly IAccessTokenVerifier? _tokens = options.Value.TakesTokens
        ? services.GetRequiredService<IAccessTokenVerifier>()
        : null;

    /// <summary>
    /// Watches the stream of this request until it is disposed. The stream also ends with any of the tokens.
    /// </summary>
    public AuthorizedStream Open(HttpContext http, params CancellationToken[] ends) => Open(http, null, ends);

    /// <summary>The same on a route of operators, whose session is watched too.</summary>
    public async Task<AuthorizedStream> OpenForOperatorAsync(HttpContext http, params CancellationToken[] ends) =>
        Open(
            http,
            _isOff || CredentialVerifier.Presented(http.Request) is not null
                ? null
                : await OperatorSessions.WatchAsync(http),
            ends
        );

    private AuthorizedStream Open(
        HttpContext http,
        Func<CancellationToken, ValueTask<bool>>? session,
        CancellationToken[] ends
    )
    {
        var presented = _isOff ? null : CredentialVerifier.Presented(http.Request);
        var isToken =
            _tokens is not null
            && presented is not null
            && CredentialVerifier.IsToken(http.Request, presented, _takesKeys);
        // Without a credential there is none that could expire.
        return new(
            presented is null
                ? session is null
                    ? null
                    : stop => IsGoodSessionAsync(session, stop)
                : stop => isToken ? IsGoodTokenAsync(presented, stop) : new(keys.Find(presented, out _) is not null),
            new(Every, time),
            () => keys.NextEnd,
            ends
        );
    }

    private static async ValueTask<bool> IsGoodSessionAsync(
        Func<CancellationToken, ValueTask<bool>> session,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await session(cancellationToken);
        }
        catch (StorageException)
        {
            return true; // as with tokens
        }
    }

    private async ValueTask<bool> IsGoodTokenAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            await _tokens!.CheckAgainAsync(token, cancellationToken);
            return true;
        }
        catch (TokenRefusedException)
        {
            return false;
        }
        catch (Exception gone) when (gone is StorageException or HttpRequestException)
        {
            return true; // an outage of the store or the provider ends no stream
        }
    }
}

/// <summary>A stream whose credential is watched.</summary>
internal sealed class AuthorizedStream : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended;
    private readonly Task _watching;

    public AuthorizedStream(
        Func<CancellationToken, ValueTask<bool>>? isGood,
        PeriodicTimer timer,
        Func<Task> nextEnd,
        CancellationToken[] ends
    )
    {
        _ended = CancellationTokenSource.CreateLinkedTokenSource(ends);
        Ended = _ended.Token;
        _watching = WatchAsync(isGood, timer, nextEnd);
    }

    public CancellationToken Ended { get; }

    /// <summary>The stream ended because its credential is no longer valid.</summary>
    public bool IsRefused { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _watching;
        _ended.Dispose();
    }

    private async Task WatchAsync(
        Func<CancellationToken, ValueTask<bool>>? isGood,
        PeriodicTimer timer,
        Func<Task> nextEnd
    )
    {
        using var _ = timer;
        try
        {
            // Before the credential is looked at, so that a key which ends meanwhile is looked at again.
            var (tick, end) = (TickAsync(), nextEnd());
            while (isGood is not null)
            {
                if (await Task.WhenAny(tick, end).WaitAsync(Ended) == tick)
                {
                    tick = TickAsync();
                }
                else
                {
                    end = nextEnd();
                }

                if (!await isGood(Ended))
                {
                    IsRefused = true;
                    await _ended.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The stream ended for another reason.
        }

        async Task TickAsync() => await timer.WaitForNextTickAsync(Ended);
    }
}
