using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Hub;

/// <summary>A server in mode api-key, and an operator who registers other servers there.</summary>
internal sealed class RegisteredServers : IAsyncDisposable
{
    public const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private RegisteredServers(TestServer server)
    {
        Server = server;
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
    }

    public TestServer Server { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static RegisteredServers Start(params (string, string)[] settings) => Start(null, settings);

    public static RegisteredServers Start(Action<IServiceCollection>? services, params (string, string)[] settings) =>
        new(TestServer.Start(services, [("Auth:Mode", "api-key"), ("Auth:ApiKey", Key), .. settings]));

    /// <summary>Registers a server over HTTP, whose tools need no confirmation.</summary>
    public async Task<long> AddAsync(
        string name,
        Uri url,
        string transport = "streamable_http",
        string auth = "none",
        object? config = null,
        int restarts = 1000
    ) => (
            await SendAsync(
                "POST",
                "",
                new
                {
                    name,
                    url,
                    transport_type = transport,
                    auth_type = auth,
                    auth_config = config ?? new { },
                    risk = "LOW",
                    max_restarts = restarts,
                }
            )
        ).GetProperty("id").GetInt64();

    public async Task<JsonElement> SendAsync(string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(new(method), "/api/v1/servers" + path);
        request.Content = body is null ? null : TestServer.Json(body);
        using var answer = await Server.Http.SendAsync(request, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {text}");
        return JsonElement.Parse(text);
    }

    /// <summary>Waits until the server has the status, and gives the reason.</summary>
    public async Task<string?> BecomesAsync(long id, string status)
    {
        JsonElement shown = default;
        try
        {
            await Wait.Until(async () =>
                (shown = await SendAsync("GET", $"/{id}")).GetProperty("status").ValueEquals(status)
                || shown.GetProperty("status").ValueEquals("error") // which lasts
            );
            Assert.True(shown.GetProperty("status").ValueEquals(status), $"The server never was {status}, but {shown}");
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The server never was {status}, but {shown}");
        }

        return shown.GetProperty("reason").GetString();
    }

    public async Task<string[]> ToolsAsync() =>
        [
            .. (await Server.McpAsync("tools/list"))
                .Result.GetProperty("tools")
                .EnumerateArray()
                .Select(tool => tool.GetProperty("name").GetString()!),
        ];

    public Task<McpAnswer> CallAsync(string tool, object arguments) =>
        Server.McpAsync("tools/call", new { name = tool, arguments });

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
