using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging.Abstractions;
using MinimalMcp.Storage;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Storage;

/// <summary>The framework's cache over the store, on both engines.</summary>
public sealed class CacheTests(PostgresServer postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_entry_is_replaced_removed_and_goes_at_its_time(bool shared)
    {
        var time = new ManualTime();
        await using var store = await OpenAsync(shared);
        var cache = new StoreCache(store, time);
        await cache.SetAsync(
            "é\0" + new string('k', 10_000),
            [1, 2, 0, 255],
            new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(10) },
            Stop
        );
        await cache.SetAsync("gone", [1], new(), Stop);
        await cache.SetAsync("gone", [], new(), Stop);
        await cache.SetAsync("ever", Encoding.UTF8.GetBytes("ever"), new(), Stop);

        Assert.Equal([1, 2, 0, 255], await cache.GetAsync("é\0" + new string('k', 10_000), Stop));
        Assert.Empty((await cache.GetAsync("gone", Stop))!);
        await cache.RemoveAsync("gone", Stop);
        Assert.Null(await cache.GetAsync("gone", Stop));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(await cache.GetAsync("é\0" + new string('k', 10_000), Stop));
        time.Advance(TimeSpan.FromDays(10_000));
        Assert.Equal("ever"u8.ToArray(), cache.Get("ever"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            cache.SetAsync("large", new byte[(1 << 20) + 1], new(), Stop)
        );
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_entry_stays_while_it_is_asked_for_but_not_beyond_its_absolute_end(bool shared)
    {
        var time = new ManualTime();
        await using var store = await OpenAsync(shared);
        var cache = new StoreCache(store, time);
        await cache.SetAsync(
            "asked",
            [1],
            new()
            {
                SlidingExpiration = TimeSpan.FromMinutes(10),
                AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(35),
            },
            Stop
        );
        await cache.SetAsync("refreshed", [1], new() { SlidingExpiration = TimeSpan.FromMinutes(10) }, Stop);
        await cache.SetAsync("forgotten", [1], new() { SlidingExpiration = TimeSpan.FromMinutes(10) }, Stop);
        for (var n = 0; n < 3; n++)
        {
            time.Advance(TimeSpan.FromMinutes(10));
            Assert.NotNull(await cache.GetAsync("asked", Stop));
            await cache.RefreshAsync("refreshed", Stop);
        }

        Assert.Null(await cache.GetAsync("forgotten", Stop));
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await cache.GetAsync("asked", Stop));
        Assert.NotNull(await cache.GetAsync("refreshed", Stop));
    }

    [Fact]
    public async Task What_has_expired_is_not_kept()
    {
        var time = new ManualTime();
        var path = TestStores.New();
        await using var store = new Store(new SqliteDatabase(path));
        await store.OpenAsync(Stop);
        var cache = new StoreCache(store, time);
        for (var n = 0; n < 50; n++)
        {
            await cache.SetAsync($"{n}", [1], new() { SlidingExpiration = TimeSpan.FromMinutes(10) }, Stop);
        }

        time.Advance(TimeSpan.FromMinutes(11));
        await cache.SetAsync("new", [1], new(), Stop);

        await using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        Assert.Equal(1L, connection.Run("select count(*) from cache"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Of_many_who_want_a_turn_one_has_it_until_it_gives_it_back_or_dies(bool shared)
    {
        var time = new ManualTime();
        await using var store = await OpenAsync(shared);
        var turns = new StoreLocks(store, time);
        var (inside, most, done) = (0, 0, 0);
        await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(async _ =>
                {
                    using var turn = await turns.AcquireAsync("cart", 1, Stop);
                    Assert.True(turn.IsAcquired);
                    most = Math.Max(most, Interlocked.Increment(ref inside));
                    await Task.Yield();
                    Interlocked.Decrement(ref inside);
                    done++; // not interlocked: one at a time
                })
        );
        Assert.Equal((1, 20), (most, done));

        Assert.True(await store.TryTakeTurnAsync("dead", "a", 1000, 2000, Stop));
        Assert.False(await store.TryTakeTurnAsync("dead", "b", 1999, 3000, Stop));
        await store.EndTurnAsync("dead", "b", Stop); // not b's
        Assert.False(await store.TryTakeTurnAsync("dead", "b", 1999, 3000, Stop));
        Assert.True(await store.TryTakeTurnAsync("dead", "b", 2000, 3000, Stop));
    }

    private async Task<Store> OpenAsync(bool shared)
    {
        var store = new Store(
            shared
                ? new PostgresDatabase(await postgres.NewDatabaseAsync(), NullLogger.Instance)
                : new SqliteDatabase(TestStores.New())
        );
        await store.OpenAsync(Stop);
        return store;
    }
}
