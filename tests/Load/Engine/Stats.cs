using System.Collections.Concurrent;

namespace MinimalMcp.Load;

/// <summary>What is counted of a scenario, or of one of its steps, while it runs.</summary>
internal sealed class Stats
{
    private const int MaxReasons = 20;

    private readonly ConcurrentDictionary<string, Stats> _steps = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _failures = new(StringComparer.Ordinal);
    private Histogram _second = new();
    private long _ok,
        _fail,
        _bytes,
        _failBefore;
    private int _place;

    /// <summary>Of the calls that went well; those that failed are counted, and their latencies say nothing.</summary>
    public Histogram Latencies { get; } = new();

    public long Ok => Volatile.Read(ref _ok);
    public long Fail => Volatile.Read(ref _fail);
    public long Bytes => Volatile.Read(ref _bytes);
    public IReadOnlyDictionary<string, long> Failures => _failures;

    /// <summary>In the order in which they were first taken.</summary>
    public IEnumerable<(string Name, Stats Stats)> Steps =>
        _steps.OrderBy(step => step.Value._place).Select(step => (step.Key, step.Value));

    /// <summary>One point for each second that ended; in short runs for less.</summary>
    public List<Point> Series { get; } = [];

    public Stats Step(string name) => _steps.GetOrAdd(name, _ => new() { _place = _steps.Count });

    public void Record(TimeSpan latency, Response response)
    {
        if (response.Failure is { } reason)
        {
            Interlocked.Increment(ref _fail);
            _failures.AddOrUpdate(
                _failures.Count < MaxReasons || _failures.ContainsKey(reason) ? reason : "other",
                1,
                static (_, count) => count + 1
            );
            return;
        }

        latency = response.CustomLatencyMs is { } custom ? TimeSpan.FromMilliseconds(custom) : latency;
        Interlocked.Increment(ref _ok);
        Interlocked.Add(ref _bytes, response.SizeBytes);
        Latencies.Record(latency);
        Volatile.Read(ref _second).Record(latency);
    }

    /// <summary>Ends a second, or whatever is the time between two points.</summary>
    public Point Sample(double at, double seconds)
    {
        var second = Interlocked.Exchange(ref _second, new());
        var fail = Fail;
        var point = new Point(
            at,
            second.Count / seconds,
            (fail - _failBefore) / seconds,
            second.Percentile(50).TotalMilliseconds,
            second.Percentile(99).TotalMilliseconds
        );
        _failBefore = fail;
        Series.Add(point);
        return point;
    }
}

/// <summary>A second of a scenario; calls are by the second, latencies in milliseconds.</summary>
internal sealed record Point(double At, double Rate, double Failed, double P50, double P99);
