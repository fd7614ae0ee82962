using System.Numerics;

namespace MinimalMcp.Load;

/// <summary>Latencies in buckets whose width grows with the value, so that the error stays below 0.4 percent at every size.</summary>
internal sealed class Histogram
{
    private const int Precision = 7, Linear = 2 << Precision; // each doubling is cut into 128 buckets; below 256 ticks they are exact

    private readonly int[] counts = new int[(63 - Precision) * (1 << Precision) + Linear];

    public long Count => counts.Sum(c => (long)c);

    public void Record(TimeSpan latency) => Interlocked.Increment(ref counts[Bucket(Math.Max(0, latency.Ticks))]);

    public TimeSpan Percentile(double percent)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        long seen = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            if ((seen += counts[i]) >= rank)
            {
                return TimeSpan.FromTicks(Middle(i));
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
