using System.Net;

namespace MinimalMcp.Auth;

/// <summary>
/// Counts the wrong keys of each address. Whoever guesses gets ten tries in ten minutes; after that no key of the address is looked at, or a right one among
/// them would still be found.
/// </summary>
internal sealed partial class WrongKeys(TimeProvider time, ILogger<WrongKeys> logger)
{
    private const int Allowed = 10;
    private const int MaxAddresses = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Dictionary<IPAddress, Queue<DateTimeOffset>> _tries = [];
    private readonly Lock _lock = new();
    private volatile bool _any;

    /// <summary>How long the address has to wait; null when it may try.</summary>
    public TimeSpan? WaitOf(HttpContext http)
    {
        if (!_any)
        {
            return null; // as it nearly always is
        }

        lock (_lock)
        {
            return _tries.TryGetValue(CallerAddress.Of(http), out var tries) && Recent(tries).Count >= Allowed ? tries.Peek() + Window - time.GetUtcNow() : null;
        }
    }

    public void Add(HttpContext http, string key)
    {
        var address = CallerAddress.Of(http);
        LogWrong(logger, ApiKeys.Prefix(key), address);
        lock (_lock)
        {
            if (!_tries.TryGetValue(address, out var tries))
            {
                MakeRoom();
                _tries[address] = tries = new(Allowed);
                _any = true;
            }

            Recent(tries).Enqueue(time.GetUtcNow());
            if (tries.Count == Allowed)
            {
                LogMany(logger, address, Allowed, Window);
            }
        }
    }

    private Queue<DateTimeOffset> Recent(Queue<DateTimeOffset> tries)
    {
        while (tries.TryPeek(out var oldest) && oldest + Window <= time.GetUtcNow())
        {
            tries.Dequeue();
        }

        return tries;
    }

    // Those whose time is over go first; then, when so many guess at once, whoever comes first.
    private void MakeRoom()
    {
        if (_tries.Count < MaxAddresses)
        {
            return;
        }

        foreach (var (address, _) in _tries.Where(one => Recent(one.Value).Count == 0).ToArray())
        {
            _tries.Remove(address);
        }

        if (_tries.Count >= MaxAddresses)
        {
            _tries.Remove(_tries.Keys.First());
        }
    }

    [LoggerMessage(LogLevel.Warning, "A wrong key ({Prefix}) came from {Address}")]
    private static partial void LogWrong(ILogger logger, string prefix, IPAddress address);

    [LoggerMessage(LogLevel.Warning, "{Address} sent {Count} wrong keys within {Window}: none of its keys is looked at until that time is over")]
    private static partial void LogMany(ILogger logger, IPAddress address, int count, TimeSpan window);
}
