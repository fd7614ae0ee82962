using System.Collections.Concurrent;

namespace MinimalMcp.Tools;

/// <summary>
/// Between families, which know when what a resource shows has changed, and the surfaces, which tell the clients that
/// subscribed to it.
/// </summary>
internal sealed class ResourceUpdates
{
    private readonly ConcurrentDictionary<object, (string Uri, Func<string, Task> Listener)> _watchers = new();

    /// <summary>Raised with the URI when the first watches it, and when the last has left.</summary>
    public event Action<string>? Watched,
        Unwatched;

    public IEnumerable<string> AllWatched => _watchers.Values.Select(watcher => watcher.Uri).Distinct();

    /// <summary>Whether somebody wants to know: a family need not look otherwise.</summary>
    public bool IsWatched(string uri) => _watchers.Values.Any(watcher => watcher.Uri == uri);

    /// <summary>Tells everybody who watches the resource.</summary>
    public Task AnnounceAsync(string uri) =>
        Task.WhenAll(
            _watchers.Values.Where(watcher => watcher.Uri == uri).Select(watcher => TellAsync(watcher.Listener, uri))
        );

    /// <summary>Watches until the returned handle is disposed.</summary>
    public IDisposable Watch(string uri, Func<string, Task> listener)
    {
        var key = new object();
        var isFirst = !IsWatched(uri);
        _watchers[key] = (uri, listener);
        if (isFirst)
        {
            Watched?.Invoke(uri);
        }

        return new Registration(() =>
        {
            if (_watchers.TryRemove(key, out _) && !IsWatched(uri))
            {
                Unwatched?.Invoke(uri);
            }
        });
    }

    // A client that has gone must not keep the others from hearing.
    private static async Task TellAsync(Func<string, Task> listener, string uri) =>
        await listener(uri).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
