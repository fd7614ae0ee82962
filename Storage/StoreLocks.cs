using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;

namespace MinimalMcp.Storage;

/// <summary>
/// Distributed locks. A caller that reads something, changes it and writes it back takes the lock of its name
/// first, where the system behind cannot compare and set: the framework's cache, a page, a task. A replica that dies in
/// its turn blocks that name for a minute, and no longer.
/// </summary>
internal sealed class StoreLocks(Store store, TimeProvider time) : PartitionedRateLimiter<string>
{
    // Longer than the timeout of a call, so that what is done in a turn is over before the turn is.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    // About five seconds, of waiting for another replica.
    private const int Attempts = 250;

    // In this process callers wait in a queue, and the first of them asks the store.
    private readonly PartitionedRateLimiter<string> _queue = PartitionedRateLimiter.Create<string, string>(name =>
        RateLimitPartition.GetConcurrencyLimiter(name, _ => new() { PermitLimit = 1, QueueLimit = 100 })
    );

    public override RateLimiterStatistics? GetStatistics(string resource) => null;

    protected override RateLimitLease AttemptAcquireCore(string resource, int permitCount) => new Turn(null);

    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(
        string resource,
        int permitCount,
        CancellationToken cancellationToken
    )
    {
        var place = await _queue.AcquireAsync(resource, 1, cancellationToken);
        var isTaken = false;
        try
        {
            var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(resource)));
            var owner = Guid.NewGuid().ToString("N");
            for (var attempt = 0; place.IsAcquired && attempt < Attempts; attempt++)
            {
                var now = time.GetUtcNow();
                isTaken = await store.TryTakeTurnAsync(
                    name,
                    owner,
                    now.ToUnixTimeMilliseconds(),
                    (now + Longest).ToUnixTimeMilliseconds(),
                    CancellationToken.None
                );
                if (isTaken)
                {
                    return new Turn(() => EndAsync(name, owner, place));
                }

                await Task.Delay(10 + Random.Shared.Next(20), cancellationToken);
            }

            return new Turn(null);
        }
        finally
        {
            if (!isTaken)
            {
                place.Dispose();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _queue.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task EndAsync(string name, string owner, RateLimitLease place)
    {
        try
        {
            await store.EndTurnAsync(name, owner, CancellationToken.None);
        }
        catch (StorageException)
        {
            // The lock expires by itself.
        }
        finally
        {
            place.Dispose();
        }
    }

    private sealed class Turn(Func<Task>? end) : RateLimitLease
    {
        private Func<Task>? _end = end;

        public override bool IsAcquired { get; } = end is not null;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, [NotNullWhen(true)] out object? metadata)
        {
            metadata = null;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            _ = Interlocked.Exchange(ref _end, null)?.Invoke();
            base.Dispose(disposing);
        }
    }
}
