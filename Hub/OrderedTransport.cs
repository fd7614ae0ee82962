using System.Threading.Channels;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>
/// Takes progress and log messages before the SDK's client, which handles messages at the same time: progress must grow
/// (MCP, basic/utilities/progress), and what belongs to a call must come before its result.
/// </summary>
internal sealed class OrderedTransport(IClientTransport transport, Func<JsonRpcNotification, bool> take)
    : IClientTransport
{
    public string Name => transport.Name;

    public async Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default) =>
        new Session(await transport.ConnectAsync(cancellationToken), take);

    private sealed class Session : ITransport
    {
        private readonly Channel<JsonRpcMessage> _messages = Channel.CreateBounded<JsonRpcMessage>(
            new BoundedChannelOptions(1)
            {
                SingleReader = true,
                SingleWriter = true,
                AllowSynchronousContinuations = true,
            }
        );

        private readonly ITransport _transport;
        private readonly CancellationTokenSource _closed = new();
        private readonly Task _passing;

        public Session(ITransport transport, Func<JsonRpcNotification, bool> take)
        {
            _transport = transport;
            _passing = PassAsync(take);
        }

        public string? SessionId => _transport.SessionId;

        public ChannelReader<JsonRpcMessage> MessageReader => _messages.Reader;

        public Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default) =>
            _transport.SendMessageAsync(message, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            await _closed.CancelAsync();
            await _transport.DisposeAsync();
            await _passing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task PassAsync(Func<JsonRpcNotification, bool> take)
        {
            try
            {
                await foreach (var message in _transport.MessageReader.ReadAllAsync(_closed.Token))
                {
                    if (message is not JsonRpcNotification notification || !take(notification))
                    {
                        await _messages.Writer.WriteAsync(message, _closed.Token);
                    }
                }

                _messages.Writer.TryComplete();
            }
            catch (Exception failure)
            {
                _messages.Writer.TryComplete(failure is OperationCanceledException ? null : failure);
            }
        }
    }
}
