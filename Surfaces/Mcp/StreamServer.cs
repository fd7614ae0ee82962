using System.Text.Json;
using System.Threading.Channels;
using MinimalMcp.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Surfaces.Mcp;

/// <summary>
/// The SDK's server of a stream conversation: started when a message first needs it, it then hears the client's own handshake before
/// anything else.
/// </summary>
internal sealed class StreamServer(FullLane full, Func<ReadOnlyMemory<byte>, CancellationToken, Task> send, CancellationToken ended) : ITransport
{
    private static readonly RequestId HelloId = new("replayed-initialize");

    private readonly Channel<JsonRpcMessage> _toServer = Channel.CreateUnbounded<JsonRpcMessage>(new() { SingleReader = true });
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _starting = new();
    private List<JsonRpcMessage>? _waiting;
    private JsonElement _initialize;
    private Task? _running;

    public string? SessionId => null;

    public ChannelReader<JsonRpcMessage> MessageReader => _toServer.Reader;

    public bool IsStarted => _running is not null;

    /// <summary>Keeps the client's handshake for the day that the server is needed.</summary>
    public void Remember(in Envelope initialize) => _initialize = initialize.Root.Clone();

    /// <summary>Hands the server a message; it answers by itself.</summary>
    public void Post(in Envelope envelope, ToolSet set, Origin origin)
    {
        var message = FullLane.Message(envelope, null, set, origin);
        lock (_starting)
        {
            if (_running is null)
            {
                _running = RunAsync(full.Start(this));
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

    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        // The answer to the handshake that we replayed is of no interest to the client.
        if (message is JsonRpcMessageWithId { Id: var id } && id.Equals(HelloId))
        {
            Greeted();
            return;
        }

        await send(JsonSerializer.SerializeToUtf8Bytes(message, FullLane.MessageInfo), cancellationToken);
    }

    /// <summary>Lets the server answer what it was handed, and waits for it to end.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_running is null)
        {
            return;
        }

        await _greeted.Task.WaitAsync(cancellationToken);
        _toServer.Writer.TryComplete();
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Waits for the server to end after the conversation did.</summary>
    public async Task EndAsync()
    {
        _toServer.Writer.TryComplete();
        if (_running is not null)
        {
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public ValueTask DisposeAsync() => new(EndAsync());

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

    private async Task RunAsync(McpServer server)
    {
        try
        {
            await using (server)
            {
                await server.RunAsync(ended);
            }
        }
        finally
        {
            _greeted.TrySetResult();
        }
    }
}
