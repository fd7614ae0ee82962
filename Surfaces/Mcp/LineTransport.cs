using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>What every conversation over lines needs.</summary>
internal sealed record LineServices(
    DirectPath Direct,
    SdkPath Sdk,
    ListChangeNotifier Changes,
    ResourceUpdates Updates,
    LogMessages Logs,
    JsonRpcMetrics Metrics,
    IOptions<McpOptions> Options,
    ILogger<LineTransport> Logger
);

/// <summary>
/// A conversation of one message after the other, over one pair of streams: stdio, and HTTP+SSE of 2024-11-05. Reads
/// strictly, answers what the direct path can answer, and is the transport of one SDK server for the rest.
/// </summary>
internal sealed class LineTransport : ITransport
{
    private readonly string _surface;
    private readonly Func<ToolSet> _tools;
    private readonly LineServices _services;
    private readonly Task _toolsReady;
    private readonly Func<ReadOnlyMemory<byte>, CancellationToken, Task> _send;
    private readonly Channel<JsonRpcMessage> _toServer = Channel.CreateUnbounded<JsonRpcMessage>(
        new() { SingleReader = true }
    );

    private readonly ConcurrentDictionary<RequestId, TaskCompletionSource<JsonRpcMessage>> _asked = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _inputEnded = new();
    private readonly InFlightRequests _inFlight = new();
    private readonly SemaphoreSlim _room;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Lock _starting = new();
    private readonly ResourceSubscriptions _subscriptions;
    private IDisposable? _listChanges;
    private Handshake? _handshake;
    private Task? _running;
    private long _calls;

    /// <param name="toolsReady">Before it completes, only what needs no tools is answered.</param>
    /// <param name="send">Writes one message; never called twice at once.</param>
    public LineTransport(
        string surface,
        Func<ToolSet> tools,
        LineServices services,
        Task toolsReady,
        Func<ReadOnlyMemory<byte>, CancellationToken, Task> send
    )
    {
        (_surface, _tools, _services, _toolsReady, _send) = (surface, tools, services, toolsReady, send);
        _room = new(MaxInFlight, MaxInFlight);
        _subscriptions = new(services.Updates, services.Logs, message => SendAsync(message, _ended.Token));
    }

    public string? SessionId => null;

    /// <summary>Null before the client sent it.</summary>
    public Handshake? Handshake => _handshake;

    /// <summary>The number of tool calls.</summary>
    public long Calls => Volatile.Read(ref _calls);

    public ChannelReader<JsonRpcMessage> MessageReader => _toServer.Reader;

    private int MaxInFlight => _services.Options.Value.MaxInFlight;

    /// <summary>
    /// Takes one message. Returns when there is room for the next, not when it is answered: a long call must not hold
    /// up a ping or its own cancellation.
    /// </summary>
    public async Task ReceiveAsync(ReadOnlyMemory<byte> message, CallOrigin origin, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        _ = HandleAsync(message, origin);
    }

    /// <summary>Answers a message that could not be read.</summary>
    public async Task RefuseAsync(JsonRpcException refused)
    {
        using var answer = refused.ToJson();
        await SendAsync(answer.Written, _ended.Token);
    }

    /// <summary>Writes something between two messages.</summary>
    public async Task WriteBetweenAsync(Func<CancellationToken, Task> write, CancellationToken cancellationToken)
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

    /// <summary>The input has ended: waits until everything that was received is answered. Subscriptions end.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await _inputEnded.CancelAsync();
        for (var i = 0; i < MaxInFlight; i++)
        {
            await _room.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Ends the conversation: what runs is cancelled, and nothing is written when this returns.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested)
        {
            return;
        }

        await _ended.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listChanges?.Dispose();
        _subscriptions.Dispose();
        await _sending.WaitAsync();
        _sending.Release();
        _toServer.Writer.TryComplete();
        await (_running ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>What the SDK's server says: an answer that is waited for, or something of its own accord.</summary>
    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        if (message is JsonRpcResponse or JsonRpcError)
        {
            // Nobody waits for it when it was cancelled in this moment.
            if (_asked.TryGetValue(((JsonRpcMessageWithId)message).Id, out var asked))
            {
                asked.TrySetResult(message);
            }

            return;
        }

        await SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, SdkPath.MessageInfo), cancellationToken);
    }

    private async Task HandleAsync(ReadOnlyMemory<byte> message, CallOrigin origin)
    {
        var started = Stopwatch.GetTimestamp();
        string? method = null;
        var errorCode = 0;
        try
        {
            using var document = JsonRpcEnvelope.Parse(new ReadOnlySequence<byte>(message));
            if (
                document.RootElement.ValueKind is JsonValueKind.Array
                && _handshake?.Version == ProtocolRevision.V2025_03_26
            )
            {
                using var answers = new JsonBuffer();
                await Batch.AnswerAsync(document.RootElement, answers, _services.Logger, one =>
                    AnswerAsync(one, origin)
                );
                await SendAsync(answers.Written, _ended.Token);
                return;
            }

            var envelope = JsonRpcEnvelope.Read(document.RootElement);
            method = envelope.Method;
            await OneAsync(envelope, origin);
        }
        catch (JsonRpcException refused)
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

        _services.Metrics.Record(method, _surface, started, errorCode);
    }

    private async Task OneAsync(JsonRpcEnvelope envelope, CallOrigin origin)
    {
        try
        {
            using var answer = await AnswerAsync(envelope, origin);
            if (answer is not null)
            {
                await SendAsync(answer.Written, _ended.Token);
            }
        }
        catch (Exception failure) when (InternalError.Is(failure) && !IsGone(failure))
        {
            throw InternalError.Explain(failure, envelope, _services.Logger);
        }
    }

    private async Task RefuseQuietlyAsync(JsonRpcException refused)
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

    private static bool IsGone(Exception failure) =>
        failure is OperationCanceledException or IOException or ObjectDisposedException;

    // Null for what has no answer: a notification, or a response to the server.
    private async ValueTask<JsonBuffer?> AnswerAsync(JsonRpcEnvelope envelope, CallOrigin origin)
    {
        var version = VersionOf(envelope);
        if (!envelope.IsRequest)
        {
            await NoteAsync(envelope, origin);
            return null;
        }

        if (envelope.Method is RequestMethods.ToolsCall)
        {
            Interlocked.Increment(ref _calls);
        }

        var ends = envelope.Method is RequestMethods.SubscriptionsListen ? _inputEnded.Token : _ended.Token;
        using var request = _inFlight.Begin(envelope, ends);
        var isEarly = DirectPath.NeedsNoTools(envelope.Method, version);
        if (!isEarly)
        {
            await _toolsReady.WaitAsync(request.Token);
        }

        var tools = isEarly ? null : _tools();
        if (tools is not null && !_services.Direct.Takes(envelope, version, tools, _handshake))
        {
            return await AskServerAsync(envelope, version, tools, origin, request.Token);
        }

        var answer = new JsonBuffer();
        await _services.Direct.AnswerAsync(envelope, version, tools, origin, _surface, answer, request.Token);
        return answer;
    }

    private async Task NoteAsync(JsonRpcEnvelope envelope, CallOrigin origin)
    {
        if (_running is not null)
        {
            await _toolsReady;
            _toServer.Writer.TryWrite(_services.Sdk.Message(envelope, null, _tools(), origin, _subscriptions));
        }

        if (envelope.Method == "notifications/cancelled")
        {
            _inFlight.Cancel(envelope);
        }
    }

    private async Task<JsonBuffer> AskServerAsync(
        JsonRpcEnvelope envelope,
        string version,
        ToolSet tools,
        CallOrigin origin,
        CancellationToken cancellationToken
    )
    {
        // Of 2026-07-28 the SDK reads the version itself, with what comes beside it.
        var request = (JsonRpcRequest)
            _services.Sdk.Message(
                envelope,
                ProtocolRevision.IsModern(version) ? null : version,
                tools,
                origin,
                _subscriptions
            );
        var asked = new TaskCompletionSource<JsonRpcMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_asked.TryAdd(request.Id, asked))
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidRequest,
                "Invalid request: this id is in use by a running request.",
                envelope.Id
            );
        }

        try
        {
            lock (_starting)
            {
                _running ??= RunAsync();
            }

            _toServer.Writer.TryWrite(request);
            var message = await asked.Task.WaitAsync(cancellationToken);
            var answer = new JsonBuffer();
            var writer = answer.StartWriting();
            JsonSerializer.Serialize(writer, message, SdkPath.MessageInfo);
            writer.Flush();
            return answer;
        }
        finally
        {
            _asked.TryRemove(new(request.Id, asked));
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await using var server = _services.Sdk.Start(this, _handshake);
            await server.RunAsync(_ended.Token);
        }
        finally
        {
            foreach (var asked in _asked.Values)
            {
                asked.TrySetCanceled();
            }
        }
    }

    // Since 2026-07-28 every request says which revision it speaks, and what its client can do.
    private string VersionOf(in JsonRpcEnvelope envelope)
    {
        if (ProtocolRevision.IsHandshake(envelope))
        {
            return Remember(Handshake.Read(envelope));
        }

        var stated = envelope.Meta(ProtocolRevision.VersionKey);
        var known = ProtocolRevision.Known(stated);
        if (known is null && stated.ValueKind is JsonValueKind.String && ProtocolRevision.IsModern(stated.GetString()))
        {
            throw ProtocolRevision.Unsupported(stated.GetString()!, envelope.Id);
        }

        if (
            envelope.IsRequest
            && ProtocolRevision.IsModern(known)
            && envelope.Meta(ProtocolRevision.CapabilitiesKey).ValueKind is not JsonValueKind.Object
        )
        {
            throw new JsonRpcException(
                JsonRpcErrorCode.InvalidParams,
                "Invalid params: _meta needs \"io.modelcontextprotocol/clientCapabilities\", an object.",
                envelope.Id
            );
        }

        return known ?? _handshake?.Version ?? ProtocolRevision.NewestWithHandshake;
    }

    private string Remember(Handshake handshake)
    {
        lock (_starting)
        {
            _handshake = handshake;
            _listChanges ??= _services.Changes.Listen(NotifyAsync);
        }

        if (_ended.IsCancellationRequested)
        {
            _listChanges.Dispose(); // it ended in this moment
        }

        return handshake.Version;
    }

    private Task NotifyAsync(string method) =>
        SendAsync(Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}"), _ended.Token);

    private Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        message.IsEmpty
            ? Task.CompletedTask
            : WriteBetweenAsync(
                stop => _ended.IsCancellationRequested ? Task.CompletedTask : _send(message, stop),
                cancellationToken
            );
}
