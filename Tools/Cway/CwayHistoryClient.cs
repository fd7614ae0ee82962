using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Caching.Distributed;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Cway;

/// <summary>
/// All projects with their history, which the figures are made of. The history of a project is kept in the host's
/// store and asked for again only when the project's lastActivity has moved; of each event only its time is kept.
/// </summary>
internal sealed class CwayHistoryClient(CwayClient cway, IDistributedCache store, TimeProvider time) : IDisposable
{
    private const int PageSize = 100,
        Batch = 25,
        Parallel = 8,
        Buckets = 64,
        MaxEvents = 20_000, // of one project, the newest
        MaxBytes = 1 << 20; // what the store takes in one piece

    // Projects without lastActivity say nothing about change, so theirs is looked up again after a while.
    private static readonly TimeSpan WithoutActivity = TimeSpan.FromMinutes(10);

    private static readonly DistributedCacheEntryOptions Kept = new() { SlidingExpiration = TimeSpan.FromDays(90) };

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    // Projects whose history Cway refuses, and when it was asked for last.
    private readonly ConcurrentDictionary<string, DateTimeOffset> _refused = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly string _prefix =
        "cway/history/1/"
        + Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{cway.Url}\n{cway.Options.Token ?? cway.Options.ClientId}"))
        )[..16]
        + "/";
    private bool _read;

    internal TimeZoneInfo Zone { get; } = cway.Options.Zone;

    internal DateTimeOffset Now => TimeZoneInfo.ConvertTime(time.GetUtcNow(), Zone);

    internal DateOnly Today => DateOnly.FromDateTime(Now.DateTime);

    /// <summary>All projects as the search has them, without their history.</summary>
    internal async Task<(IReadOnlyList<CwayFoundProject> Projects, string? Note)> ProjectsAsync(CancellationToken ct)
    {
        var (first, note) = await PageAsync(0, ct);
        var total = Math.Min(first.TotalHits ?? 0, cway.Options.MaxProjects);
        var pages = (int)((total + PageSize - 1) / PageSize);
        var rest = new CwayProjectPage[Math.Max(0, pages - 1)];
        await System.Threading.Tasks.Parallel.ForEachAsync(
            Enumerable.Range(0, rest.Length),
            Options(ct),
            async (at, stop) => rest[at] = (await PageAsync(at + 1, stop)).Page
        );
        var projects = rest.Prepend(first)
            .SelectMany(page => page.Projects.Present())
            .Where(project => project.Id is not null)
            .DistinctBy(project => project.Id)
            .Take(cway.Options.MaxProjects)
            .ToArray();
        cway.Percent.Learn(projects.Select(project => project.Progress?.PercentageDone));
        if (first.TotalHits > cway.Options.MaxProjects)
        {
            note = $"Only {cway.Options.MaxProjects} of {first.TotalHits} projects are counted (Cway:MaxProjects).";
        }

        return ([.. projects.Select(cway.Percent.Of)], note);
    }

    /// <summary>All projects with the times of their events.</summary>
    /// <param name="report">Called after each step, with how many there are and what it was.</param>
    internal async Task<CwayWorkspace> LoadAsync(IProgress<ProgressNotificationValue>? report, CancellationToken ct)
    {
        var (projects, note) = await ProjectsAsync(ct);
        await _loading.WaitAsync(ct); // a second caller waits, and finds what the first one fetched
        try
        {
            await ReadKeptAsync(ct);
            var stale = projects.Where(IsStale).ToArray();
            if (stale.Length > 0)
            {
                await FetchAsync(stale, report, ct);
            }

            Forget(projects);
            var unknown = projects.Count(project => _refused.ContainsKey(project.Id!));
            return new(
                [
                    .. projects.Select(project => new CwayFacts(
                        project,
                        _entries.GetValueOrDefault(project.Id!)?.Times ?? []
                    )),
                ],
                Now,
                Zone,
                unknown > 0
                    ? $"The history of {unknown} projects could not be read, so they count as without activity."
                    : note
            );
        }
        finally
        {
            _loading.Release();
        }
    }

    public void Dispose() => _loading.Dispose();

    private async Task<(CwayProjectPage Page, string? Note)> PageAsync(int page, CancellationToken ct)
    {
        var (sent, note) = await cway.AskAsync<CwayProjectPage>(
            "CwaySearchProjects",
            "projects",
            new { filter = (object?)null, paging = CwayShape.Page(page, PageSize) },
            ct
        );
        return (sent ?? new(page, 0, []), note);
    }

    private bool IsStale(CwayFoundProject project) =>
        _refused.TryGetValue(project.Id!, out var asked)
            ? time.GetUtcNow() - asked > WithoutActivity
            : !_entries.TryGetValue(project.Id!, out var kept)
                || kept.Activity != (project.LastActivity ?? "")
                || (project.LastActivity is null && time.GetUtcNow() - kept.Fetched > WithoutActivity);

    private async Task FetchAsync(
        CwayFoundProject[] projects,
        IProgress<ProgressNotificationValue>? report,
        CancellationToken ct
    )
    {
        var batches = projects.Chunk(Batch).ToArray();
        var step = report?.Steps(batches.Length);
        var dirty = new ConcurrentDictionary<int, bool>();
        try
        {
            await System.Threading.Tasks.Parallel.ForEachAsync(batches, Options(ct), async (batch, stop) =>
            {
                await FetchBatchAsync(batch, dirty, stop);
                step?.Invoke($"Reading the history of {projects.Length} projects");
            });
        }
        finally
        {
            // What was fetched before a caller left is kept too: the next one goes on from there.
            await KeepAsync(dirty.Keys, CancellationToken.None);
        }
    }

    private async Task FetchBatchAsync(
        CwayFoundProject[] batch,
        ConcurrentDictionary<int, bool> dirty,
        CancellationToken ct
    )
    {
        JsonElement?[] histories;
        try
        {
            histories = await cway.AskEachAsync("CwayProjectActivity", [.. batch.Select(project => project.Id!)], ct);
        }
        catch (Exception failed)
            when (batch.Length > 1
                && (
                    failed is McpException
                    || failed is HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }
                )
            )
        {
            // Too large; or one was refused, which leaves nothing of the others: a history may not be null (GraphQL,
            // "Handling Field Errors"). Halves find out which one.
            await FetchBatchAsync(batch[..(batch.Length / 2)], dirty, ct);
            await FetchBatchAsync(batch[(batch.Length / 2)..], dirty, ct);
            return;
        }
        catch (McpException)
        {
            _refused[batch[0].Id!] = time.GetUtcNow();
            return;
        }

        foreach (var (project, history) in batch.Zip(histories))
        {
            if (history is { ValueKind: JsonValueKind.Array } events)
            {
                _refused.TryRemove(project.Id!, out _);
                _entries[project.Id!] = new(project.LastActivity ?? "", time.GetUtcNow(), TimesOf(events));
                dirty[BucketOf(project.Id!)] = true;
            }
            else
            {
                _refused[project.Id!] = time.GetUtcNow();
            }
        }
    }

    private static long[] TimesOf(JsonElement events)
    {
        var times = new List<long>(events.GetArrayLength());
        foreach (var one in events.EnumerateArray())
        {
            if (
                one.ValueKind is JsonValueKind.Object
                && one.TryGetProperty("timestamp", out var stamp)
                && stamp.ValueKind is JsonValueKind.Number
                && stamp.TryGetInt64(out var number)
            )
            {
                times.Add(CwayEvent.SecondsOf(number));
            }
        }

        times.Sort();
        return times.Count > MaxEvents ? [.. times.TakeLast(MaxEvents)] : [.. times];
    }

    private void Forget(IReadOnlyList<CwayFoundProject> projects)
    {
        if (_entries.Count + _refused.Count > projects.Count)
        {
            var there = projects.Select(project => project.Id!).ToHashSet(StringComparer.Ordinal);
            foreach (var id in _entries.Keys.Where(id => !there.Contains(id)).ToArray())
            {
                _entries.TryRemove(id, out _);
            }

            foreach (var id in _refused.Keys.Where(id => !there.Contains(id)).ToArray())
            {
                _refused.TryRemove(id, out _);
            }
        }
    }

    private static ParallelOptions Options(CancellationToken ct) =>
        new() { MaxDegreeOfParallelism = Parallel, CancellationToken = ct };

    // Ids are random, so the buckets are about the same size, in every process.
    private static int BucketOf(string id) => SHA256.HashData(Encoding.UTF8.GetBytes(id))[0] % Buckets;

    private async Task ReadKeptAsync(CancellationToken ct)
    {
        if (_read)
        {
            return;
        }

        await System.Threading.Tasks.Parallel.ForEachAsync(
            Enumerable.Range(0, Buckets),
            Options(ct),
            async (bucket, stop) =>
            {
                if (await store.GetAsync(_prefix + bucket, stop) is { } bytes)
                {
                    ReadBucket(bytes);
                }
            }
        );
        _read = true;
    }

    private void ReadBucket(byte[] bytes)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes));
            for (var count = reader.Read7BitEncodedInt(); count > 0; count--)
            {
                var (id, activity) = (reader.ReadString(), reader.ReadString());
                var fetched = DateTimeOffset.FromUnixTimeSeconds(reader.Read7BitEncodedInt64());
                var times = new long[Math.Clamp(reader.Read7BitEncodedInt(), 0, MaxEvents)];
                for (var at = 0; at < times.Length; at++)
                {
                    times[at] = reader.Read7BitEncodedInt64() + (at > 0 ? times[at - 1] : 0);
                }

                _entries.TryAdd(id, new(activity, fetched, times));
            }
        }
        catch (Exception broken) when (broken is IOException or FormatException or ArgumentException)
        {
            // It is fetched again.
        }
    }

    private async Task KeepAsync(IEnumerable<int> buckets, CancellationToken ct)
    {
        var changed = buckets.ToHashSet();
        foreach (
            var bucket in _entries
                .Select(entry => (Bucket: BucketOf(entry.Key), entry.Key, entry.Value))
                .Where(entry => changed.Contains(entry.Bucket))
                .GroupBy(entry => entry.Bucket)
        )
        {
            using var bytes = new MemoryStream();
            await using var writer = new BinaryWriter(bytes);
            var entries = bucket.ToArray();
            writer.Write7BitEncodedInt(entries.Length);
            foreach (var (_, id, entry) in entries)
            {
                writer.Write(id);
                writer.Write(entry.Activity);
                writer.Write7BitEncodedInt64(entry.Fetched.ToUnixTimeSeconds());
                writer.Write7BitEncodedInt(entry.Times.Length);
                for (var at = 0; at < entry.Times.Length; at++)
                {
                    writer.Write7BitEncodedInt64(entry.Times[at] - (at > 0 ? entry.Times[at - 1] : 0));
                }
            }

            writer.Flush();
            if (bytes.Length <= MaxBytes)
            {
                await store.SetAsync(_prefix + bucket.Key, bytes.ToArray(), Kept, ct);
            }
        }
    }

    /// <param name="Activity">The project's lastActivity when its history was fetched.</param>
    /// <param name="Times">Seconds since 1970, sorted.</param>
    private sealed record Entry(string Activity, DateTimeOffset Fetched, long[] Times);
}

/// <summary>A project, and when something happened in it (seconds since 1970, sorted).</summary>
internal sealed record CwayFacts(CwayFoundProject Project, IReadOnlyList<long> Times)
{
    public double Percent => Project.Progress?.PercentageDone ?? 0;

    public bool IsFinished => CwayState.IsFinished(Project.State);
}

/// <summary>What figures are made of, as it was at one moment.</summary>
internal sealed record CwayWorkspace(
    IReadOnlyList<CwayFacts> Projects,
    DateTimeOffset Now,
    TimeZoneInfo Zone,
    string? Note
)
{
    public DateOnly Today => DateOnly.FromDateTime(Now.DateTime);

    public DateTime Local(long seconds) =>
        TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeSeconds(seconds), Zone).DateTime;

    /// <summary>The day of an event: of hundreds of thousands, which is why UTC takes a shorter way.</summary>
    public DateOnly DayOf(long seconds) =>
        Zone == TimeZoneInfo.Utc
            ? DateOnly.FromDayNumber(Epoch + (int)(seconds / 86_400))
            : DateOnly.FromDateTime(Local(seconds));

    private static readonly int Epoch = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;
}
