using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Distributed;

namespace MinimalMcp.Storage;

/// <summary>IDistributedCache over the store: entries survive a restart and are shared by all replicas.</summary>
internal sealed class StoreCache(Store store, TimeProvider time) : IDistributedCache
{
    private const int MaxBytes = 1 << 20;

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        var (name, now) = (Name(key), Now);
        var (value, expires, sliding) = await store.ReadCacheAsync(name, now, token);
        if (value is null)
        {
            return null;
        }

        if (sliding > 0 && expires - now <= sliding)
        {
            try
            {
                await store.TouchCacheAsync(name, now, token);
            }
            catch (StorageException)
            {
                // What can be read is answered while nothing can be written.
            }
        }

        return Convert.FromBase64String(value);
    }

    public Task SetAsync(
        string key,
        byte[] value,
        DistributedCacheEntryOptions options,
        CancellationToken token = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, MaxBytes, nameof(value));
        var absolute = options.AbsoluteExpirationRelativeToNow is { } relative
            ? time.GetUtcNow() + relative
            : options.AbsoluteExpiration ?? DateTimeOffset.MaxValue;
        return store.WriteCacheAsync(
            Name(key),
            Convert.ToBase64String(value),
            absolute.ToUnixTimeMilliseconds(),
            (long)(options.SlidingExpiration?.TotalMilliseconds ?? 0),
            Now,
            token
        );
    }

    public Task RefreshAsync(string key, CancellationToken token = default) =>
        store.TouchCacheAsync(Name(key), Now, token);

    public Task RemoveAsync(string key, CancellationToken token = default) => store.RemoveCacheAsync(Name(key), token);

    // The interface has these too; nothing of ours blocks a thread with them.
    public byte[]? Get(string key) => GetAsync(key).GetAwaiter().GetResult();

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) =>
        SetAsync(key, value, options).GetAwaiter().GetResult();

    public void Refresh(string key) => RefreshAsync(key).GetAwaiter().GetResult();

    public void Remove(string key) => RemoveAsync(key).GetAwaiter().GetResult();

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    // A name may have any length and any letters, and may say who somebody is.
    private static string Name(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
