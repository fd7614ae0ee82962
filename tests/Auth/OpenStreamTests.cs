using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Storage;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Auth;

/// <summary>What a credential opened does not outlive it, and is nobody else's.</summary>
public sealed class OpenStreamTests
{
    private const string Ping = """{"jsonrpc":"2.0","id":1,"method":"ping"}""";

    private const string Listen = """
        {"jsonrpc":"2.0","id":"sub","method":"subscriptions/listen","params":{
          "notifications":{"toolsListChanged":true},
          "_meta":{
            "io.modelcontextprotocol/protocolVersion":"2026-07-28",
            "io.modelcontextprotocol/clientCapabilities":{}}}}
        """;

    private readonly ManualTime _time = new();

    public static TheoryData<string, string> Ends
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var stream in (string[])["GET /mcp", "GET /mcp in a session", "GET /sse", "subscriptions/listen"])
            {
                foreach (var end in (string[])["revoked", "revoked at another replica", "expired"])
                {
                    rows.Add(stream, end);
                }
            }

            return rows;
        }
    }

    [Theory, MemberData(nameof(Ends))]
    public async Task A_stream_ends_with_the_token_that_opened_it_and_no_other_does(string kind, string end)
    {
        await using var oauth = Start(("Auth:Server:AccessTokenMinutes", "5"));
        var token = Access(await oauth.SignInAsync("public"));
        using var stream = await OpenAsync(oauth.Server, kind, token);
        Assert.Equal(200, stream.Status);
        Assert.NotNull(await stream.LineAsync());
        if (end == "expired")
        {
            _time.Advance(TimeSpan.FromSeconds(299)); // at the end of the first one's life
        }

        var stays = await oauth.RegisterAsync();
        using var other = await OpenAsync(oauth.Server, "GET /mcp", Access(await oauth.SignInAsync(stays)));
        Assert.Equal(": keep-alive", await other.LineAsync());

        switch (end)
        {
            case "revoked":
                using (
                    var answer = await oauth.PostFormAsync("/auth/revoke", [("client_id", "public"), ("token", token)])
                )
                {
                    Assert.True(answer.IsSuccessStatusCode);
                }

                break;
            case "expired":
                _time.Advance(TimeSpan.FromSeconds(32)); // with what clocks may differ by
                break;
            default:
                await oauth
                    .Server.Services.GetRequiredService<Store>()
                    .RevokeGrantAsync(
                        OAuthServer.Claims(token).GetProperty("gid").GetString()!,
                        TestContext.Current.CancellationToken
                    );
                break;
        }

        Assert.Contains(": this stream ends because its credential was revoked or has expired", await EndAsync(stream));
        Assert.Equal(": keep-alive", await other.LineAsync());
        using var again = await OpenAsync(oauth.Server, "GET /mcp", token);
        Assert.True(again.Status == 401 || end == "revoked at another replica"); // which requests learn within a minute
    }

    [Theory, InlineData("GET /mcp"), InlineData("GET /sse"), InlineData("subscriptions/listen")]
    public async Task A_stream_ends_with_the_key_that_opened_it(string kind)
    {
        await using var server = Modes.Start(
            services =>
            {
                NotesTools.Alone(services);
                services.AddSingleton<TimeProvider>(_time);
            },
            "api-key",
            ("Auth:ApiKeys:reader:Expires", "2026-01-01T01:00:00Z"),
            ("Mcp:KeepAlive", "00:00:00.05")
        );
        using var stream = await OpenAsync(server, kind, Modes.Reader);
        using var other = await OpenAsync(server, "GET /mcp", Modes.Key);
        Assert.NotNull(await stream.LineAsync());

        _time.Advance(TimeSpan.FromHours(1));

        Assert.Contains(": this stream ends because its credential was revoked or has expired", await EndAsync(stream));
        Assert.Equal(": keep-alive", await other.LineAsync());
    }

    [Theory]
    [InlineData("ping", "POST", "/mcp", Ping)]
    [InlineData(
        "call",
        "POST",
        "/mcp",
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_picked"}}"""
    )]
    [InlineData("SDK path", "POST", "/mcp", """{"jsonrpc":"2.0","id":1,"method":"prompts/list"}""")]
    [InlineData(
        "notification",
        "POST",
        "/mcp",
        """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"""
    )]
    [InlineData("answer", "POST", "/mcp", """{"jsonrpc":"2.0","id":1,"result":{}}""")]
    [InlineData(
        "hello",
        "POST",
        "/mcp",
        """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":"""
            + """{},"clientInfo":{"name":"t","version":"1"}}}"""
    )]
    [InlineData("batch", "POST", "/mcp", "[" + Ping + "]")]
    [InlineData("events", "GET", "/mcp", null)]
    [InlineData("end", "DELETE", "/mcp", null)]
    [InlineData("message", "POST", "/message", Ping)]
    public async Task A_session_is_not_there_for_another_user_or_another_client(
        string what,
        string method,
        string path,
        string? body
    )
    {
        await using var oauth = Start();
        var own = Access(await oauth.SignInAsync("public"));
        using var sse = await OpenAsync(oauth.Server, "GET /sse", own);
        var address = path == "/message" ? await sse.DataAsync() : path;
        var session = await SessionAsync(oauth.Server, own, what == "batch" ? "2025-03-26" : "2025-11-25");
        var strangers = new[]
        {
            Access(await oauth.SignInAsync("public", OAuthServer.ReaderKey)),
            Access(await oauth.SignInAsync(await oauth.RegisterAsync())),
        };

        foreach (var stranger in strangers)
        {
            Assert.Equal(404, await StatusAsync(stranger));
        }

        Assert.InRange(await StatusAsync(own), 200, 202); // nor did they end it

        async Task<int> StatusAsync(string token)
        {
            using var request = Request(method, address, token, body, path == "/mcp" ? session : null);
            using var answer = await oauth.Server.Http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            );
            return (int)answer.StatusCode;
        }
    }

    private OAuthServer Start(params (string, string)[] settings) =>
        OAuthServer.Start(
            services => services.AddSingleton<TimeProvider>(_time),
            [("Mcp:KeepAlive", "00:00:00.05"), .. settings]
        );

    private static string Access(System.Text.Json.JsonElement tokens) =>
        tokens.GetProperty("access_token").GetString()!;

    private static async Task<Events> OpenAsync(TestServer server, string kind, string credential)
    {
        using var request = kind switch
        {
            "subscriptions/listen" => Request("POST", "/mcp", credential, Listen),
            "GET /mcp in a session" => Request(
                "GET",
                "/mcp",
                credential,
                session: await SessionAsync(server, credential)
            ),
            _ => Request("GET", kind["GET ".Length..], credential),
        };
        if (kind == "GET /mcp")
        {
            request.Headers.Add("MCP-Protocol-Version", "2025-11-25"); // else it would be HTTP+SSE
        }
        else if (kind == "subscriptions/listen")
        {
            request.Headers.Add("MCP-Protocol-Version", "2026-07-28");
            request.Headers.Add("Mcp-Method", kind);
        }

        return new(
            await server.Http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            )
        );
    }

    private static async Task<string> SessionAsync(TestServer server, string credential, string version = "2025-11-25")
    {
        using var request = Request(
            "POST",
            "/mcp",
            credential,
            $$$"""{"jsonrpc":"2.0","id":1,"method":"initialize","params":"""
                + $$$"""{"protocolVersion":"{{{version}}}","capabilities":{},"clientInfo":"""
                + $$$"""{"name":"t","version":"1"} } }"""
        );
        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.Headers.GetValues("Mcp-Session-Id").Single();
    }

    private static HttpRequestMessage Request(
        string method,
        string path,
        string credential,
        string? body = null,
        string? session = null
    )
    {
        var request = new HttpRequestMessage(new(method), path);
        request.Headers.Authorization = new("Bearer", credential);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
        request.Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        if (session is not null)
        {
            request.Headers.Add("Mcp-Session-Id", session);
        }

        return request;
    }

    /// <summary>What comes until the stream ends. Nothing is looked at again before the clock says so.</summary>
    private async Task<List<string>> EndAsync(Events stream)
    {
        var lines = new List<string>();
        var reading = Task.Run(async () =>
        {
            while (await stream.LineAsync() is { } line)
            {
                lines.Add(line);
            }
        });
        while (!reading.IsCompleted)
        {
            _time.Fire();
            await Task.WhenAny(reading, Task.Delay(20, TestContext.Current.CancellationToken)); // between two looks
        }

        await reading;
        return lines;
    }
}
