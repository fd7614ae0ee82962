using System.Collections.Concurrent;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tools;

/// <summary>Log messages of other servers, between those servers and the conversations that want them.</summary>
internal sealed class LogMessages
{
    // A server may log faster than a client reads.
    private const int MaxPending = 100;

    private readonly ConcurrentDictionary<object, Listener> _listeners = new();

    /// <summary>Raised when somebody wants other levels than before.</summary>
    public event Action? LevelChanged;

    /// <summary>The lowest level that somebody wants; null when nobody does.</summary>
    public LoggingLevel? Lowest =>
        _listeners.Values.Select(listener => (LoggingLevel?)listener.Level).DefaultIfEmpty().Min();

    /// <summary>Listens until the returned handle is disposed.</summary>
    /// <param name="server">The only server to listen to; null for all.</param>
    public IDisposable Listen(LoggingLevel level, string? server, Func<LoggingMessageNotificationParams, Task> send)
    {
        var key = new object();
        _listeners[key] = new(level, server, send);
        LevelChanged?.Invoke();
        return new Registration(() =>
        {
            _listeners.TryRemove(key, out _);
            LevelChanged?.Invoke();
        });
    }

    public void Publish(string server, LoggingMessageNotificationParams message)
    {
        foreach (var listener in _listeners.Values)
        {
            if (message.Level >= listener.Level && (listener.Server ?? server) == server)
            {
                _ = listener.SendAsync(message);
            }
        }
    }

    private sealed class Listener(LoggingLevel level, string? server, Func<LoggingMessageNotificationParams, Task> send)
    {
        private int _pending;

        public LoggingLevel Level => level;

        public string? Server => server;

        public async Task SendAsync(LoggingMessageNotificationParams message)
        {
            if (Interlocked.Increment(ref _pending) <= MaxPending)
            {
                // A client that has gone must not keep the others from hearing.
                await send(message).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            Interlocked.Decrement(ref _pending);
        }
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
