using System.Net;
using System.Threading.RateLimiting;

namespace MinimalMcp.Auth;

/// <summary>
/// So many of something within a time, for each address. Kept in memory: it slows down whoever guesses, and counts
/// nothing that must be exact across replicas.
/// </summary>
internal sealed class AddressRateLimiter(RateLimit figure) : IDisposable
{
    // So many counters and no more, whoever comes. A HashCode starts from a secret of this process, so nobody can
    // choose whose counter to share.
    private const int Counters = 1 << 14;

    // Made with the first use: each limiter has a timer that never rests.
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

    /// <summary>Null when it was taken; otherwise how long to wait.</summary>
    public TimeSpan? TryTake(IPAddress address) => Acquire(address, 1);

    /// <summary>
    /// Null when one could be taken; otherwise how long to wait. For limits that count failures only.
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
