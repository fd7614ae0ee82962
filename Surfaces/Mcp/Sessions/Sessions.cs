using System.Security.Claims;
using System.Text;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;
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
) : IHostedService, ISessionMigrationHandler, IDisposable
{
    // What another replica ended is honoured here for no longer.
    private static readonly TimeSpan AskedAgain = TimeSpan.FromSeconds(10);

    private readonly SessionTable _open = new();
    private PeriodicTimer? _timer;
    private Task _sweeping = Task.CompletedTask;

    public int Count => _open.Count;

    /// <summary>Whether it is in memory now.</summary>
    public bool IsHere(string id) => _open.Find(id) is not null;

    /// <summary>Those whom the sessions are counted for.</summary>
    public int Callers => _open.Callers;

    /// <summary>Opens a session, or gives null when there are too many and none is idle.</summary>
    public async ValueTask<Session?> OpenAsync(HttpContext http, Handshake handshake) =>
        options.Value.MaxSessions == 0
            ? null
            : Open(
                http,
                await ids.NewAsync(handshake, OwnerOf(http.User), http.RequestAborted),
                handshake,
                options.Value.MaxSessions
            );

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
            await CloseAsync(session); // another replica was told
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
        await CloseAsync(session);
    }

    public async Task CloseAsync(Session session)
    {
        if (_open.Remove(session))
        {
            await session.DisposeAsync();
        }
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
        var session = new Session(id, OwnerOf(http.User), CallerOf(http), handshake, _open, sdk, time, services);
        var isOpen = _open.TryAdd(session, options.Value.MaxSessionsPerCaller, max, out var removed);
        foreach (var oldest in removed)
        {
            _ = oldest.DisposeAsync().AsTask();
        }

        if (!isOpen)
        {
            return null;
        }

        session.Listen(changes, updates, logs);
        return session;
    }

    private async Task SweepAsync(PeriodicTimer timer)
    {
        while (await timer.WaitForNextTickAsync())
        {
            foreach (var session in _open.All.Where(session => session.IsIdle(options.Value.SessionIdle)))
            {
                await CloseAsync(session);
            }
        }

        foreach (var session in _open.All)
        {
            await CloseAsync(session);
        }
    }
}

/// <summary>
/// One session. Most clients open one per conversation and then only list and call, which the direct path answers; so
/// the SDK's session behind it, fifteen kilobytes, is started when a message first needs it.
/// </summary>
internal sealed class Session(
    string id,
    string owner,
    string countedFor,
    Handshake? handshake,
    SessionTable open,
    SdkEndpoints sdk,
    TimeProvider time,
    IServiceProvider services
) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _starting = new();
    private ClaimsPrincipal? _user;
    private IDisposable? _listChanges;
    private Task? _listening;
    private long _used = time.GetTimestamp();
    private long _checked = time.GetTimestamp();
    private int _busy;
    private int _isOut;

    public string Id => id;

    public string Owner => owner;

    public string CountedFor => countedFor;

    /// <summary>Null when this is a stream without a handshake of Streamable HTTP.</summary>
    public Handshake? Handshake => handshake;

    /// <summary>The conversation over HTTP+SSE that this is.</summary>
    public LineTransport? Line { get; set; }

    /// <summary>Requests of this session that are being worked on.</summary>
    public InFlightRequests InFlight { get; } = new();

    /// <summary>What the server says beside its answers; a GET attaches itself to it.</summary>
    public SessionEvents Events { get; } = new();

    /// <summary>The resources that its client wants to hear of; null without a handshake.</summary>
    public ResourceSubscriptions? Subscriptions { get; private set; }

    public CancellationToken Ended => _ended.Token;

    public bool HasConversation => Volatile.Read(ref _listening) is not null;

    public bool IsBusy => Volatile.Read(ref _busy) > 0;

    public long Used => Volatile.Read(ref _used);

    /// <summary>The last use that <see cref="SessionTable"/> knows of: its key, written there alone.</summary>
    public long KnownUse { get; set; }

    public void Touch() => Volatile.Write(ref _used, time.GetTimestamp());

    public bool IsIdle(TimeSpan limit) => !IsBusy && time.GetElapsedTime(Used) > limit;

    /// <summary>True once after each such time.</summary>
    public bool IsToBeChecked(TimeSpan every)
    {
        var last = Volatile.Read(ref _checked);
        return time.GetElapsedTime(last) > every
            && Interlocked.CompareExchange(ref _checked, time.GetTimestamp(), last) == last;
    }

    /// <summary>Keeps the session from counting as idle while something runs.</summary>
    public Use InUse()
    {
        Interlocked.Increment(ref _busy);
        return new(this);
    }

    /// <summary>
    /// Whether it is busy, and so out of the order of the idle ones until its last use ends. That use may end in this
    /// moment: one of the two sees what the other wrote, since both write before they read.
    /// </summary>
    public bool LeavesOrder()
    {
        if (!IsBusy)
        {
            return false;
        }

        Interlocked.Exchange(ref _isOut, 1);
        return IsBusy || Interlocked.Exchange(ref _isOut, 0) == 0;
    }

    public void Listen(ListChangeNotifier changes, ResourceUpdates updates, LogMessages logs)
    {
        if (handshake is not null)
        {
            Subscriptions = new(updates, logs, SendAsync);
            _listChanges = changes.Listen(NotifyAsync);
        }
    }

    /// <summary>
    /// Starts the SDK's session, if it is not there yet, with the one GET that it takes: what it says beside its
    /// answers goes to <see cref="Events"/>, however often the client's own stream is cut and opened again.
    /// </summary>
    public async Task ConverseAsync(ClaimsPrincipal user)
    {
        lock (_starting)
        {
            _user ??= user;
            _listening ??= sdk.Get(Request("GET", Events));
        }

        if (await Task.WhenAny(_listening, Events.Opened).WaitAsync(Ended) == _listening)
        {
            await _listening;
            throw new OperationCanceledException("The session has ended."); // in this moment
        }
    }

    /// <summary>Hands the SDK's session a message that has no answer, out of a batch.</summary>
    public Task PostAsync(in JsonRpcEnvelope message)
    {
        var http = Request("POST", Stream.Null);
        http.Request.Headers.Accept = "application/json, text/event-stream";
        http.Request.Headers["MCP-Protocol-Version"] = handshake!.Version;
        http.Request.ContentType = "application/json";
        http.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(message.Root.GetRawText()));
        return sdk.Post(http);
    }

    // Whatever goes wrong in one session's end must not keep the other sessions, or the server, from going on.
    public async ValueTask DisposeAsync()
    {
        _listChanges?.Dispose();
        Subscriptions?.Dispose();
        await _ended.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (HasConversation)
        {
            await sdk.Delete(Request("DELETE", Stream.Null)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _listening!.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The SDK's sessions have no other door than its endpoints.
    private DefaultHttpContext Request(string method, Stream answer)
    {
        var http = new DefaultHttpContext { RequestServices = services, User = _user! };
        http.Request.Method = method;
        http.Request.Headers["Mcp-Session-Id"] = id;
        http.Request.Headers.Accept = "text/event-stream";
        http.Response.Body = answer;
        http.RequestAborted = method == "GET" ? Ended : CancellationToken.None;
        return http;
    }

    private void Return() => open.Return(this);

    private Task NotifyAsync(string method) =>
        SendAsync(Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}"));

    private Task SendAsync(ReadOnlyMemory<byte> message) =>
        Events.SendAsync((byte[])[.. "event: message\ndata: "u8, .. message.Span, .. "\n\n"u8]);

    internal readonly struct Use(Session session) : IDisposable
    {
        public void Dispose()
        {
            session.Touch();
            if (Interlocked.Decrement(ref session._busy) == 0 && Interlocked.Exchange(ref session._isOut, 0) == 1)
            {
                session.Return();
            }
        }
    }
}
