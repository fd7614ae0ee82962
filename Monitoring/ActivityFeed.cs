using System.Threading.Channels;
using MinimalMcp.Storage;

namespace MinimalMcp.Monitoring;

/// <summary>
/// New events of all replicas, for those who listen. While somebody does, one loop reads the store each second; calls
/// pay nothing for it.
/// </summary>
internal sealed class ActivityFeed(ActivityLog log)
{
    // The listeners of this replica, those of one user, and the events that wait for a slow one.
    private const int MaxListeners = 100,
        MaxOfUser = 20,
        MaxWaiting = 1_000;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly List<Listener> _listeners = [];
    private readonly Lock _lock = new();
    private bool _isPolling;

    /// <summary>Null when there are too many listeners.</summary>
    public Listener? Listen(string user)
    {
        var listener = new Listener(this, user);
        lock (_lock)
        {
            if (_listeners.Count >= MaxListeners || _listeners.Count(one => one.User == user) >= MaxOfUser)
            {
                return null;
            }

            _listeners.Add(listener);
            if (!_isPolling)
            {
                _isPolling = true;
                _ = Task.Run(PollAsync);
            }
        }

        return listener;
    }

    private async Task PollAsync()
    {
        long? last = null;
        while (true)
        {
            try
            {
                last ??= await log.NewestAsync(CancellationToken.None);
                var events = await log.ReadAfterAsync(last.Value, CancellationToken.None);
                last = events.Count > 0 ? events[^1].Id : last;
                Publish(events, last.Value);
                if (events.Count == ActivityLog.MaxLimit)
                {
                    continue; // there are more
                }
            }
            catch (StorageException)
            {
                // The next look says more. Who listens waits meanwhile.
            }

            await Task.Delay(Every);
            lock (_lock)
            {
                if (_listeners.Count == 0)
                {
                    _isPolling = false;
                    return;
                }
            }
        }
    }

    private void Publish(IReadOnlyList<ActivityEvent> events, long last)
    {
        lock (_lock)
        {
            foreach (var listener in _listeners)
            {
                listener.Publish(events, last);
            }
        }
    }

    private void Leave(Listener listener)
    {
        lock (_lock)
        {
            _listeners.Remove(listener);
        }
    }

    /// <summary>One stream. One that is too slow ends, and its client opens it again where it was.</summary>
    internal sealed class Listener(ActivityFeed feed, string user) : IDisposable
    {
        private readonly Channel<ActivityEvent> _events = Channel.CreateBounded<ActivityEvent>(MaxWaiting);
        private readonly TaskCompletionSource<long> _began = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string User => user;

        public ChannelReader<ActivityEvent> Events => _events.Reader;

        /// <summary>The id of the last event that <see cref="Events"/> does not have.</summary>
        public Task<long> Began => _began.Task;

        public void Publish(IReadOnlyList<ActivityEvent> events, long last)
        {
            // The first look may have read some of before.
            if (_began.TrySetResult(last))
            {
                return;
            }

            foreach (var one in events)
            {
                if (!_events.Writer.TryWrite(one))
                {
                    _events.Writer.TryComplete();
                    return;
                }
            }
        }

        public void Dispose() => feed.Leave(this);
    }
}
