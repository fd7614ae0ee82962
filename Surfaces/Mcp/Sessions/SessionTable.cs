using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The open sessions with their bounds, which are exact however many open at once. Opening costs the same with ten
/// sessions and with ten thousand: each caller's are kept apart, and all idle ones in the order of their use.
/// </summary>
internal sealed class SessionTable
{
    private readonly ConcurrentDictionary<string, Session> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<Session>> _byCaller = new(StringComparer.Ordinal);
    private readonly SortedSet<Session> _byUse = new(Comparer<Session>.Create(CompareUse));
    private readonly Lock _lock = new();

    public int Count => _byId.Count;

    public IEnumerable<Session> All => _byId.Values;

    /// <summary>The callers that have a session.</summary>
    public int Callers
    {
        get
        {
            lock (_lock)
            {
                return _byCaller.Count;
            }
        }
    }

    public Session? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>
    /// Adds a session. Where there is no room the oldest idle one goes, of the caller or of all: it is removed here and
    /// for the caller of this method to end. False when none is idle, or when a session of that id is open.
    /// </summary>
    public bool TryAdd(Session session, int maxOfCaller, int max, out IReadOnlyList<Session> removed)
    {
        List<Session> gone = [];
        removed = gone;
        lock (_lock)
        {
            if (_byId.ContainsKey(session.Id))
            {
                return false;
            }

            var own = _byCaller.GetValueOrDefault(session.CountedFor);
            if (
                own?.Count >= maxOfCaller
                && !TryRemove(own.Where(other => !other.IsBusy).MinBy(other => other.Used), gone)
            )
            {
                return false;
            }

            if (_byId.Count >= max && !TryRemove(OldestIdle(), gone))
            {
                return false;
            }

            _byId[session.Id] = session;
            (CollectionsMarshal.GetValueRefOrAddDefault(_byCaller, session.CountedFor, out _) ??= []).Add(session);
            Order(session);
            return true;
        }
    }

    /// <summary>False when it was removed before.</summary>
    public bool Remove(Session session)
    {
        lock (_lock)
        {
            return TryRemove(session, null);
        }
    }

    /// <summary>A session that was busy when an idle one was looked for is idle again.</summary>
    public void Return(Session session)
    {
        lock (_lock)
        {
            if (_byId.ContainsKey(session.Id))
            {
                Order(session);
            }
        }
    }

    private static int CompareUse(Session one, Session other) =>
        one.KnownUse == other.KnownUse
            ? string.CompareOrdinal(one.Id, other.Id)
            : one.KnownUse.CompareTo(other.KnownUse);

    // The order is that of the uses which are known: a use costs no lock, and is found out about here. What is first
    // in the order and was not used since is the oldest, because no session was used earlier than is known.
    private Session? OldestIdle()
    {
        while (_byUse.Min is { } first)
        {
            if (first.LeavesOrder())
            {
                _byUse.Remove(first); // busy; it comes back by Return
            }
            else if (first.Used == first.KnownUse)
            {
                return first;
            }
            else
            {
                _byUse.Remove(first);
                Order(first);
            }
        }

        return null;
    }

    private void Order(Session session)
    {
        _byUse.Remove(session);
        session.KnownUse = session.Used;
        _byUse.Add(session);
    }

    private bool TryRemove(Session? session, List<Session>? gone)
    {
        if (session is null || !_byId.TryRemove(session.Id, out _))
        {
            return false;
        }

        var own = _byCaller[session.CountedFor];
        own.Remove(session);
        if (own.Count == 0)
        {
            _byCaller.Remove(session.CountedFor);
        }

        _byUse.Remove(session);
        gone?.Add(session);
        return true;
    }
}
