using System.Security.Claims;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
using MinimalMcp.Configuration;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The sessions of revisions with a handshake: capped, forgotten when idle, each bound to its caller. One that is not
/// here (forgotten, opened before a restart, or at another replica) is opened again from its id. Streams without a
/// session, and conversations over HTTP+SSE, are counted with them.
/// </summary>
internal sealed class Sessions(
    IOptions<McpOptions> options,
    SessionIds ids,
    SdkEndpoints sdk,
    ListChangeNotifier changes,
    ResourceUpdates updates,
    LogMessages logs,
    TimeProvider time,
    IServiceProvider services
) : IHostedService, ISessionMigrationHandler, IStatusFigures, ISessionSource, IDisposable
{
    // What another replica ended is honoured here for no longer.
    private static readonly TimeSpan AskedAgain = TimeSpan.FromSeconds(10);

    private readonly SessionTable _open = new();

    // By the provider: MapMcp() makes this type, before wrong settings can be explained.
    private readonly Lazy<EventLog> _events = new(services.GetRequiredService<EventLog>);

    private PeriodicTimer? _timer;
    private Task _sweeping = Task.CompletedTask;
    private long _opened;

    /// <summary>Those of this replica: opened since its start, and open now.</summary>
    public IEnumerable<(string Name, long Value)> Read() =>
        [("total_sessions", Volatile.Read(ref _opened)), ("active_sessions", Count)];

    public int Count => _open.Count;

    /// <summary>Whether it is in memory now.</summary>
    public bool IsHere(string id) => _open.Find(id) is not null;

    /// <summary>Those whom the sessions are counted for.</summary>
    public int Callers => _open.Callers;

    /// <summary>Those with a client that can be named: not the streams without a session.</summary>
    IEnumerable<OpenSession> ISessionSource.Sessions =>
        _open
            .All.Where(session => session.Handshake is not null || session.Line is not null)
            .Select(session => session.Described());

    public async Task<bool> EndSessionAsync(string id, Caller by)
    {
        if (_open.All.FirstOrDefault(session => session.Name == id) is not { } session)
        {
            return false;
        }

        await ids.EndAsync(session.Id, CancellationToken.None);
        await CloseAsync(session, "ended by an operator", by);
        return true;
    }

    /// <summary>Opens a session, or gives null when there are too many and none is idle.</summary>
    public async ValueTask<Session?> OpenAsync(HttpContext http, Handshake handshake)
    {
        if (options.Value.MaxSessions == 0)
        {
            return null;
        }

        var id = await ids.NewAsync(handshake, OwnerOf(http.User), http.RequestAborted);
        var session = Open(http, id, handshake, options.Value.MaxSessions);
        if (session is not null)
        {
            Announce(session);
        }

        return session;
    }

    /// <summary>Notes in the audit log that it was opened; and later that it ended.</summary>
    public void Announce(Session session)
    {
        session.IsAnnounced = true;
        Note(EventLog.SessionCreated, session, session.Caller, null);
    }

    /// <summary>Counts a stream that has no handshake; its caller closes it. Null when there are too many.</summary>
    public Session? Hold(HttpContext http, int max) => Open(http, SessionIds.Plain(), null, max);

    /// <summary>The session of that id, when it is this caller's. A stranger learns only that there is none.</summary>
    public async ValueTask<Session?> FindAsync(HttpContext http, string id)
    {
        if (_open.Find(id) is not { } session)
        {
            return await ids.ReadAsync(id, OwnerOf(http.User), http.RequestAborted) is { } handshake
                ? Open(http, id, handshake, options.Value.MaxSessions) ?? _open.Find(id) // opened in this moment
                : null;
        }

        if (session.Owner != OwnerOf(http.User))
        {
            return null;
        }

        if (session.IsToBeChecked(AskedAgain) && await ids.HasEndedAsync(id, http.RequestAborted))
        {
            await CloseAsync(session, "ended by its client"); // which told another replica
            return null;
        }

        session.Touch();
        return session;
    }

    /// <summary>The conversation over HTTP+SSE of that id, which lives with its stream here.</summary>
    public LineTransport? FindLine(HttpContext http, string id)
    {
        var session = _open.Find(id);
        if (session?.Line is null || session.Owner != OwnerOf(http.User))
        {
            return null;
        }

        session.Touch();
        return session.Line;
    }

    /// <summary>Its client is done with it: from now on its id opens nothing.</summary>
    public async Task EndAsync(Session session)
    {
        await ids.EndAsync(session.Id, CancellationToken.None);
        await CloseAsync(session, "ended by its client");
    }

    /// <param name="why">For the audit log; null when the server stops, which ends no session that has an id.</param>
    public async Task CloseAsync(Session session, string? why = "its stream ended", Caller? by = null)
    {
        if (_open.Remove(session))
        {
            NoteEnd(session, why, by);
            await session.DisposeAsync();
        }
    }

    private void NoteEnd(Session session, string? why, Caller? by = null)
    {
        if (session.IsAnnounced && why is not null)
        {
            Note(EventLog.SessionEnded, session, by ?? session.Caller, why);
        }
    }

    private void Note(string kind, Session session, Caller by, string? why)
    {
        var open = session.Described();
        _events.Value.Add(
            kind,
            "ok",
            [
                ("session", open.Id),
                ("client", $"{open.Client.Name} {open.Client.Version}".Trim()),
                ("revision", open.Revision),
                ("surface", open.Surface),
                ("user", by == session.Caller ? null : session.Caller.Subject),
            ],
            (by.Subject, by.Client),
            session.Address,
            why
        );
    }

    /// <summary>The SDK asks when it first meets a session that the direct path opened.</summary>
    public async ValueTask<InitializeRequestParams?> AllowSessionMigrationAsync(
        HttpContext context,
        string sessionId,
        CancellationToken cancellationToken
    ) => (await FindAsync(context, sessionId))?.Handshake?.ToParams();

    public ValueTask OnSessionInitializedAsync(
        HttpContext context,
        string sessionId,
        InitializeRequestParams initializeParams,
        CancellationToken cancellationToken
    ) => default;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var seconds = Math.Clamp(options.Value.SessionIdle.TotalSeconds / 4, 0.05, 60);
        _timer = new(TimeSpan.FromSeconds(seconds), time);
        _sweeping = Task.Run(() => SweepAsync(_timer), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>What is open ends cleanly.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _timer?.Dispose();
        return _sweeping.WaitAsync(cancellationToken);
    }

    public void Dispose() => _timer?.Dispose();

    // A user, through a client; empty while nobody is asked who they are. With the length, so that no two names can be
    // read as two others.
    private static string OwnerOf(ClaimsPrincipal user) =>
        user.FindFirstValue("sub") is { } subject
            ? $"{subject.Length} {subject} {user.FindFirstValue("client_id")}"
            : "";

    // Whom a session is counted for: many people may share an address, so it counts only for who has nothing else.
    private static string CallerOf(HttpContext http) =>
        http.User.Identity is { IsAuthenticated: true } && !Caller.From(http.User).IsGuest
            ? OwnerOf(http.User)
            : $"address {CallerAddress.Of(http)}";

    private Session? Open(HttpContext http, string id, Handshake? handshake, int max)
    {
        var session = new Session(id, OwnerOf(http.User), CallerOf(http), handshake, _open, sdk, time, services)
        {
            Caller = Caller.From(http.User),
            Address = http.Connection.RemoteIpAddress?.ToString(),
        };
        var isOpen = _open.TryAdd(session, options.Value.MaxSessionsPerCaller, max, out var removed);
        foreach (var oldest in removed)
        {
            NoteEnd(oldest, "replaced by a newer session: there are too many");
            _ = oldest.DisposeAsync().AsTask();
        }

        if (!isOpen)
        {
            return null;
        }

        Interlocked.Increment(ref _opened);
        session.Listen(changes, updates, logs);
        return session;
    }

    private async Task SweepAsync(PeriodicTimer timer)
    {
        while (await timer.WaitForNextTickAsync())
        {
            foreach (var session in _open.All.Where(session => session.IsIdle(options.Value.SessionIdle)))
            {
                await CloseAsync(session, "idle");
            }
        }

        foreach (var session in _open.All)
        {
            await CloseAsync(session, null);
        }
    }
}
