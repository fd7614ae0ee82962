using System.Globalization;
using System.Numerics;
using System.Text;

namespace MinimalMcp.Monitoring;

/// <summary>
/// Durations in buckets of fixed bounds, four for each doubling from 1 µs to 4 minutes, so that histograms of any
/// minutes and replicas can be summed. A percentile is off by at most an eighth.
/// </summary>
internal sealed class DurationHistogram
{
    private const int Size = 108;

    private readonly int[] _counts = new int[Size];

    public long Count => _counts.Sum(count => (long)count);

    public void Record(long microseconds) => Interlocked.Increment(ref _counts[IndexOf(microseconds)]);

    public void Add(DurationHistogram other)
    {
        for (var i = 0; i < Size; i++)
        {
            _counts[i] += Volatile.Read(ref other._counts[i]);
        }
    }

    /// <summary>In milliseconds; null when there are no durations.</summary>
    /// <param name="share">0.95 for the 95th percentile.</param>
    public double? Percentile(double share)
    {
        var rank = share * Count;
        double below = 0;
        for (var i = 0; i < Size; i++)
        {
            if (_counts[i] > 0 && below + _counts[i] >= rank)
            {
                var (low, high) = (LowerBound(i), LowerBound(i + 1));
                return Math.Round((low + ((high - low) * (rank - below) / _counts[i])) / 1000, 3);
            }

            below += _counts[i];
        }

        return null;
    }

    /// <summary>The buckets that are not empty: <c>12:3,13:1</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        for (var i = 0; i < Size; i++)
        {
            if (Volatile.Read(ref _counts[i]) is > 0 and var count)
            {
                text.Append(text.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{i}:{count}");
            }
        }

        return text.ToString();
    }

    /// <summary>Adds what <see cref="ToString"/> wrote.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        foreach (var range in text.Split(','))
        {
            var pair = text[range];
            if (
                pair.IndexOf(':') is > 0 and var colon
                && int.TryParse(pair[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                && int.TryParse(pair[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                && index < Size
            )
            {
                _counts[index] += count;
            }
        }
    }

    // The position of the highest bit, and the two bits after it.
    private static int IndexOf(long microseconds)
    {
        if (microseconds < 4)
        {
            return (int)Math.Max(0, microseconds);
        }

        var log = BitOperations.Log2((ulong)microseconds);
        return Math.Min(Size - 1, ((log - 1) * 4) + (int)((microseconds >> (log - 2)) & 3));
    }

    private static double LowerBound(int index) => index < 4 ? index : (4L + (index % 4)) << ((index / 4) - 1);
}
