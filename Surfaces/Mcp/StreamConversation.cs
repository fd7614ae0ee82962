using System.Buffers;
using System.Diagnostics;
using System.Security.Claims;
using System.Text.Json;
using System.Threading.Channels;
using MinimalMcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// A conversation over one pair of streams: stdio, and HTTP+SSE of 2024-11-05. The fast lane answers what it can; the SDK's server is
/// started when a message first needs it, and then hears the client's own handshake.
/// </summary>
internal sealed class StreamConversation(
    string transportName, Func<ToolSet> tools, FastLane fast, FullLane full, ListChanges changes, RpcMetrics metrics, ILogger logger, int maxInFlight,
    Func<ReadOnlyMemory<byte>, CancellationToken, Task> send) : ITransport
{
    private static readonly RequestId HelloId = new("replayed-initialize");

    private readonly Channel<JsonRpcMessage> _toServer = Channel.CreateUnbounded<JsonRpcMessage>(new() { SingleReader = true });
    private readonly CancellationTokenSource _ended = new();
    private readonly InFlight _inFlight = new();
    private readonly SemaphoreSlim _room = new(maxInFlight, maxInFlight);
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Lock _starting = new();
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<JsonRpcMessage>? _waiting;
    private IDisposable? _listChanges;
    private Task? _server;
    private JsonElement _initialize;
    private string? _version;

    public string? SessionId => null;

    public ChannelReader<JsonRpcMessage> MessageReader => _toServer.Reader;

    /// <summary>
    /// Takes one message. Returns when there is room for the next, not when it is answered: a long call must not hold up a ping or its own
    /// cancellation.
    /// </summary>
    public async Task ReceiveAsync(ReadOnlyMemory<byte> message, ClaimsPrincipal? user, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        _ = HandleAsync(message, user);
    }

    /// <summary>Answers a message that could not be read.</summary>
    public async Task RefuseAsync(RpcException refused)
    {
        using var answer = new JsonBuffer();
        var writer = answer.StartWriting();
        refused.WriteTo(writer);
        writer.Flush();
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
        for (var i = 0; i < maxInFlight; i++)
        {
            await _room.WaitAsync(cancellationToken);
        }

        if (_server is not null)
        {
            await _greeted.Task.WaitAsync(cancellationToken);
        }

        _toServer.Writer.TryComplete();
        if (_server is not null)
        {
            await _server.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        // The answer to the handshake that we replayed is of no interest to the client.
        if (message is JsonRpcMessageWithId { Id: var id } && id.Equals(HelloId))
        {
            Greeted();
            return;
        }

        await SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, FullLane.MessageInfo), cancellationToken);
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
        _toServer.Writer.TryComplete();
        await _sending.WaitAsync();
        _sending.Release();
        if (_server is not null)
        {
            await _server.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HandleAsync(ReadOnlyMemory<byte> message, ClaimsPrincipal? user)
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
                await Batch.AnswerAsync(document.RootElement, answers, logger, one => AnswerAsync(one, user));
                await SendAsync(answers.Written, _ended.Token);
                return;
            }

            var envelope = Envelope.Read(document.RootElement);
            method = envelope.Method;
            await OneAsync(envelope, user);
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

        metrics.Record(method, transportName, started, errorCode);
    }

    private async Task OneAsync(Envelope envelope, ClaimsPrincipal? user)
    {
        try
        {
            using var answer = await AnswerAsync(envelope, user);
            if (answer is not null)
            {
                await SendAsync(answer.Written, _ended.Token);
            }
        }
        catch (Exception failure) when (Unexpected.Is(failure) && !IsGone(failure))
        {
            throw Unexpected.Explain(failure, envelope, logger);
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
    private async ValueTask<JsonBuffer?> AnswerAsync(Envelope envelope, ClaimsPrincipal? user)
    {
        var set = tools();
        var version = VersionOf(envelope) ?? _version ?? Revision.NewestWithHandshake;
        if (envelope.Method == "initialize")
        {
            version = Hello(envelope);
        }

        if (envelope.Method == "notifications/cancelled")
        {
            _inFlight.Cancel(envelope);
        }

        if (fast.Takes(envelope, version, set))
        {
            using var request = _inFlight.Begin(envelope, _ended.Token);
            var answer = new JsonBuffer();
            await fast.AnswerAsync(envelope, version, set, user, transportName, answer, request.Token);
            return answer;
        }

        if (envelope.IsRequest || _server is not null)
        {
            Converse(envelope, set, user);
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
        var asked = envelope.Param("protocolVersion"u8);
        if (asked.ValueKind is not JsonValueKind.String || Revision.IsModern(asked.GetString()))
        {
            throw asked.ValueKind is JsonValueKind.String
                ? Revision.Unsupported(asked.GetString()!, envelope.Id, offered: Revision.All[1..])
                : new RpcException(RpcCode.InvalidParams, "Invalid params: initialize needs \"protocolVersion\", a string.", envelope.Id);
        }

        _initialize = envelope.Root.Clone();
        lock (_starting)
        {
            _listChanges ??= changes.Listen(NotifyAsync);
        }

        if (_ended.IsCancellationRequested)
        {
            _listChanges.Dispose(); // it ended in this moment
        }

        return _version = Revision.Known(asked) ?? Revision.NewestWithHandshake;
    }

    private void Converse(in Envelope envelope, ToolSet set, ClaimsPrincipal? user)
    {
        var message = FullLane.Message(envelope, null, set, user);
        lock (_starting)
        {
            if (_server is null)
            {
                var server = full.Start(this);
                _server = RunAsync(server);
                if (_initialize.ValueKind is not JsonValueKind.Undefined && envelope.Method != "initialize")
                {
                    // The SDK's server works on all messages at once; only after its handshake does it know what the client can do.
                    var hello = (JsonRpcRequest)_initialize.Deserialize(FullLane.MessageInfo)!;
                    _waiting = [new JsonRpcNotification { Method = NotificationMethods.InitializedNotification }];
                    _toServer.Writer.TryWrite(new JsonRpcRequest { Id = HelloId, Method = hello.Method, Params = hello.Params });
                }
                else
                {
                    _greeted.TrySetResult();
                }
            }

            if (_waiting is null)
            {
                _toServer.Writer.TryWrite(message);
            }
            else
            {
                _waiting.Add(message);
            }
        }
    }

    private void Greeted()
    {
        lock (_starting)
        {
            foreach (var message in _waiting ?? [])
            {
                _toServer.Writer.TryWrite(message);
            }

            _waiting = null;
        }

        _greeted.TrySetResult();
    }

    private async Task RunAsync(ModelContextProtocol.Server.McpServer server)
    {
        try
        {
            await using (server)
            {
                await server.RunAsync(_ended.Token);
            }
        }
        finally
        {
            _greeted.TrySetResult();
        }
    }

    private Task NotifyAsync(string method) => SendMessageAsync(new JsonRpcNotification { Method = method }, _ended.Token);

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
                await send(message, cancellationToken);
            }
        }
        finally
        {
            _sending.Release();
        }
    }
}
