namespace MinimalMcp.Auth.Provider;

/// <summary>
/// A cached document of the provider. It is fetched on first use, after an hour, and when a newer one is needed, but at
/// most twice a minute whatever callers send. While the provider is down, the last good one is used for a day.
/// </summary>
internal sealed class CachedDocument<T>(
    Func<CancellationToken, Task<byte[]>> fetch,
    Func<byte[], T> parse,
    TimeProvider time,
    Action<string> failed
)
    where T : class
{
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1),
        Usable = TimeSpan.FromHours(24),
        Floor = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private volatile Version? _version;
    private volatile Exception? _failure;
    private Task? _fetching;
    private long? _tried;

    /// <summary>The cached document, without a request.</summary>
    public T? Current => _version is { } version && Age(version) < Usable ? version.Value : null;

    /// <summary>Why the last fetch failed.</summary>
    public Exception? Failure => _failure;

    /// <summary>The document; null when none is available.</summary>
    public async ValueTask<T?> GetAsync(CancellationToken cancellationToken)
    {
        var version = _version;
        if (version is null || Age(version) > Fresh)
        {
            // Do not wait for a provider that failed the last time while a cached document is usable.
            var waits = Current is null || _failure is null;
            var fetching = FetchAgain();
            if (waits)
            {
                await fetching.WaitAsync(cancellationToken);
            }
        }

        return Current;
    }

    /// <summary>
    /// A document fetched within the last half minute; null when that failed, even if an older one is cached.
    /// </summary>
    public async ValueTask<T?> GetNewerAsync(CancellationToken cancellationToken)
    {
        await FetchAgain().WaitAsync(cancellationToken);
        return _failure is null ? Current : null;
    }

    private Task FetchAgain()
    {
        lock (_lock)
        {
            if (_fetching is { IsCompleted: false })
            {
                return _fetching;
            }

            if (_tried is { } tried && time.GetElapsedTime(tried) < Floor)
            {
                return Task.CompletedTask;
            }

            _tried = time.GetTimestamp();
            return _fetching = Task.Run(FetchAsync);
        }
    }

    // Without a caller's token: one caller's disconnect must not cancel it for the others.
    private async Task FetchAsync()
    {
        try
        {
            var bytes = await fetch(CancellationToken.None);
            // unchanged keys keep the cached tokens valid
            var same = _version is { } old && bytes.AsSpan().SequenceEqual(old.Bytes) ? old.Value : null;
            _version = new(same ?? parse(bytes), bytes, time.GetTimestamp());
            _failure = null;
        }
        catch (Exception wrong) when (wrong is HttpRequestException or FormatException)
        {
            _failure = wrong;
            failed(wrong.Message);
        }
    }

    private TimeSpan Age(Version version) => time.GetElapsedTime(version.Since);

    private sealed record Version(T Value, byte[] Bytes, long Since);
}
