using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text.Json;
using MinimalMcp.Hub;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using Definition = ModelContextProtocol.Protocol.Tool;

namespace MinimalMcp.Tests.Hub;

/// <summary>Another MCP server in this process: it keeps the calls that it got.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly McpServer _server;
    private readonly Task _running;

    private Upstream(McpServer server, McpClient client)
    {
        (_server, Client) = (server, client);
        _running = server.RunAsync(_ended.Token);
    }

    public McpClient Client { get; private set; }

    public ConcurrentQueue<CallToolRequestParams> Calls { get; } = new();

    public static async Task<Upstream> StartAsync(Func<CallToolRequestParams, CallToolResult> answer)
    {
        var (there, back) = (new Pipe(), new Pipe());
        Upstream? upstream = null;
        var server = McpServer.Create(
            new StreamServerTransport(there.Reader.AsStream(), back.Writer.AsStream()),
            new McpServerOptions
            {
                ServerInfo = new() { Name = "upstream", Version = "1" },
                Capabilities = new() { Tools = new() },
                Handlers = new()
                {
                    ListToolsHandler = (_, _) => new(new ListToolsResult()),
                    CallToolHandler = (request, _) =>
                    {
                        upstream!.Calls.Enqueue(request.Params!);
                        return new(answer(request.Params!));
                    },
                },
            }
        );
        upstream = new(server, null!);
        upstream.Client = await McpClient.CreateAsync(
            new StreamClientTransport(there.Writer.AsStream(), back.Reader.AsStream()),
            cancellationToken: TestContext.Current.CancellationToken
        );
        return upstream;
    }

    public async ValueTask<CallToolResult> CallAsync(
        string tool,
        IReadOnlyDictionary<string, JsonElement> arguments,
        UpstreamCaller caller,
        CancellationToken cancellationToken
    ) =>
        await Client.CallToolAsync(
            tool,
            arguments.ToDictionary(argument => argument.Key, object? (argument) => argument.Value),
            caller.Progress,
            cancellationToken: cancellationToken
        );

    public static ServerDefinition Named(string name, long id = 1, string? risk = null) =>
        new()
        {
            Id = id,
            Name = name,
            Risk = risk,
        };

    public static Definition Tool(string name, string input = """{"type":"object"}""", string? more = null) =>
        JsonSerializer.Deserialize<Definition>(
            $$"""{"name":{{JsonSerializer.Serialize(name)}},"inputSchema":{{input}}{{more}}}""",
            McpJsonUtilities.DefaultOptions
        )!;

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _ended.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _server.DisposeAsync();
        _ended.Dispose();
    }
}
