using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Protocol;

/// <summary>The SDK's own client, with a user and a model that always answer the same.</summary>
internal static class SdkClient
{
    public const string Streamable = "streamable";
    public const string Sse = "sse";

    public static Task<McpClient> ConnectAsync(TestServer server, string transport, string version) =>
        McpClient.CreateAsync(
            new HttpClientTransport(
                new()
                {
                    Endpoint = new(server.Url, transport == Sse ? "sse" : "mcp"),
                    TransportMode = transport == Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
                }
            ),
            new McpClientOptions
            {
                ProtocolVersion = version,
                InitializationTimeout = Wait.Limit,
                DiscoverProbeTimeout = Wait.Limit,
                Handlers = new()
                {
                    ElicitationHandler = (request, _) =>
                        new(
                            new ElicitResult
                            {
                                Action = "accept",
                                Content = request!.RequestedSchema!.Properties.Keys.ToDictionary(
                                    key => key,
                                    _ => JsonSerializer.SerializeToElement("ada")
                                ),
                            }
                        ),
                    SamplingHandler = (_, _, _) =>
                        new(
                            new CreateMessageResult
                            {
                                Model = "test",
                                Role = Role.Assistant,
                                Content = [new TextContentBlock { Text = "model says hi" }],
                            }
                        ),
                },
            },
            cancellationToken: TestContext.Current.CancellationToken
        );

    /// <summary>The first two reports.</summary>
    public sealed class Collected : IProgress<ProgressNotificationValue>
    {
        private readonly List<float> _values = [];
        private readonly TaskCompletionSource<float[]> _two = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<float[]> Two => _two.Task;

        public void Report(ProgressNotificationValue value)
        {
            lock (_values)
            {
                _values.Add(value.Progress);
                if (_values.Count == 2)
                {
                    _two.TrySetResult([.. _values]);
                }
            }
        }
    }
}
