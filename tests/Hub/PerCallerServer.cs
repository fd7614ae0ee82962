using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using MinimalMcp.Tests.Tools.Notes;

namespace MinimalMcp.Tests.Hub;

/// <summary>
/// A hub with the server "notes" (per_caller), where Alice and Bob have keys of ours and of that server. The server
/// keeps a list for each of its own callers, so that it shows who called it.
/// </summary>
internal sealed class PerCallerServer : IAsyncDisposable
{
    public const string Alice = "aM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
        Bob = "bM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGb";

    /// <summary>Their secrets at the other server, and the operator's there.</summary>
    public const string AliceThere = "aZk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0G",
        BobThere = "bZk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0G",
        Lister = "lZk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0G";

    public static readonly (string, string)[] Callers =
    [
        ("Auth:ApiKeys:alice:Key", Alice),
        ("Auth:ApiKeys:alice:Scopes", "mcp:read mcp:write"),
        ("Auth:ApiKeys:bob:Key", Bob),
        ("Auth:ApiKeys:bob:Scopes", "mcp:read mcp:write"),
    ];

    private readonly TestServer _upstream;

    private PerCallerServer(TestServer upstream, FaultyFront front, RegisteredServers hub) =>
        (_upstream, Front, Hub) = (upstream, front, hub);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public FaultyFront Front { get; }

    public RegisteredServers Hub { get; }

    public long Id { get; private set; }

    public string Page => Hub.Server.BaseUrl + "/connections";

    /// <summary>Which credentials each session at the other server was used with.</summary>
    public ConcurrentDictionary<string, ConcurrentBag<string>> Sessions { get; } = new();

    public static async Task<PerCallerServer> StartAsync(params (string, string)[] settings)
    {
        var upstream = TestServer.Start(
            NotesTools.Alone,
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:alice:Key", AliceThere),
            ("Auth:ApiKeys:bob:Key", BobThere),
            ("Auth:ApiKeys:lister:Key", Lister),
            ("Auth:ApiKeys:lister:Scopes", "mcp:read mcp:write mcp:execute")
        );
        var front = await FaultyFront.StartAsync(upstream.Url);
        var server = new PerCallerServer(upstream, front, RegisteredServers.Start([.. Callers, .. settings]));
        front.Fault = (http, _) =>
        {
            if (http.Request.Headers["Mcp-Session-Id"] is [{ } session])
            {
                server.Sessions.GetOrAdd(session, _ => []).Add(http.Request.Headers.Authorization.ToString());
            }

            return Task.FromResult(false);
        };
        server.Id = await server.Hub.AddAsync(
            "notes",
            new(front.Url, "/mcp"),
            auth: "per_caller",
            config: new { token = Lister }
        );
        await server.Hub.BecomesAsync(server.Id, "active");
        return server;
    }

    public Task<McpAnswer> McpAsync(string key, string method, object parameters, TestServer? at = null) =>
        AskAsync(at ?? Hub.Server, key, method, parameters);

    public Task<McpAnswer> CallAsync(string key, string tool, object? arguments = null, TestServer? at = null) =>
        McpAsync(key, "tools/call", new { name = "notes_" + tool, arguments = arguments ?? new { } }, at);

    /// <summary>The codes on the list that the other server keeps for whoever calls it.</summary>
    public async Task<string[]> PickedAsync(string key, TestServer? at = null)
    {
        var answer = await CallAsync(key, "list_picked", at: at);
        Assert.False(answer.IsError, answer.Message.ToString());
        return CodesOf(answer.Result.GetProperty("structuredContent"));
    }

    public static string[] CodesOf(JsonElement notes) =>
        [.. notes.GetProperty("notes").EnumerateArray().Select(note => note.GetProperty("code").GetString()!)];

    public async Task<(int Status, string Text)> RestAsync(string key, string tool, object? arguments = null)
    {
        using var answer = await Hub.Server.PostAsync(
            $"/tools/notes_{tool}",
            JsonSerializer.Serialize(arguments ?? new { }),
            headers: ("Authorization", "Bearer " + key)
        );
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    /// <summary>What the page's form sends, with the caller's key in place of a session.</summary>
    public async Task StoreAsync(string key, string secret, TestServer? at = null, long? id = null)
    {
        var (status, text) = await SendFormAsync(key, "store", secret, at, id);
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.SeeOther, text);
        Assert.Contains("Your secret was stored.", text);
        Assert.DoesNotContain(secret, text);
    }

    public async Task DeleteAsync(string key)
    {
        var (_, text) = await SendFormAsync(key, "delete", null);
        Assert.Contains("Your secret was deleted.", text);
    }

    public async Task<(HttpStatusCode Status, string Text)> SendFormAsync(
        string key,
        string action,
        string? secret,
        TestServer? at = null,
        long? id = null
    )
    {
        var server = at ?? Hub.Server;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connections");
        request.Headers.Authorization = new("Bearer", key);
        request.Content = new FormUrlEncodedContent(
            new Dictionary<string, string>
            {
                ["server"] = $"{id ?? Id}",
                ["action"] = action,
                ["secret"] = secret ?? "",
            }
        );
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        http.BaseAddress = server.Url;
        using var answer = await http.SendAsync(request, Stop);
        if (answer.StatusCode is not HttpStatusCode.SeeOther)
        {
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
        }

        using var page = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri(new Uri(server.Url, "/connections"), answer.Headers.Location!)
        );
        page.Headers.Authorization = new("Bearer", key);
        using var shown = await http.SendAsync(page, Stop);
        return (shown.StatusCode, await shown.Content.ReadAsStringAsync(Stop));
    }

    /// <summary>How often a session of that secret was ended at the other server.</summary>
    public int EndedOf(string secret) =>
        Front.Requests.Count(request => request.Line == $"DELETE /mcp Bearer {secret}");

    public int OpenedOf(string secret) =>
        Front.Requests.Count(request =>
            request.Line == $"POST /mcp Bearer {secret}" && request.Body.Contains("\"initialize\"")
        );

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        await Front.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    private static async Task<McpAnswer> AskAsync(TestServer server, string key, string method, object parameters)
    {
        using var answer = await server.PostAsync(
            "/mcp",
            JsonSerializer.Serialize(
                new
                {
                    jsonrpc = "2.0",
                    id = 1,
                    method,
                    @params = parameters,
                }
            ),
            "application/json",
            ("Authorization", "Bearer " + key),
            ("MCP-Protocol-Version", "2025-11-25"),
            ("Accept", "application/json, text/event-stream")
        );
        return await McpAnswer.ReadAsync(answer);
    }
}
