using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace MinimalMcp.Tests.Hub;

/// <summary>A server with a hub, and what its operator does over HTTP.</summary>
internal sealed class HubServer(TestServer server) : IAsyncDisposable
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public TestServer Server => server;

    public static string Script([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "stand-in.mjs");

    /// <summary>With one server named up, which is active.</summary>
    public static async Task<HubServer> StartAsync(string kind = "full", params (string, string)[] settings)
    {
        var hub = Empty(settings);
        await hub.AddAsync("up", kind);
        return hub;
    }

    public static HubServer Empty(params (string, string)[] settings) =>
        new(
            TestServer.Start([
                ("Hub:CommandsWithoutAuth", "true"),
                ("Governance:Levels:HIGH", "off"), // tests wait by asking again
                .. settings,
            ])
        );

    /// <summary>Registers a stand-in and waits until it is active. Gives its id.</summary>
    public Task<long> AddAsync(string name, string kind, object? more = null) => AddAsync(name, [Script(), kind], more);

    /// <summary>The same for any program of Node.js, or for another command.</summary>
    public async Task<long> AddAsync(string name, string[] args, object? more = null, string? command = null)
    {
        var body = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        body["name"] = name;
        body["command"] = command ?? Path.GetFileName(Needs.Program("install Node.js", "node"));
        body["args"] = JsonSerializer.SerializeToNode(args);
        var (status, created) = await SendAsync("POST", "", body);
        Assert.True(status == 200, $"{created}");
        var id = created.GetProperty("id").GetInt64();
        await ActiveAsync(id);
        return id;
    }

    public Task ActiveAsync(long id = 1) =>
        Wait.Until(async () => (await SendAsync("GET", $"/{id}")).Json.GetProperty("status").GetString() == "active");

    public async Task<(int Status, JsonElement Json)> SendAsync(string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(new(method), "/api/v1/servers" + path);
        request.Headers.Authorization = new("Bearer", Key);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var answer = await server.Http.SendAsync(request, Stop);
        return ((int)answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop)));
    }

    /// <summary>The tool of that own name, as the operator sees it.</summary>
    public async Task<JsonElement> ToolAsync(string name, long id = 1) =>
        (await SendAsync("GET", $"/{id}/tools"))
            .Json.GetProperty("tools")
            .EnumerateArray()
            .Single(tool => tool.GetProperty("own_name").GetString() == name);

    public async Task<string> CallAsync(string tool, object? arguments = null, string path = "/mcp") =>
        (await server.McpAsync("tools/call", new { name = tool, arguments = arguments ?? new { } }, path: path)).Text;

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
