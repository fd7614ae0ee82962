using System.Diagnostics;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>
/// Writes the figures of each minute to the store, and those of the ten minutes that it is part of: an hour is read
/// from the one, a week from the other. While the store is away they wait in memory.
/// </summary>
internal sealed partial class UsageWriter(
    CallRecorder recorder,
    AuthAttempts attempts,
    ISessionSource sessions,
    Store store,
    TimeProvider time,
    ILogger<UsageWriter> logger
) : BackgroundService
{
    // Of minutes; of ten minutes as long as there are windows, and a day more.
    private static readonly TimeSpan KeptMinutes = TimeSpan.FromHours(3),
        Kept = TimeSpan.FromDays(8);

    private const int MaxUnsaved = 60;

    private readonly Lock _lock = new();
    private readonly List<(TimeSpan Length, UsagePeriod Period)> _unsaved = [];
    private readonly Dictionary<string, long> _counted = new(StringComparer.Ordinal);
    private UsagePeriod _ten = new(time.GetUtcNow().Floor(Periods.TenMinutes));
    private DateTimeOffset _cut;
    private TimeSpan _cpu = Environment.CpuUsage.TotalTime;
    private long _measured = time.GetTimestamp();

    /// <summary>Whose rows are this server's own.</summary>
    public string ReplicaId { get; } = Replica.NewId();

    /// <summary>
    /// The periods of that length that are only in memory yet: the current one, and those that wait for the store.
    /// </summary>
    public IReadOnlyList<UsagePeriod> Unwritten(TimeSpan length)
    {
        lock (_lock)
        {
            var current = Copy(recorder.Current);
            CountSignIns(current, isRead: true);
            if (length == Periods.TenMinutes)
            {
                var minute = current;
                current = Copy(_ten);
                current.Add(minute);
            }

            current.Process = ProcessNow();
            return [.. _unsaved.Where(one => one.Length == length).Select(one => one.Period), current];
        }
    }

    /// <summary>What this process uses now.</summary>
    public ProcessUse ProcessNow()
    {
        var passed = time.GetElapsedTime(_measured);
        var share =
            passed < TimeSpan.FromSeconds(1)
                ? 0
                : (Environment.CpuUsage.TotalTime - _cpu) / passed / Environment.ProcessorCount;
        using var process = Process.GetCurrentProcess();
        return new(
            Environment.WorkingSet,
            Math.Round(Math.Clamp(share * 100, 0, 100), 1),
            process.Threads.Count,
            sessions.Sessions.Count()
        );
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var now = time.GetUtcNow();
            await Task.Delay(now.Floor(Periods.Minute) + Periods.Minute - now, time, stoppingToken);
            using var timer = new PeriodicTimer(Periods.Minute, time);
            do
            {
                await WriteAsync();
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            await WriteAsync(); // the last part of a minute counts as a minute
        }
    }

    private async Task WriteAsync()
    {
        MetricsRow[] rows;
        lock (_lock)
        {
            Roll();
            rows =
            [
                .. _unsaved
                    .Append((Periods.TenMinutes, _ten))
                    .Select(one => new MetricsRow
                    {
                        Seconds = (long)one.Item1.TotalSeconds,
                        At = one.Item2.At.ToUnixTimeMilliseconds(),
                        Replica = ReplicaId,
                        Figures = one.Item2.ToJson(),
                    }),
            ];
        }

        try
        {
            await store.WriteMetricsAsync(rows, CancellationToken.None);
            lock (_lock)
            {
                _unsaved.Clear();
            }

            await CutAsync();
        }
        catch (StorageException gone)
        {
            LogNotWritten(gone.Message);
        }
    }

    private void Roll()
    {
        var minute = recorder.Roll();
        CountSignIns(minute, isRead: false);
        minute.Process = ProcessNow();
        (_cpu, _measured) = (Environment.CpuUsage.TotalTime, time.GetTimestamp());
        if (minute.At.Floor(Periods.TenMinutes) is var ten && ten != _ten.At)
        {
            _unsaved.Add((Periods.TenMinutes, _ten)); // again, where it was written: with the last minute of it
            _ten = new(ten);
        }

        _ten.Add(minute);
        _unsaved.Add((Periods.Minute, minute));
        if (_unsaved.Count > MaxUnsaved)
        {
            _unsaved.RemoveAt(0);
        }
    }

    // What came since the minute before.
    private void CountSignIns(UsagePeriod minute, bool isRead)
    {
        foreach (var (outcome, count) in attempts.Read())
        {
            if (count - _counted.GetValueOrDefault(outcome) is > 0 and var more)
            {
                minute.SignIns[outcome] = minute.SignIns.GetValueOrDefault(outcome) + more;
            }

            if (!isRead)
            {
                _counted[outcome] = count;
            }
        }
    }

    private async Task CutAsync()
    {
        var now = time.GetUtcNow();
        if (now - _cut < TimeSpan.FromHours(1))
        {
            return;
        }

        foreach (
            var (length, kept) in ((TimeSpan, TimeSpan)[])[(Periods.Minute, KeptMinutes), (Periods.TenMinutes, Kept)]
        )
        {
            await store.CutMetricsAsync(
                (long)length.TotalSeconds,
                (now - kept).ToUnixTimeMilliseconds(),
                CancellationToken.None
            );
        }

        _cut = now;
    }

    private static UsagePeriod Copy(UsagePeriod period)
    {
        var copy = new UsagePeriod(period.At);
        copy.Add(period);
        return copy;
    }

    [LoggerMessage(LogLevel.Warning, "Figures of the last minute not written, retrying in a minute {Reason}")]
    private partial void LogNotWritten(string reason);
}
