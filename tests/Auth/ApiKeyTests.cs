using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Auth;

/// <summary>Mode api-key: whoever has no key gets in nowhere, and whoever has one does what its scopes say.</summary>
public sealed class ApiKeyTests
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa";
    private const string Reader = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga";

    /// <summary>
    /// What anybody may see: that the server lives, and documents that say how to sign in. Whoever adds a route decides
    /// here.
    /// </summary>
    private static readonly string[] Open =
    [
        "/health",
        "/health/live",
        "/health/ready",
        "/logo.svg",
        "/llms.txt",
        "/ai-plugin.json",
        "/.well-known/ai-plugin.json",
        "/.well-known/{**document}",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/mcp/{profile}",
        "/.well-known/oauth-protected-resource/sse",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-authorization-server/sse",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/.well-known/openid-configuration/sse",
        "/.well-known/openai-apps-challenge",
        "/mcp/.well-known/oauth-protected-resource",
        "/mcp/.well-known/oauth-authorization-server",
        "/mcp/.well-known/openid-configuration",
        "/sse/.well-known/oauth-protected-resource",
        "/sse/.well-known/oauth-authorization-server",
        "/sse/.well-known/openid-configuration",
        "/openapi.json",
        "/.well-known/openapi.json",
        // A browser sends no key by itself; the explorer and the dashboard send the one that is typed in.
        "/",
        "/docs",
        "/assets/{name}",
        "/auth/sign-in",
        "/auth/sign-out",
        "/api/v1/servers/sign-in/callback", // whoever has the state that was given out
        "/scalar/{documentName?}",
        "/scalar/scalar.js",
        "/scalar/scalar.aspnetcore.js",
        "/scalar/favicon.svg",
    ];

    /// <summary>Where people and clients sign in: each asks for what it needs itself (tests/Auth/Server).</summary>
    private static readonly string[] SignIn =
    [
        "/auth/authorize",
        "/auth/callback",
        "/auth/token",
        "/auth/register",
        "/auth/introspect",
        "/auth/revoke",
        "/auth/jwks",
        "/auth/userinfo",
    ];

    /// <summary>The routes of tools, where in mode mixed each tool decides.</summary>
    private static readonly string[] OpenToGuests =
    [
        "/mcp",
        "/mcp/{profile}",
        "/sse",
        "/message",
        "/tools",
        "/tools/{name}",
        "/api/mcp/v1/tools",
        "/api/mcp/v1/call",
    ];

    [Theory]
    [InlineData("api-key")]
    [InlineData("oauth2")]
    [InlineData("embedded")]
    [InlineData("hybrid")]
    [InlineData("mixed")]
    public async Task Every_route_is_closed_to_whoever_has_no_credential_unless_it_is_on_the_list(string mode)
    {
        string[] open = mode == "mixed" ? [.. Open, .. OpenToGuests] : Open;
        await using var server = Modes.Start(mode);
        foreach (
            var endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        )
        {
            var route = "/" + endpoint.RoutePattern.RawText!.Trim('/');
            if (mode != "api-key" && SignIn.Contains(route))
            {
                continue;
            }

            foreach (var method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET", "POST"])
            {
                using var request = new HttpRequestMessage(
                    new(method),
                    route
                        .Replace("{profile}", "notes", StringComparison.Ordinal)
                        .Replace("{name}", "list_picked", StringComparison.Ordinal)
                        .Replace("{**document}", "x", StringComparison.Ordinal)
                );
                using var response = await server.Http.SendAsync(
                    request,
                    HttpCompletionOption.ResponseHeadersRead,
                    TestContext.Current.CancellationToken
                );
                Assert.True(
                    open.Contains(route) == (response.StatusCode is not HttpStatusCode.Unauthorized),
                    $"{method} {route}: {response.StatusCode}"
                );
            }
        }

        using var unknown = await server.Http.GetAsync(
            new Uri("/no/such/route", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
    }

    [Theory]
    [InlineData("Authorization", "Bearer " + Key)]
    [InlineData("Authorization", "bearer " + Key)]
    [InlineData("X-MCP-API-Key", Key)]
    public async Task A_key_opens_every_surface(string header, string value)
    {
        await using var server = Start();
        server.Http.DefaultRequestHeaders.Add(header, value);

        Assert.False((await server.McpAsync("tools/call", new { name = "list_picked" })).IsError);
        using var rest = await server.PostAsync("/tools/list_picked", "{}");
        Assert.Equal(HttpStatusCode.OK, rest.StatusCode);
        Assert.Contains("no-store", rest.Headers.CacheControl!.ToString());
        using var function = await server.PostAsync(
            "/api/mcp/v1/call",
            """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_picked"}}"""
        );
        Assert.Contains("\"result\"", await function.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("api-key", (await server.GetJsonAsync("/status")).GetProperty("auth").GetString());
    }

    [Theory]
    [InlineData("Authorization", "Bearer wrong")]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", "Basic " + Key, "the scheme 'Basic'. Send 'Authorization: Bearer KEY'")]
    [InlineData("Authorization", "DPoP " + Key, "the scheme 'DPoP'. Send 'Authorization: Bearer KEY'")]
    [InlineData("Authorization", Key)]
    [InlineData("Authorization", "Bearer " + Key + "a")]
    [InlineData("Authorization", "Bearer um3xkq9tzr7vb1nw5cy8pl2df6hj4sga")]
    [InlineData("X-MCP-API-Key", "")]
    [InlineData("X-MCP-API-Key", Key + "," + Key)]
    public async Task A_wrong_key_is_401_and_says_so(
        string header,
        string value,
        string expected = "unknown or has expired"
    )
    {
        await using var server = Start();

        using var response = await server.PostAsync("/tools/list_picked", "{}", headers: (header, value));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains("error=\"invalid_token\"", response.Headers.WwwAuthenticate.ToString());
        Assert.Contains(expected, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Two_headers_that_disagree_are_a_wrong_key()
    {
        await using var server = Start();

        using var response = await server.PostAsync(
            "/tools/list_picked",
            "{}",
            headers: [("Authorization", "Bearer " + Key), ("X-MCP-API-Key", Reader)]
        );

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Without_a_key_the_answer_says_how_to_send_one_and_names_no_error()
    {
        await using var server = Start();

        using var response = await server.PostAsync("/mcp", """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

        Assert.Equal("Bearer realm=\"tools\"", response.Headers.WwwAuthenticate.ToString());
        Assert.Contains(
            "'Authorization: Bearer KEY' or 'X-MCP-API-Key: KEY'",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task A_key_does_what_its_scopes_say()
    {
        await using var server = Start();
        server.Http.DefaultRequestHeaders.Add("X-MCP-API-Key", Reader);

        Assert.False((await server.McpAsync("tools/call", new { name = "list_picked" })).IsError);
        var refused = await server.McpAsync(
            "tools/call",
            new { name = "pick_note", arguments = new { code = "milk" } }
        );
        Assert.True(refused.IsError);
        Assert.Contains("mcp:write", refused.Text);
    }

    [Fact]
    public async Task A_key_that_expires_opens_nothing_from_then_on()
    {
        var time = new ManualTime();
        await using var server = TestServer.Start(
            services =>
            {
                NotesTools.Alone(services);
                services.AddSingleton<TimeProvider>(time);
            },
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:ops:Key", Key),
            ("Auth:ApiKeys:ops:Expires", time.GetUtcNow().AddHours(1).ToString("O"))
        );
        server.Http.DefaultRequestHeaders.Add("X-MCP-API-Key", Key);

        using var before = await server.PostAsync("/tools/list_picked", "{}");
        time.Advance(TimeSpan.FromHours(1));
        using var after = await server.PostAsync("/tools/list_picked", "{}");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (before.StatusCode, after.StatusCode));
    }

    [Fact]
    public async Task Two_keys_are_two_callers()
    {
        await using var server = Start();
        using var added = await server.PostAsync(
            "/tools/pick_note",
            """{"code":"milk"}""",
            headers: ("X-MCP-API-Key", Key)
        );
        Assert.Equal(HttpStatusCode.OK, added.StatusCode);

        Assert.Contains("\"total\":1", await PickedAsync(server, Key));
        Assert.Contains("\"total\":0", await PickedAsync(server, Reader));
    }

    [Fact]
    public async Task The_documents_say_that_a_key_is_wanted_and_those_of_oauth_are_not_there()
    {
        await using var server = Start();

        var document = await server.GetJsonAsync("/openapi.json");
        var scheme = document.GetProperty("components").GetProperty("securitySchemes").GetProperty("ApiKey");
        Assert.Equal(
            ("http", "bearer"),
            (scheme.GetProperty("type").GetString(), scheme.GetProperty("scheme").GetString())
        );
        Assert.True(document.GetProperty("security")[0].TryGetProperty("ApiKey", out _));
        Assert.Equal(
            "user_http",
            (await server.GetJsonAsync("/.well-known/ai-plugin.json"))
                .GetProperty("auth")
                .GetProperty("type")
                .GetString()
        );
        using var metadata = await server.Http.GetAsync(
            new Uri("/.well-known/oauth-protected-resource/mcp", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(HttpStatusCode.NotFound, metadata.StatusCode);
    }

    [Theory]
    [InlineData("no API key is configured", "MCP_AUTH_MODE=api-key")]
    [InlineData("at least 32", "MCP_AUTH_MODE=api-key", "MCP_API_KEY=your-secret-key")]
    [InlineData("too regular", "MCP_AUTH_MODE=api-key", "MCP_API_KEY=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("nobody would be asked", "MCP_API_KEY=" + Key)]
    [InlineData("Auth:ApiKeys:ops:Key and Sha256", "MCP_AUTH_MODE=api-key", "Auth__ApiKeys__ops__Scopes=mcp:read")]
    [InlineData(
        "Scopes has 'mcp:all'",
        "MCP_AUTH_MODE=api-key",
        "Auth__ApiKeys__ops__Key=" + Key,
        "Auth__ApiKeys__ops__Scopes=mcp:all"
    )]
    [InlineData("64 hexadecimal digits", "MCP_AUTH_MODE=api-key", "Auth__ApiKeys__ops__Sha256=abc")]
    public async Task A_setting_that_would_not_protect_refuses_to_start_and_never_shows_the_key(
        string expected,
        params string[] variables
    )
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            variables.Select(variable => variable.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1])
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain(Key, errors);
    }

    [Fact]
    public async Task With_a_key_the_server_may_listen_on_every_address()
    {
        await using var server = Start(("urls", "http://0.0.0.0:0"));

        using var client = new HttpClient();
        using var refused = await client.GetAsync(
            new Uri($"http://127.0.0.1:{server.Url.Port}/tools"),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Theory]
    [InlineData(Key, 0, "✅ API Key (calls without it are refused)")]
    [InlineData(Key, 0, "✅ OAuth Protected Resource Metadata (off: keys, no OAuth)")]
    [InlineData("", 1, "❌ API Key: the server wants a key")]
    [InlineData("wrong", 1, "set MCP_API_KEY to a key that the server knows")]
    public async Task The_check_of_the_endpoints_sends_the_key(string key, int expected, string line)
    {
        await using var server = Start();

        var (exitCode, output, errors) = await Shell.RunAsync(
            $"scripts/test-chatgpt-endpoints.sh {server.BaseUrl}",
            ("MCP_API_KEY", key)
        );

        Assert.True(exitCode == expected, output + errors);
        Assert.Contains(line, output);
    }

    private static TestServer Start(params (string, string)[] settings) =>
        TestServer.Start(
            NotesTools.Alone,
            [
                ("Auth:Mode", "api-key"),
                ("Auth:ApiKey", Key),
                ("Auth:ApiKeys:reader:Sha256", Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Reader)))),
                ("Auth:ApiKeys:reader:Scopes", "mcp:read"),
                .. settings,
            ]
        );

    private static async Task<string> PickedAsync(TestServer server, string key)
    {
        using var picked = await server.PostAsync("/tools/list_picked", "{}", headers: ("X-MCP-API-Key", key));
        return (await picked.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Replace(
            " ",
            "",
            StringComparison.Ordinal
        );
    }
}
