using Microsoft.Extensions.Options;
using MinimalMcp.Auth.Tokens;
using MinimalMcp.Storage;

namespace MinimalMcp.Auth;

/// <summary>
/// Looks again and again whether the credential that opened a stream is still good: <see cref="CredentialHandler"/>
/// sees a request when it begins, and a stream lasts for as long as its client likes.
/// </summary>
internal sealed class StreamAuthorization(
    IOptions<AuthOptions> options,
    ApiKeys keys,
    TimeProvider time,
    IServiceProvider services
)
{
    // A token is taken for 30 seconds after its end, since clocks differ: this makes a minute of it.
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    private readonly bool _isOff = options.Value.IsOff;
    private readonly bool _takesKeys = options.Value.TakesKeys;
    private readonly IAccessTokenVerifier? _tokens = options.Value.TakesTokens
        ? services.GetRequiredService<IAccessTokenVerifier>()
        : null;

    /// <summary>
    /// A stream that answers this request, until it is disposed. It also ends with any of the tokens.
    /// </summary>
    public AuthorizedStream Open(HttpContext http, params CancellationToken[] ends)
    {
        var presented = _isOff ? null : CredentialVerifier.Presented(http.Request);
        var isToken =
            _tokens is not null
            && presented is not null
            && CredentialVerifier.IsToken(http.Request, presented, _takesKeys);
        // Whoever came without one has none that could end.
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
            return true; // nobody can say now: an outage ends no streams
        }
    }
}

/// <summary>One of them.</summary>
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

    /// <summary>The credential is not good any more, and the stream ended for that.</summary>
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
            // It ended otherwise.
        }
    }
}
