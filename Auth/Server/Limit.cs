using System.Collections.Concurrent;
using System.Net;

namespace MinimalMcp.Auth.Server;

/// <summary>So many times within a time for each address. Kept in memory: it slows down whoever guesses, and counts nothing that must be exact across replicas.</summary>
internal sealed class Limit(int most, TimeSpan window, TimeProvider time)
{
    private const int MaxAddresses = 20_000;

    private readonly ConcurrentDictionary<IPAddress, Queue<DateTimeOffset>> _taken = new();

    /// <summary>Null when it was taken; otherwise how long until one may be taken again.</summary>
    public TimeSpan? TryTake(IPAddress address)
    {
        if (_taken.Count >= MaxAddresses)
        {
            Forget();
        }

        var now = time.GetUtcNow();
        var taken = _taken.GetOrAdd(address, _ => new());
        lock (taken)
        {
            while (taken.TryPeek(out var first) && first + window <= now)
            {
                taken.Dequeue();
            }

            if (taken.Count >= most)
            {
                return taken.Peek() + window - now;
            }

            taken.Enqueue(now);
            return null;
        }
    }

    /// <summary>Takes one back: what was counted beforehand turned out to be right.</summary>
    public void Return(IPAddress address)
    {
        if (_taken.TryGetValue(address, out var taken))
        {
            lock (taken)
            {
                taken.TryDequeue(out _);
            }
        }
    }

    // Those whose window is over; and when a flood of addresses has filled it, all.
    private void Forget()
    {
        var now = time.GetUtcNow();
        foreach (var (address, taken) in _taken)
        {
            lock (taken)
            {
                if (!taken.Any(at => at + window > now))
                {
                    _taken.TryRemove(address, out _);
                }
            }
        }

        if (_taken.Count >= MaxAddresses)
        {
            _taken.Clear();
        }
    }
}
