namespace MinimalMcp.WellKnown;

/// <summary>The share of all processors that this process used since somebody asked before.</summary>
internal sealed class CpuUsage(TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _asked = time.GetTimestamp();
    private TimeSpan _used = Environment.CpuUsage.TotalTime;
    private double _percent;

    /// <summary>From 0 to 100. Asked again within a second, the answer is the same.</summary>
    public double Percent()
    {
        lock (_lock)
        {
            var (now, used) = (time.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var passed = time.GetElapsedTime(_asked, now);
            if (passed >= Shortest)
            {
                var share = (used - _used) / passed / Environment.ProcessorCount;
                _percent = Math.Round(Math.Clamp(share * 100, 0, 100), 1);
                (_asked, _used) = (now, used);
            }

            return _percent;
        }
    }
}
