using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;

namespace MinimalMcp.Storage;

/// <summary>
/// Distributed locks: a caller that reads, changes and writes a cache entry takes the lock of its name first, because
/// the framework's cache has no compare-and-set. The lock of a replica that dies is released after half a minute.
/// </summary>
internal sealed class StoreLocks(Store store, TimeProvider time) : PartitionedRateLimiter<string>
{
    // The store fails after a few seconds, so the work under a lock ends long before the lock expires.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private const int Attempts = 250; // about five seconds

    public override RateLimiterStatistics? GetStatistics(string resource) => null;

    protected override RateLimitLease AttemptAcquireCore(string resource, int permitCount) => new Turn(null);

    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(
        string resource,
        int permitCount,
        CancellationToken cancellationToken
    )
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(resource)));
        var owner = Guid.NewGuid().ToString("N");
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var now = time.GetUtcNow();
            if (
                await store.TryTakeTurnAsync(
                    name,
                    owner,
                    now.ToUnixTimeMilliseconds(),
                    (now + Longest).ToUnixTimeMilliseconds(),
                    CancellationToken.None
                )
            )
            {
                return new Turn(() => EndAsync(name, owner));
            }

            await Task.Delay(10 + Random.Shared.Next(20), cancellationToken);
        }

        return new Turn(null);
    }

    private async Task EndAsync(string name, string owner)
    {
        try
        {
            await store.EndTurnAsync(name, owner, CancellationToken.None);
        }
        catch (StorageException)
        {
            // The lock expires by itself.
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
