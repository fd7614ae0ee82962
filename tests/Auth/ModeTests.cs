using System.Net.Http.Headers;
using System.Text;
using MinimalMcp.Tests.Protocol;

namespace MinimalMcp.Tests.Auth;

/// <summary>Who gets in where, in every mode: one table.</summary>
public sealed class ModeTests(ModeTests.Servers servers) : IClassFixture<ModeTests.Servers>
{
    private static int _address;

    // The credentials, from left to right: none, a key, a key that reads, a wrong key, a token that reads, one that
    // writes, one that may do everything, an expired one, one of a client that may not use the server, and a token in
    // the address.
    private static readonly string[] Credentials =
    [
        "",
        Modes.Key,
        Modes.Reader,
        "wrong",
        "ann.read.x",
        "ann.write.x",
        "ann.admin.x",
        "expired.read.x",
        "stranger.read.x",
        "?access_token=ann.admin.x",
    ];

    private const string Table = """
        none     POST /mcp list            200 200 200 200 200 200 200 200 200 200
        none     POST /tools/pick_note     200 200 200 200 200 200 200 200 200 200
        none     GET  /diagnostics         200 200 200 200 200 200 200 200 200 200
        none     GET  /.well-known/oauth-protected-resource/mcp 404 404 404 404 404 404 404 404 404 404
        none     GET  /.well-known/openid-configuration         404 404 404 404 404 404 404 404 404 404

        api-key  POST /mcp list            401 200 200 401 401 401 401 401 401 401
        api-key  POST /mcp read            401 200 200 401 401 401 401 401 401 401
        api-key  POST /mcp write           401 200 200 401 401 401 401 401 401 401
        api-key  POST /tools/list_picked   401 200 200 401 401 401 401 401 401 401
        api-key  POST /tools/pick_note     401 200 403 401 401 401 401 401 401 401
        api-key  GET  /status              401 200 200 401 401 401 401 401 401 401
        api-key  GET  /api/v1/audit        401 200 403 401 401 401 401 401 401 401
        api-key  GET  /diagnostics         401 200 403 401 401 401 401 401 401 401
        api-key  GET  /tools/pick_note     405 405 405 405 405 405 405 405 405 405
        api-key  GET  /no/such/route       401 404 404 401 401 401 401 401 401 401
        api-key  GET  /health              200 200 200 200 200 200 200 200 200 200
        api-key  GET  /.well-known/oauth-authorization-server/mcp 404 404 404 404 404 404 404 404 404 404

        embedded POST /mcp list            401 200 200 401 200 200 200 401 403 400
        embedded POST /mcp read            401 200 200 401 200 200 200 401 403 400
        embedded POST /mcp write           401 200 403 401 403 200 200 401 403 400
        embedded POST /mcp send            401 200 403 401 403 403 200 401 403 400
        embedded POST /tools/list_picked   401 200 200 401 200 200 200 401 403 400
        embedded POST /tools/pick_note     401 200 403 401 403 200 200 401 403 400
        embedded GET  /tools               401 200 200 401 200 200 200 401 403 400
        embedded POST /api/mcp/v1/call     401 200 200 401 200 200 200 401 403 400
        embedded GET  /status              401 200 200 401 200 200 200 401 403 400
        embedded GET  /api/v1/audit        401 200 403 401 403 403 200 401 403 400
        embedded GET  /diagnostics         401 200 403 401 403 403 200 401 403 400
        embedded GET  /no/such/route       401 404 404 401 404 404 404 401 403 400
        embedded GET  /health              200 200 200 200 200 200 200 200 200 200
        embedded GET  /openapi.json        200 200 200 200 200 200 200 200 200 200
        embedded GET  /.well-known/oauth-protected-resource 200 200 200 200 200 200 200 200 200 200

        oauth2   POST /mcp list            401 401 401 401 200 200 200 401 403 400
        oauth2   POST /mcp write           401 401 401 401 403 200 200 401 403 400
        oauth2   GET  /api/v1/audit        401 401 401 401 403 403 200 401 403 400

        hybrid   POST /mcp list            401 200 200 401 200 200 200 401 403 400
        hybrid   POST /mcp write           401 200 403 401 403 200 200 401 403 400
        hybrid   POST /tools/pick_note     401 200 403 401 403 200 200 401 403 400
        hybrid   GET  /api/v1/audit        401 200 403 401 403 403 200 401 403 400

        mixed    POST /mcp hello           200 401 401 401 200 200 200 401 403 400
        mixed    POST /mcp list            200 401 401 401 200 200 200 401 403 400
        mixed    POST /mcp read            200 401 401 401 200 200 200 401 403 400
        mixed    POST /mcp write           200 401 401 401 200 200 200 401 403 400
        mixed    GET  /tools               200 401 401 401 200 200 200 401 403 400
        mixed    POST /tools/list_picked   200 401 401 401 200 200 200 401 403 400
        mixed    POST /tools/pick_note     401 401 401 401 403 200 200 401 403 400
        mixed    POST /api/mcp/v1/call     200 401 401 401 200 200 200 401 403 400
        mixed    GET  /status              401 401 401 401 200 200 200 401 403 400
        mixed    GET  /api/v1/audit        401 401 401 401 403 403 200 401 403 400
        mixed    GET  /diagnostics         401 401 401 401 403 403 200 401 403 400
        mixed    GET  /no/such/route       401 401 401 401 404 404 404 401 403 400
        """;

    public static TheoryData<string> Rows =>
        [.. Table.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    [Theory, MemberData(nameof(Rows))]
    public async Task Who_gets_in(string row)
    {
        var words = row.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (mode, method, path) = (words[0], words[1], words[2]);
        var call = int.TryParse(words[3], out _) ? "" : words[3];
        var expected = words[(call.Length > 0 ? 4 : 3)..];
        Assert.Equal(Credentials.Length, expected.Length);
        var server = servers.Of(mode);
        foreach (var (credential, status) in Credentials.Zip(expected))
        {
            // Each server counts the wrong keys of an address: every request comes from an address of its own.
            using var request = new HttpRequestMessage(
                new(method),
                path + (credential.StartsWith('?') ? credential : "")
            );
            request.Headers.Add("X-Forwarded-For", $"203.0.113.{++_address % 250}");
            request.Headers.Authorization =
                credential.Length == 0 || credential.StartsWith('?') ? null : new("Bearer", credential);
            request.Content =
                method == "GET"
                    ? null
                    : new StringContent(
                        path == "/tools/pick_note" ? """{"code":"milk"}"""
                            : path.StartsWith("/tools", StringComparison.Ordinal) ? "{}"
                            : Body(call),
                        Encoding.UTF8,
                        "application/json"
                    );
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
            if (path == "/diagnostics" && mode == "none")
            {
                request.Headers.Remove("X-Forwarded-For"); // for this machine only
            }

            using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True(
                status == ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture),
                $"{row}\n'{credential}': {(int)response.StatusCode}"
            );
        }
    }

    [Theory]
    [InlineData("none, api-key, oauth2, embedded, hybrid, mixed", "MCP_AUTH_MODE=oauth9")]
    [InlineData("Set OAUTH2_ISSUER and OAUTH2_AUDIENCE", "MCP_AUTH_MODE=oauth2")]
    [InlineData("no API key is configured. Set MCP_API_KEY", "MCP_AUTH_MODE=hybrid")]
    [InlineData("PUBLIC_URL) is not set", "MCP_AUTH_MODE=embedded", "MCP_SERVER_HOST=0.0.0.0")]
    [InlineData("OAuth requires https", "MCP_AUTH_MODE=embedded", "PUBLIC_URL=http://mcp.example.com")]
    [InlineData("has two dots", "MCP_AUTH_MODE=hybrid", "MCP_API_KEY=uM3xkQ9TzR7.vB1nW5cY8pL2.dF6hJ4sGa")]
    [InlineData(
        "MCP_API_KEY_NEXT) is set without",
        "MCP_AUTH_MODE=api-key",
        "Auth__ApiKeys__ops__Key=" + Modes.Key,
        "MCP_API_KEY_NEXT=" + Modes.Reader
    )]
    [InlineData(
        "NextKey has 3 characters",
        "MCP_AUTH_MODE=api-key",
        "Auth__ApiKeys__ops__Key=" + Modes.Key,
        "Auth__ApiKeys__ops__NextKey=abc"
    )]
    [InlineData("RATE_LIMIT_PER_MINUTE) must be from 1", "RATE_LIMIT_PER_MINUTE=-1")]
    public async Task A_mode_that_lacks_a_part_says_which(string expected, params string[] variables)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            variables.Select(variable => variable.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1])
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, errors);
    }

    [Fact]
    public async Task A_token_that_is_not_known_yet_is_waited_for_and_one_that_cannot_be_checked_opens_nothing()
    {
        var server = servers.Of("embedded");

        using var slow = await server.PostAsync(
            "/tools/list_picked",
            "{}",
            headers: ("Authorization", "Bearer slow.read.x")
        );
        using var offline = await server.PostAsync(
            "/tools/list_picked",
            "{}",
            headers: ("Authorization", "Bearer offline.read.x")
        );

        Assert.Equal((200, 503), ((int)slow.StatusCode, (int)offline.StatusCode));
        Assert.NotNull(offline.Headers.RetryAfter);
    }

    private static string Body(string call) =>
        call switch
        {
            "hello" => """{"jsonrpc":"2.0","id":1,"method":"initialize","params":"""
                + """{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":"""
                + """{"name":"t","version":"1"}}}""",
            "write" => """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pick_note","arguments":"""
                + """{"code":"milk"}}}""",
            "send" => """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_picked"}}""",
            "list" => """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""",
            _ => """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_picked"}}""",
        };

    public sealed class Servers : IAsyncDisposable
    {
        private readonly Dictionary<string, TestServer> _servers = [];

        internal TestServer Of(string mode) =>
            _servers.TryGetValue(mode, out var server) ? server : _servers[mode] = Modes.Start(mode);

        public async ValueTask DisposeAsync()
        {
            foreach (var server in _servers.Values)
            {
                await server.DisposeAsync();
            }
        }
    }
}
