using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Auth.Server;

/// <summary>So many times within a time for each address. Kept in memory: it slows down whoever guesses, and counts nothing that must be exact across replicas.</summary>
internal sealed class Limit(int most, TimeSpan window, TimeProvider time)
{
    private const int MaxAddresses = 20_000;

    private readonly ConcurrentDictionary<string, Queue<DateTimeOffset>> _taken = new(StringComparer.Ordinal);

    /// <summary>Null when it was taken; otherwise how long until one may be taken again.</summary>
    public TimeSpan? TryTake(string key)
    {
        if (_taken.Count >= MaxAddresses)
        {
            Forget();
        }

        var now = time.GetUtcNow();
        var taken = _taken.GetOrAdd(key, _ => new());
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
    public void Return(string key)
    {
        if (_taken.TryGetValue(key, out var taken))
        {
            lock (taken)
            {
                taken.TryDequeue(out _);
            }
        }
    }

    /// <summary>One person's addresses: an IPv6 host has a whole /64 to choose from.</summary>
    public static string KeyOf(IPAddress? address)
    {
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false })
        {
            return address?.MapToIPv4().ToString() ?? "";
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return Convert.ToHexString(bytes[..8]);
    }

    // Those whose window is over; and when a flood of addresses has filled it, all.
    private void Forget()
    {
        var now = time.GetUtcNow();
        foreach (var (key, taken) in _taken)
        {
            lock (taken)
            {
                if (!taken.Any(at => at + window > now))
                {
                    _taken.TryRemove(key, out _);
                }
            }
        }

        if (_taken.Count >= MaxAddresses)
        {
            _taken.Clear();
        }
    }
}
