using System.Security.Claims;
using System.Text;
using MinimalMcp.Auth;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

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
    private readonly DateTimeOffset _created = time.GetUtcNow();
    private ClaimsPrincipal? _user;
    private IDisposable? _listChanges;
    private Task? _listening;
    private long _used = time.GetTimestamp();
    private long _checked = time.GetTimestamp();
    private int _busy;
    private int _isOut;
    private long _calls;

    public string Id => id;

    /// <summary>What of the id may be shown.</summary>
    public string Name => SessionIds.Name(id);

    public required Caller Caller { get; init; }

    public string? Address { get; init; }

    /// <summary>The audit log has an entry of its beginning.</summary>
    public bool IsAnnounced { get; set; }

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

    /// <summary>Counts a tool call.</summary>
    public void Count(in JsonRpcEnvelope message)
    {
        if (message.Method is RequestMethods.ToolsCall)
        {
            Interlocked.Increment(ref _calls);
        }
    }

    public OpenSession Described() =>
        new(
            Name,
            Line is null ? "http" : "sse",
            Caller,
            ((handshake ?? Line?.Handshake)?.Name ?? "", (handshake ?? Line?.Handshake)?.ClientVersion ?? ""),
            (handshake ?? Line?.Handshake)?.Version,
            _created,
            time.GetUtcNow() - time.GetElapsedTime(Used),
            Line?.Calls ?? Volatile.Read(ref _calls)
        );

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
