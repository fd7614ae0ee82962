using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>The sessions of revisions with a handshake, over Streamable HTTP: capped, ended when idle, each bound to its caller.</summary>
internal sealed class Sessions(IOptions<McpOptions> options, FullLane full, ListChanges changes, TimeProvider time, ILoggerFactory loggers) : IHostedService, IDisposable
{
    private readonly PeriodicTimer _timer = new(TimeSpan.FromSeconds(Math.Clamp(options.Value.SessionIdle.TotalSeconds / 4, 0.05, 60)), time);
    private Task _sweeping = Task.CompletedTask;
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    public int Count => _sessions.Count;

    /// <summary>Whose a session is: a user, through a client. Empty while nobody is asked who they are. With the length, so that no two names can be read as two others.</summary>
    public static string OwnerOf(ClaimsPrincipal user) => user.FindFirstValue("sub") is { } subject ? $"{subject.Length} {subject} {user.FindFirstValue("client_id")}" : "";

    /// <summary>Opens a session, or gives null when there are too many.</summary>
    public Session? Open(string version, string owner, in Envelope initialize)
    {
        if (_sessions.Count >= options.Value.MaxSessions)
        {
            return null;
        }

        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var session = new Session(id, version, owner, initialize.Root.Clone(), full, changes, loggers, time);
        _sessions[id] = session;
        return session;
    }

    /// <summary>The session of that id, when it is this caller's. A stranger learns no more than that there is none.</summary>
    public Session? Find(string id, string owner)
    {
        if (!_sessions.TryGetValue(id, out var session) || session.Owner != owner)
        {
            return null;
        }

        session.Touch();
        return session;
    }

    public async Task CloseAsync(Session session)
    {
        if (_sessions.TryRemove(session.Id, out _))
        {
            await session.DisposeAsync();
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _sweeping = Task.Run(SweepAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>What is open ends cleanly.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _timer.Dispose();
        return _sweeping.WaitAsync(cancellationToken);
    }

    public void Dispose() => _timer.Dispose();

    private async Task SweepAsync()
    {
        while (await _timer.WaitForNextTickAsync())
        {
            foreach (var session in _sessions.Values.Where(session => session.IsIdle(options.Value.SessionIdle)))
            {
                await CloseAsync(session);
            }
        }

        foreach (var session in _sessions.Values)
        {
            await CloseAsync(session);
        }
    }
}

/// <summary>
/// One session. Most hosts open one per conversation and then only list and call, which the fast lane answers; so the SDK's server behind
/// it, fifteen kilobytes, is started when a message first needs it, by replaying the client's own handshake.
/// </summary>
internal sealed class Session : IAsyncDisposable
{
    private readonly JsonElement _initialize;
    private readonly FullLane _full;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly IDisposable _listChanges;
    private readonly CancellationTokenSource _ended = new();
    private readonly Lazy<Task<Conversation>> _conversation;
    private long _used;
    private int _busy;

    public Session(string id, string version, string owner, JsonElement initialize, FullLane full, ListChanges changes, ILoggerFactory loggers, TimeProvider time)
    {
        Id = id;
        Version = version;
        Owner = owner;
        _initialize = initialize;
        _full = full;
        _loggers = loggers;
        _time = time;
        _used = time.GetTimestamp();
        _conversation = new(StartAsync);
        _listChanges = changes.Listen(NotifyAsync);
    }

    public string Id { get; }

    public string Version { get; }

    public string Owner { get; }

    /// <summary>Requests of this session that the fast lane is working on.</summary>
    public InFlight InFlight { get; } = new();

    public CancellationToken Ended => _ended.Token;

    public bool HasConversation => _conversation.IsValueCreated;

    /// <summary>The SDK's server of this session; started now if it was not needed before.</summary>
    public Task<Conversation> ConversationAsync() => _conversation.Value;

    /// <summary>What the server says beside its answers; a GET attaches itself to it.</summary>
    public SessionEvents Events { get; } = new();

    public void Touch() => Volatile.Write(ref _used, _time.GetTimestamp());

    public bool IsIdle(TimeSpan limit) => Volatile.Read(ref _busy) == 0 && _time.GetElapsedTime(Volatile.Read(ref _used)) > limit;

    /// <summary>Keeps the session from counting as idle while something runs.</summary>
    public Use InUse()
    {
        Interlocked.Increment(ref _busy);
        return new(this);
    }

    // Whatever goes wrong in one session's end must not keep the other sessions, or the server, from going on.
    public async ValueTask DisposeAsync()
    {
        _listChanges.Dispose();
        await _ended.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_conversation.IsValueCreated && await StartedAsync() is { } conversation)
        {
            await conversation.DisposeAsync();
        }
    }

    private async Task<Conversation?> StartedAsync()
    {
        try
        {
            return await _conversation.Value;
        }
        catch (Exception)
        {
            return null; // it never started, and the request that wanted it was told
        }
    }

    private async Task<Conversation> StartAsync()
    {
        var transport = new StreamableHttpServerTransport(_loggers) { SessionId = Id, FlowExecutionContextFromRequests = true };
        var server = _full.Start(transport);
        var conversation = new Conversation(transport, server, server.RunAsync(_ended.Token), transport.HandleGetRequestAsync(Events, _ended.Token));
        try
        {
            var hello = _initialize.Deserialize(FullLane.MessageInfo)!;
            await transport.HandlePostRequestAsync(hello, Stream.Null, _ended.Token);
            await transport.HandlePostRequestAsync(new JsonRpcNotification { Method = NotificationMethods.InitializedNotification }, Stream.Null, _ended.Token);
            return conversation;
        }
        catch
        {
            await conversation.DisposeAsync(); // the session ended while this began
            throw;
        }
    }

    private Task NotifyAsync(string method) => Events.SendAsync(Encoding.UTF8.GetBytes($"event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}\n\n"));

    internal sealed record Conversation(StreamableHttpServerTransport Transport, McpServer Server, Task Running, Task Listening) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Transport.DisposeAsync();
            await Server.DisposeAsync();
            await Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal readonly struct Use(Session session) : IDisposable
    {
        public void Dispose()
        {
            session.Touch();
            Interlocked.Decrement(ref session._busy);
        }
    }
}
