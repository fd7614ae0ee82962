namespace MinimalMcp.Outgoing;

/// <summary>
/// Limits retries to a tenth of an upstream's requests, and at least three, per window of half a minute.
/// </summary>
internal sealed class RetryBudget(TimeProvider time)
{
    private const int Floor = 3,
        OneIn = 10;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    private readonly Lock _services = new();
    private long _start = time.GetTimestamp();
    private int _calls,
        _retries;

    public void CountCall()
    {
        lock (_services)
        {
            if (time.GetElapsedTime(_start) >= Window)
            {
                (_start, _calls, _retries) = (time.GetTimestamp(), 0, 0);
            }

            _calls++;
        }
    }

    public bool TryTake()
    {
        lock (_services)
        {
            if (_retries >= Math.Max(Floor, _calls / OneIn))
            {
                return false;
            }

            _retries++;
            return true;
        }
    }
}
