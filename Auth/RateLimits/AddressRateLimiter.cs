using System.Net;
using System.Threading.RateLimiting;

namespace MinimalMcp.Auth;

/// <summary>
/// A sliding-window limit per client address. Counts are in memory, per replica: the limit slows down guessing and need
/// not be exact.
/// </summary>
internal sealed class AddressRateLimiter(RateLimit figure) : IDisposable
{
    // The number of counters is fixed, so that memory is bounded. HashCode is seeded per process: nobody can choose
    // whose counter to share.
    private const int Counters = 1 << 14;

    // Created on first use: each limiter keeps a timer running.
    private readonly Lazy<PartitionedRateLimiter<IPAddress>> _limiter = new(() =>
        PartitionedRateLimiter.Create<IPAddress, int>(address =>
            RateLimitPartition.GetSlidingWindowLimiter(HashCode.Combine(address) & (Counters - 1), _ => new()
                {
                    PermitLimit = figure.Permits,
                    Window = figure.Window,
                    SegmentsPerWindow = 10,
                })
        )
    );

    /// <summary>Takes a permit. Returns null on success, otherwise how long to wait.</summary>
    public TimeSpan? TryTake(IPAddress address) => Acquire(address, 1);

    /// <summary>
    /// Checks without taking a permit. Returns null when one is available, otherwise how long to wait. For limits that
    /// count only failures.
    /// </summary>
    public TimeSpan? WaitOf(IPAddress address) => _limiter.IsValueCreated ? Acquire(address, 0) : null;

    public void Dispose()
    {
        if (_limiter.IsValueCreated)
        {
            _limiter.Value.Dispose();
        }
    }

    private TimeSpan? Acquire(IPAddress address, int permits)
    {
        using var lease = _limiter.Value.AttemptAcquire(address, permits);
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) && wait > TimeSpan.Zero ? wait
            : figure.Window;
    }
}
