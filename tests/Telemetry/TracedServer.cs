using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Telemetry;

/// <summary>
/// The program as a process that exports to a receiver, with the tools of the tests and a system behind one of them.
/// </summary>
internal sealed class TracedServer : IAsyncDisposable
{
    public const string Key = "the-key-of-the-callers-0123456789",
        UpstreamToken = "the-token-of-the-upstream-0123456789",
        ExportKey = "the-key-of-the-collector-0123456789";

    private readonly ServerProcess _process;
    private readonly WebApplication _upstream;
    private readonly List<IHeaderDictionary> _asked;

    private TracedServer(
        ServerProcess process,
        WebApplication upstream,
        List<IHeaderDictionary> asked,
        OtlpReceiver receiver,
        HttpClient http
    ) => (_process, _upstream, _asked, Receiver, Http) = (process, upstream, asked, receiver, http);

    public OtlpReceiver Receiver { get; }

    /// <summary>With the key that only this server knows.</summary>
    public HttpClient Http { get; }

    public ServerProcess Process => _process;

    /// <summary>The headers of the requests that the upstream got.</summary>
    public IReadOnlyList<IHeaderDictionary> Asked => _asked;

    public static async Task<TracedServer> StartAsync(params (string Name, string Value)[] settings)
    {
        var (receiver, asked) = (await OtlpReceiver.StartAsync(), new List<IHeaderDictionary>());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var upstream = builder.Build();
        // Below a secret, as the addresses of some systems are. It answers one question, and fails at the others.
        upstream.Run(async http =>
        {
            asked.Add(new HeaderDictionary(http.Request.Headers.ToDictionary()));
            var known = http.Request.Method == "GET" && http.Request.Path == $"/{UpstreamToken}/things/1";
            http.Response.StatusCode = known ? 200 : 500;
            await http.Response.WriteAsync("{}");
        });
        await upstream.StartAsync(TestContext.Current.CancellationToken);

        var environment = Environment(receiver, ProgramTools.NotesAnd($"{upstream.Urls.Single()}/{UpstreamToken}/"));
        environment["MCP_AUTH_MODE"] = "api-key";
        environment["MCP_API_KEY"] = Key + Guid.NewGuid().ToString("N");
        environment["Alpha__Token"] = UpstreamToken; // as the settings of a family would have it
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        while (true)
        {
            var url = $"http://127.0.0.1:{FreePort.Find()}";
            var process = ServerProcess.Start([$"--urls={url}"], environment);
            var http = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null })
            {
                BaseAddress = new(url),
                Timeout = TimeSpan.FromSeconds(60),
            };
            http.DefaultRequestHeaders.Authorization = new("Bearer", environment["MCP_API_KEY"]);
            await ServerProcess.ReadyAsync(http, url);
            using var answer = await http.GetAsync(
                new Uri("/metrics", UriKind.Relative),
                TestContext.Current.CancellationToken
            );
            if (answer.IsSuccessStatusCode)
            {
                return new(process, upstream, asked, receiver, http);
            }

            // Another test's server took the port first: it does not know this key.
            await process.DisposeAsync();
            http.Dispose();
        }
    }

    /// <summary>What makes a process export, soon and not after the usual seconds.</summary>
    public static Dictionary<string, string> Environment(
        OtlpReceiver receiver,
        IReadOnlyDictionary<string, string> tools
    ) =>
        new(tools)
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_EXPORTER_OTLP_HEADERS"] = $"api-key={ExportKey}",
            ["OTEL_SERVICE_NAME"] = "traced",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "50",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        };

    public async Task<JsonElement> PostAsync(string path, object body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
        };
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return (
            await McpAnswer.ReadAsync(await Http.SendAsync(request, TestContext.Current.CancellationToken))
        ).Message;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _upstream.DisposeAsync();
        await Receiver.DisposeAsync();
        Http.Dispose();
    }
}
