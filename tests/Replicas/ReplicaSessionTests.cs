using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Replicas;

/// <summary>Sessions of the older revisions on two replicas: what docs/operate/replicas.md promises of them.</summary>
[Slow(Minutes = true)]
public sealed class ReplicaSessionTests(PostgresServer postgres)
{
    private const string Version = "2025-11-25";

    private static readonly Dictionary<string, object?> Arguments = new() { ["audience"] = "Team" };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_replica_takes_the_sessions_of_the_other_and_what_ended_at_one_ends_at_both()
    {
        await using var replicas = await ReplicaSet.StartAsync(postgres);
        var (one, other) = (replicas.Urls["replica-1"], replicas.Urls["replica-2"]);
        var session = await OpenAsync(replicas, one);

        // The direct path, the SDK's path, and a notification.
        Assert.Equal(HttpStatusCode.OK, await PostAsync(replicas, other, session, Rpc("tools/list")));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(replicas, other, session, Rpc("prompts/list")));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(replicas, one, session, Rpc("resources/list")));
        Assert.Equal(
            HttpStatusCode.Accepted,
            await PostAsync(replicas, other, session, new { jsonrpc = "2.0", method = "notifications/initialized" })
        );
        foreach (var url in (string[])[other, one, other]) // its event stream, too
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, url + "/mcp")
            {
                Headers =
                {
                    { "Accept", "text/event-stream" },
                    { "Mcp-Session-Id", session },
                    { "MCP-Protocol-Version", Version },
                },
            };
            using var stream = await replicas.Http.SendAsync(get, HttpCompletionOption.ResponseHeadersRead, Stop);
            Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        }

        using var end = new HttpRequestMessage(HttpMethod.Delete, other + "/mcp")
        {
            Headers = { { "Mcp-Session-Id", session }, { "MCP-Protocol-Version", Version } },
        };
        using var ended = await replicas.Http.SendAsync(end, Stop);
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(replicas, other, session, Rpc("tools/list")));
        await Wait.Until(async () =>
            await PostAsync(replicas, one, session, Rpc("tools/list")) == HttpStatusCode.NotFound
        );
    }

    [Fact]
    public async Task A_client_that_is_connected_goes_on_when_its_server_was_restarted()
    {
        await using var replicas = await ReplicaSet.StartAsync(postgres);
        await using var client = await ConnectAsync(replicas.Urls["replica-1"], HttpTransportMode.StreamableHttp);
        Assert.NotEmpty(await client.ListToolsAsync(cancellationToken: Stop));
        Assert.NotEmpty(await client.ListPromptsAsync(cancellationToken: Stop));

        await replicas.RestartAsync("replica-1");

        Assert.NotEmpty(await client.ListToolsAsync(cancellationToken: Stop));
        Assert.NotEmpty(await client.ListPromptsAsync(cancellationToken: Stop));
        await ShareAsync(client);
    }

    [Fact]
    public async Task Behind_nginx_a_question_within_a_call_is_answered_and_a_call_is_cancelled()
    {
        var (asked, gone) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var upstream = await Upstream.StartAsync();
        upstream.Serve = async (http, _) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, http.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            gone.TrySetResult();
        };
        await using var replicas = await ReplicaSet.StartAsync(postgres, upstream.Url);
        for (var n = 0; n < 8; n++) // of eight sessions each replica has some
        {
            await using var client = await ConnectAsync(replicas.Url, HttpTransportMode.StreamableHttp);
            await ShareAsync(client);
        }

        await using var silent = await ConnectAsync(replicas.Url, HttpTransportMode.StreamableHttp);
        using var enough = new CancellationTokenSource();
        var call = silent.CallToolAsync("ask", cancellationToken: enough.Token).AsTask();
        await Wait.Soon(asked.Task);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Wait.Soon(gone.Task);
    }

    [Fact]
    public async Task Behind_nginx_the_first_revisions_transport_works_whichever_way_it_is_opened()
    {
        await using var replicas = await ReplicaSet.StartAsync(postgres);
        foreach (var path in (string[])["/sse", "/mcp", "/sse", "/mcp"])
        {
            await using var client = await ConnectAsync(replicas.Url, HttpTransportMode.Sse, path);
            for (var n = 0; n < 8; n++)
            {
                Assert.NotEmpty(await client.ListToolsAsync(cancellationToken: Stop));
            }

            await ShareAsync(client);
        }
    }

    [Fact]
    public async Task Behind_nginx_tokens_of_16_kB_reach_a_replica()
    {
        await using var replicas = await ReplicaSet.StartAsync(postgres);
        using var request = new HttpRequestMessage(HttpMethod.Get, replicas.Url + "/tools");
        request.Headers.Authorization = new("Bearer", new string('a', 16 * 1024));

        using var answer = await replicas.Http.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    // The tool that asks its user within the call.
    private static async Task ShareAsync(McpClient client)
    {
        var result = await client.CallToolAsync("share_notes", Arguments, cancellationToken: Stop);
        var said = Assert.IsType<TextContentBlock>(result.Content[0]).Text;
        Assert.True(result.IsError is not true && said.Contains("share_", StringComparison.Ordinal), said);
    }

    private static Task<McpClient> ConnectAsync(string url, HttpTransportMode mode, string path = "/mcp") =>
        McpClient.CreateAsync(
            new HttpClientTransport(
                new()
                {
                    Endpoint = new(url + path),
                    TransportMode = mode,
                    ConnectionTimeout = Wait.Limit,
                }
            ),
            new McpClientOptions
            {
                ProtocolVersion = Version,
                InitializationTimeout = Wait.Limit,
                DiscoverProbeTimeout = Wait.Limit,
                Handlers = new()
                {
                    ElicitationHandler = (_, _) =>
                        new(
                            new ElicitResult
                            {
                                Action = "accept",
                                Content = new Dictionary<string, JsonElement>
                                {
                                    ["agreed"] = JsonSerializer.SerializeToElement(true),
                                },
                            }
                        ),
                },
            },
            cancellationToken: Stop
        );

    private static object Rpc(string method) =>
        new
        {
            jsonrpc = "2.0",
            id = 1,
            method,
            @params = new { },
        };

    private static async Task<string> OpenAsync(ReplicaSet replicas, string url)
    {
        var hello = new
        {
            jsonrpc = "2.0",
            id = 1,
            method = "initialize",
            @params = new
            {
                protocolVersion = Version,
                capabilities = new { elicitation = new { } },
                clientInfo = new { name = "test", version = "1" },
            },
        };
        using var answer = await replicas.Http.PostAsJsonAsync(url + "/mcp", hello, Stop);
        return answer.Headers.GetValues("Mcp-Session-Id").Single();
    }

    private static async Task<HttpStatusCode> PostAsync(ReplicaSet replicas, string url, string session, object message)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url + "/mcp")
        {
            Content = JsonContent.Create(message),
            Headers =
            {
                { "Accept", "application/json, text/event-stream" },
                { "Mcp-Session-Id", session },
                { "MCP-Protocol-Version", Version },
            },
        };
        using var answer = await replicas.Http.SendAsync(request, Stop);
        return answer.StatusCode;
    }
}
