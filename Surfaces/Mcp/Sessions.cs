using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>The sessions of revisions with a handshake, over Streamable HTTP: capped, ended when idle, each bound to its caller.</summary>
internal sealed class Sessions(IOptions<McpOptions> options, FullLane full, ListChanges changes, TimeProvider time, ILoggerFactory loggers) : BackgroundService
{
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    public int Count => _sessions.Count;

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

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(Math.Clamp(options.Value.SessionIdle.TotalSeconds / 4, 0.05, 60)), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var session in _sessions.Values.Where(session => session.IsIdle(options.Value.SessionIdle)))
                {
                    await CloseAsync(session);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Shutting down: what is open ends cleanly.
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
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _used;
    private int _busy;
    private int _streams;

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

    /// <summary>Completes when the SDK's server runs.</summary>
    public Task ConversationStarted => _started.Task;

    /// <summary>A session has one event stream at a time.</summary>
    public bool TryOpenStream() => Interlocked.CompareExchange(ref _streams, 1, 0) == 0;

    public void CloseStream() => Volatile.Write(ref _streams, 0);

    public void Touch() => Volatile.Write(ref _used, _time.GetTimestamp());

    public bool IsIdle(TimeSpan limit) => Volatile.Read(ref _busy) == 0 && _time.GetElapsedTime(Volatile.Read(ref _used)) > limit;

    /// <summary>Keeps the session from counting as idle while something runs.</summary>
    public Use InUse()
    {
        Interlocked.Increment(ref _busy);
        return new(this);
    }

    /// <summary>What an open event stream is waiting for before the SDK's server takes it over: a changed list.</summary>
    public Func<string, Task>? QuietStream { get; set; }

    public async ValueTask DisposeAsync()
    {
        _listChanges.Dispose();
        await _ended.CancelAsync();
        if (_conversation.IsValueCreated)
        {
            await (await _conversation.Value).DisposeAsync();
        }
    }

    private async Task<Conversation> StartAsync()
    {
        var transport = new StreamableHttpServerTransport(_loggers) { SessionId = Id, FlowExecutionContextFromRequests = true };
        var server = _full.Start(transport);
        var running = server.RunAsync(_ended.Token);
        var hello = _initialize.Deserialize(FullLane.MessageInfo)!;
        await transport.HandlePostRequestAsync(hello, Stream.Null, _ended.Token);
        await transport.HandlePostRequestAsync(new JsonRpcNotification { Method = NotificationMethods.InitializedNotification }, Stream.Null, _ended.Token);
        _started.TrySetResult();
        return new(transport, server, running);
    }

    private async Task NotifyAsync(string method)
    {
        if (HasConversation)
        {
            var conversation = await _conversation.Value;
            await conversation.Server.SendMessageAsync(new JsonRpcNotification { Method = method }, _ended.Token);
        }
        else if (QuietStream is { } stream)
        {
            await stream(method);
        }
    }

    internal sealed record Conversation(StreamableHttpServerTransport Transport, McpServer Server, Task Running) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Transport.DisposeAsync();
            await Server.DisposeAsync();
            try
            {
                await Running;
            }
            catch (OperationCanceledException)
            {
                // That is how it ends.
            }
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
