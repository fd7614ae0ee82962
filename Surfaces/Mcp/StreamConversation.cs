using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using MinimalMcp.Governance;
using MinimalMcp.Tools;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// A conversation over one pair of streams: stdio, and HTTP+SSE of 2024-11-05. The fast lane answers what it can, the SDK's server the rest.
/// </summary>
internal sealed class StreamConversation : IAsyncDisposable
{
    private readonly string _transportName;
    private readonly Func<ToolSet> _tools;
    private readonly FastLane _fast;
    private readonly ListChanges _changes;
    private readonly RpcMetrics _metrics;
    private readonly ILogger _logger;
    private readonly int _maxInFlight;
    private readonly Func<ReadOnlyMemory<byte>, CancellationToken, Task> _send;
    private readonly StreamServer _server;
    private readonly CancellationTokenSource _ended = new();
    private readonly InFlight _inFlight = new();
    private readonly SemaphoreSlim _room;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Lock _greeting = new();
    private IDisposable? _listChanges;
    private string? _version;

    /// <param name="send">Writes one message; never called twice at once.</param>
    public StreamConversation(
        string transportName, Func<ToolSet> tools, FastLane fast, FullLane full, ListChanges changes, RpcMetrics metrics, ILogger logger, int maxInFlight,
        Func<ReadOnlyMemory<byte>, CancellationToken, Task> send)
    {
        _transportName = transportName;
        _tools = tools;
        _fast = fast;
        _changes = changes;
        _metrics = metrics;
        _logger = logger;
        _maxInFlight = maxInFlight;
        _send = send;
        _room = new(maxInFlight, maxInFlight);
        _server = new StreamServer(full, SendAsync, _ended.Token);
    }

    /// <summary>
    /// Takes one message. Returns when there is room for the next, not when it is answered: a long call must not hold up a ping or its own
    /// cancellation.
    /// </summary>
    public async Task ReceiveAsync(ReadOnlyMemory<byte> message, Origin origin, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        _ = HandleAsync(message, origin);
    }

    /// <summary>Answers a message that could not be read.</summary>
    public async Task RefuseAsync(RpcException refused)
    {
        using var answer = refused.ToJson();
        await SendAsync(answer.Written, _ended.Token);
    }

    /// <summary>Writes something between two messages.</summary>
    public async Task KeepAliveAsync(Func<CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await write(cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Waits until everything that was received is answered by the fast lane, and the SDK's server has read its last message.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < _maxInFlight; i++)
        {
            await _room.WaitAsync(cancellationToken);
        }

        await _server.CompleteAsync(cancellationToken);
    }

    /// <summary>Ends the conversation: what is under way is cancelled, and nothing is written any more when this returns.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested)
        {
            return;
        }

        await _ended.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listChanges?.Dispose();
        await _sending.WaitAsync();
        _sending.Release();
        await _server.EndAsync();
    }

    private async Task HandleAsync(ReadOnlyMemory<byte> message, Origin origin)
    {
        var started = Stopwatch.GetTimestamp();
        string? method = null;
        var errorCode = 0;
        try
        {
            using var document = Envelope.Parse(new ReadOnlySequence<byte>(message));
            if (document.RootElement.ValueKind is JsonValueKind.Array && _version == Revision.V2025_03_26)
            {
                using var answers = new JsonBuffer();
                await Batch.AnswerAsync(document.RootElement, answers, _logger, one => AnswerAsync(one, origin));
                await SendAsync(answers.Written, _ended.Token);
                return;
            }

            var envelope = Envelope.Read(document.RootElement);
            method = envelope.Method;
            await OneAsync(envelope, origin);
        }
        catch (RpcException refused)
        {
            errorCode = refused.Code;
            await RefuseQuietlyAsync(refused);
        }
        catch (Exception gone) when (IsGone(gone))
        {
            // Cancelled by the client, which wants no answer; or the other side is gone.
        }
        finally
        {
            _room.Release();
        }

        _metrics.Record(method, _transportName, started, errorCode);
    }

    private async Task OneAsync(Envelope envelope, Origin origin)
    {
        try
        {
            using var answer = await AnswerAsync(envelope, origin);
            if (answer is not null)
            {
                await SendAsync(answer.Written, _ended.Token);
            }
        }
        catch (Exception failure) when (Unexpected.Is(failure) && !IsGone(failure))
        {
            throw Unexpected.Explain(failure, envelope, _logger);
        }
    }

    private async Task RefuseQuietlyAsync(RpcException refused)
    {
        try
        {
            await RefuseAsync(refused);
        }
        catch (Exception gone) when (IsGone(gone))
        {
            // Nobody is there to read it.
        }
    }

    private static bool IsGone(Exception failure) => failure is OperationCanceledException or IOException or ObjectDisposedException;

    // Null when there is nothing to answer now: a notification, or a message that the SDK's server answers by itself.
    private async ValueTask<JsonBuffer?> AnswerAsync(Envelope envelope, Origin origin)
    {
        var set = _tools();
        var version = VersionOf(envelope) ?? _version ?? Revision.NewestWithHandshake;
        if (envelope.Method == "initialize")
        {
            version = Hello(envelope);
        }

        if (envelope.Method == "notifications/cancelled")
        {
            _inFlight.Cancel(envelope);
        }

        if (_fast.Takes(envelope, version, set))
        {
            using var request = _inFlight.Begin(envelope, _ended.Token);
            var answer = new JsonBuffer();
            await _fast.AnswerAsync(envelope, version, set, origin, _transportName, answer, request.Token);
            return answer;
        }

        if (envelope.IsRequest || _server.IsStarted)
        {
            _server.Post(envelope, set, origin);
        }

        return null;
    }

    // Since 2026-07-28 every request says which revision it speaks, and what its client can do.
    private static string? VersionOf(in Envelope envelope)
    {
        var stated = envelope.Meta(Revision.VersionKey);
        var known = Revision.Known(stated);
        if (known is null && stated.ValueKind is JsonValueKind.String && Revision.IsModern(stated.GetString()))
        {
            throw Revision.Unsupported(stated.GetString()!, envelope.Id, offered: Revision.V2026_07_28);
        }

        return !Revision.IsModern(known) || !envelope.IsRequest || envelope.Meta(Revision.CapabilitiesKey).ValueKind is JsonValueKind.Object
            ? known
            : throw new RpcException(RpcCode.InvalidParams, "Invalid params: _meta needs \"io.modelcontextprotocol/clientCapabilities\", an object.", envelope.Id);
    }

    // Remembers the handshake.
    private string Hello(in Envelope envelope)
    {
        var version = Revision.Negotiate(envelope);
        _server.Remember(envelope);
        lock (_greeting)
        {
            _listChanges ??= _changes.Listen(NotifyAsync);
        }

        if (_ended.IsCancellationRequested)
        {
            _listChanges.Dispose(); // it ended in this moment
        }

        return _version = version;
    }

    private Task NotifyAsync(string method) => SendAsync(Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}"), _ended.Token);

    private async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        if (message.IsEmpty)
        {
            return;
        }

        await _sending.WaitAsync(cancellationToken);
        try
        {
            if (!_ended.IsCancellationRequested)
            {
                await _send(message, cancellationToken);
            }
        }
        finally
        {
            _sending.Release();
        }
    }
}
