using System.Numerics;

namespace MinimalMcp.Load;

/// <summary>
/// Latencies in buckets whose width grows with the value (the idea of HdrHistogram): a percentile is at most 0.4
/// percent from the true value, or half of the 100 ns that a tick is, from 100 ns to centuries. Any number of threads
/// may record.
/// </summary>
internal sealed class Histogram
{
    private const int Precision = 7,
        Linear = 2 << Precision; // each doubling is cut into 128 buckets; below 256 ticks they are exact

    private readonly int[] counts = new int[(63 - Precision) * (1 << Precision) + Linear];
    private long _count,
        _sum,
        _max;

    public long Count => Volatile.Read(ref _count);

    public TimeSpan Mean => Count == 0 ? TimeSpan.Zero : new(Volatile.Read(ref _sum) / Count);

    public TimeSpan Max => new(Volatile.Read(ref _max));

    public void Record(TimeSpan latency)
    {
        var ticks = Math.Max(0, latency.Ticks);
        Interlocked.Increment(ref counts[Bucket(ticks)]);
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _sum, ticks);
        for (var max = Volatile.Read(ref _max); ticks > max; )
        {
            max = Interlocked.CompareExchange(ref _max, ticks, max) is var seen && seen == max ? ticks : seen;
        }
    }

    public TimeSpan Percentile(double percent)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        long seen = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            if ((seen += counts[i]) >= rank)
            {
                return TimeSpan.FromTicks(Math.Min(Middle(i), Max.Ticks));
            }
        }

        return TimeSpan.Zero;
    }

    private static int Bucket(long ticks)
    {
        if (ticks < Linear)
        {
            return (int)ticks;
        }

        var shift = BitOperations.Log2((ulong)ticks) - Precision;
        return (shift << Precision) + (int)(ticks >> shift);
    }

    private static long Middle(int bucket)
    {
        if (bucket < Linear)
        {
            return bucket;
        }

        var shift = (bucket >> Precision) - 1;
        long lowest = (long)(bucket - (shift << Precision)) << shift;
        return lowest + (1L << shift) / 2;
    }
}
