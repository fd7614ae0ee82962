using Microsoft.Extensions.Options;
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
    public AuthorizedStream Open(HttpContext http, params CancellationToken[] ends)
    {
        var presented = _isOff ? null : CredentialVerifier.Presented(http.Request);
        var isToken =
            _tokens is not null
            && presented is not null
            && CredentialVerifier.IsToken(http.Request, presented, _takesKeys);
        // Without a credential there is none that could expire.
        return new(
            presented is null
                ? null
                : stop => isToken ? IsGoodTokenAsync(presented, stop) : new(keys.Find(presented, out _) is not null),
            new(Every, time),
            ends
        );
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
        CancellationToken[] ends
    )
    {
        _ended = CancellationTokenSource.CreateLinkedTokenSource(ends);
        Ended = _ended.Token;
        _watching = WatchAsync(isGood, timer);
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

    private async Task WatchAsync(Func<CancellationToken, ValueTask<bool>>? isGood, PeriodicTimer timer)
    {
        using var _ = timer;
        try
        {
            while (isGood is not null && await timer.WaitForNextTickAsync(Ended))
            {
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
    }
}
