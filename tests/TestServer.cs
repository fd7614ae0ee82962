using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MinimalMcp.Tests;

internal static class NobodysSettings
{
    /// <summary>What a developer keeps at home must not decide what a test sees; child processes inherit it.</summary>
    [ModuleInitializer]
    internal static void Use() =>
        Environment.SetEnvironmentVariable(
            "XDG_CONFIG_HOME",
            Path.Combine(Path.GetTempPath(), "minimal-mcp-tests-without-settings")
        );
}

/// <summary>
/// The server on a real socket, in this process: a fresh one for each test, with the settings that the test names.
/// </summary>
public sealed class TestServer : WebApplicationFactory<Program>
{
    private readonly (string Key, string Value)[] _settings;
    private readonly Action<IServiceCollection>? _services;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("test-server");

    private TestServer((string, string)[] settings, Action<IServiceCollection>? services)
    {
        _settings = settings;
        _services = services;
    }

    public Uri Url => ClientOptions.BaseAddress;

    /// <summary>Without a trailing slash.</summary>
    public string BaseUrl => Url.ToString().TrimEnd('/');

    public HttpClient Http { get; private set; } = null!;

    public static TestServer Start(params (string Key, string Value)[] settings) => Start(null, settings);

    public static TestServer Start(Action<IServiceCollection>? services, params (string Key, string Value)[] settings)
    {
        var server = new TestServer(settings, services);
        // Without a port here: the factory would set it while the program may already be listening. The setting "urls"
        // says it below.
        server.UseKestrel();
        server.StartServer();
        // a stream that a test closes is closed at once
        server.Http = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0 })
        {
            BaseAddress = server.Url,
            Timeout = Wait.Limit,
        };
        return server;
    }

    /// <summary>
    /// Posts one MCP message the way a client of that revision does, and gives the JSON-RPC answer, whichever form it
    /// came in.
    /// </summary>
    public async Task<McpAnswer> McpAsync(
        string method,
        object? parameters = null,
        string version = "2025-11-25",
        string path = "/mcp",
        string? session = null,
        object? id = null,
        string? caller = null,
        string accept = "application/json, text/event-stream"
    )
    {
        var node = JsonSerializer.SerializeToNode(parameters ?? new { })!.AsObject();
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("MCP-Protocol-Version", version);
        request.Headers.Accept.ParseAdd(accept);
        if (session is not null)
        {
            request.Headers.Add("Mcp-Session-Id", session);
        }

        if (caller is not null)
        {
            request.Headers.Add(Tools.TestCaller.Header, caller);
        }

        if (version == "2026-07-28")
        {
            request.Headers.Add("Mcp-Method", method);
            if ((node["name"] ?? node["uri"]) is JsonValue named && named.TryGetValue<string>(out var subject))
            {
                request.Headers.Add("Mcp-Name", subject);
            }

            node["_meta"] = JsonSerializer.SerializeToNode(
                new Dictionary<string, object>
                {
                    ["io.modelcontextprotocol/protocolVersion"] = version,
                    ["io.modelcontextprotocol/clientCapabilities"] = new { },
                }
            );
        }

        request.Content = Json(
            new
            {
                jsonrpc = "2.0",
                id = id ?? 1,
                method,
                @params = node,
            }
        );
        return await McpAnswer.ReadAsync(await Http.SendAsync(request, TestContext.Current.CancellationToken));
    }

    public async Task<HttpResponseMessage> PostAsync(
        string path,
        string body,
        string contentType = "application/json",
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, contentType),
        };
        foreach (var (name, value) in headers)
        {
            Assert.True(
                request.Headers.TryAddWithoutValidation(name, value)
                    || request.Content.Headers.TryAddWithoutValidation(name, value),
                name
            );
        }

        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<JsonElement> GetJsonAsync(string path) =>
        JsonElement.Parse(
            await Http.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken)
        );

    public static StringContent Json(object value) =>
        new(JsonSerializer.Serialize(value), Encoding.UTF8, "application/json");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_folder.Exists)
        {
            _folder.Delete(recursive: true);
        }
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        // Whatever .env a developer keeps in the project must not decide what a test sees.
        builder.UseContentRoot(AppContext.BaseDirectory);
        builder.UseSetting("urls", "http://127.0.0.1:0");
        builder.UseSetting("Storage:Path", Path.Combine(_folder.FullName, "test.db"));
        builder.UseSetting("Auth:Mode", "none"); // a test that is about keys says so itself
        foreach (var (key, value) in _settings)
        {
            builder.UseSetting(key, value);
        }

        builder.ConfigureLogging(logging => logging.ClearProviders());
        if (_services is not null)
        {
            builder.ConfigureServices(_services);
        }
    }
}

/// <summary>An answer to one message: HTTP's part and JSON-RPC's.</summary>
public sealed record McpAnswer(int Status, string? ContentType, JsonElement Message, string? Session)
{
    public JsonElement Result =>
        Message.TryGetProperty("result", out var result)
            ? result
            : throw new InvalidOperationException($"No result in {Message}");

    public JsonElement Error =>
        Message.TryGetProperty("error", out var error)
            ? error
            : throw new InvalidOperationException($"No error in {Message}");

    public int ErrorCode => Error.GetProperty("code").GetInt32();

    public bool IsError => Result.TryGetProperty("isError", out var isError) && isError.GetBoolean();

    public string Text => Result.GetProperty("content")[0].GetProperty("text").GetString()!;

    public static async Task<McpAnswer> ReadAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var type = response.Content.Headers.ContentType?.MediaType;
        var json =
            type == "text/event-stream"
                ? body.Split('\n').LastOrDefault(line => line.StartsWith("data: ", StringComparison.Ordinal))?[6..]
                    ?? ""
                : body;
        var session = response.Headers.TryGetValues("Mcp-Session-Id", out var ids) ? ids.Single() : null;
        return new((int)response.StatusCode, type, json.Length > 0 ? JsonElement.Parse(json) : default, session);
    }
}
