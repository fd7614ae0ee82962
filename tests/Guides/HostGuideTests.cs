using System.Net;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Guides;

/// <summary>
/// The lines of a guide that connects ChatGPT to a host of MCP servers, as they stand there: its .env with the
/// placeholders filled in, and its commands against a server behind TLS.
/// </summary>
[Slow]
public sealed partial class HostGuideTests
{
    private const string Host = "your-domain.com",
        Secret = "3f9c1e7b2a8d5036c4b1e9f73f9c1e7b2a8d5036";

    private const string Variables = """
        # Production settings
        ENVIRONMENT=production
        DEBUG=false
        HOST=0.0.0.0
        PORT=8000

        # Security
        SECRET_KEY=your-secure-secret-key-32-chars-minimum

        # OAuth2 for ChatGPT
        OAUTH_CLIENT_ID=your-client-id
        OAUTH_CLIENT_SECRET=your-client-secret
        OAUTH_REDIRECT_URI=https://your-domain.com/auth/callback

        # CORS for ChatGPT
        CORS_ORIGINS=https://chat.openai.com,https://chatgpt.com

        # MCP Protocol
        MAX_CONCURRENT_SERVERS=10
        SERVER_TIMEOUT=30
        """;

    private const string Block = """
        server {
            listen 443 ssl;
            server_name your-domain.com;

            ssl_certificate /path/to/cert.pem;
            ssl_certificate_key /path/to/key.pem;

            location / {
                proxy_pass http://localhost:3001;
                proxy_set_header Host $host;
                proxy_set_header X-Real-IP $remote_addr;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Proto $scheme;
            }
        }
        """;

    [Fact]
    public async Task The_environment_of_the_guide_starts_without_a_key_and_says_that_nobody_can_sign_in()
    {
        await using var guide = await StartAsync();

        var page = await guide.Http.GetStringAsync(
            new Uri(
                "/auth/authorize?client_id=the-client"
                    + "&redirect_uri=https://your-domain.com/auth/callback&response_type=code"
                    + "&scope=mcp:read%20mcp:write",
                UriKind.Relative
            ),
            TestContext.Current.CancellationToken
        );
        Assert.Contains("Nobody can sign in yet.", page);
        Assert.Contains("openssl rand -hex 32", page);

        var (_, _, banner) = await guide.Server.EndByTermAsync();
        Assert.Contains($"listening on http://0.0.0.0:{guide.Port}   auth hybrid", banner);
        Assert.Contains("inferred     Auth:Mode=hybrid: OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET are set", banner);
        Assert.Contains("inferred     Server:PublicUrl=https://your-domain.com: of OAUTH_REDIRECT_URI", banner);
        Assert.Contains(
            "no key       nobody can sign in. Set MCP_API_KEY to the output of `openssl rand -hex 32`",
            banner
        );
        Assert.Contains("shop         6 tools: ", banner);
        Assert.DoesNotContain("no effect", banner);
    }

    [Fact]
    public async Task The_commands_of_the_guide_work_as_written()
    {
        await using var guide = await StartAsync(("MCP_API_KEY", OAuthServer.Key));

        var metadata = await guide.ShellAsync(
            """
            # Check OAuth2 metadata
            curl https://your-domain.com/.well-known/oauth-authorization-server
            """
        );
        Assert.Contains("\"issuer\":\"https://your-domain.com\"", metadata);
        Assert.Contains("\"authorization_endpoint\":\"https://your-domain.com/auth/authorize\"", metadata);
        Assert.Contains("\"token_endpoint\":\"https://your-domain.com/auth/token\"", metadata);

        // The guide's answers of a server without sign-in are a challenge here.
        var sse = await guide.ShellAsync(
            """
            curl -i -H "Accept: text/event-stream" https://your-domain.com/sse
            """
        );
        Assert.Contains(
            "resource_metadata=\"https://your-domain.com/.well-known/oauth-protected-resource/sse\"",
            sse,
            StringComparison.Ordinal
        );
        var initialize = await guide.ShellAsync(
            """
            curl -X POST https://your-domain.com/mcp \
              -H "Content-Type: application/json" \
              -H "Authorization: Bearer $MCP_API_KEY" \
              -d '{
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {
                  "protocolVersion": "2024-11-05",
                  "capabilities": {}
                }
              }'
            """
        );
        Assert.Contains("\"protocolVersion\":\"2024-11-05\"", initialize);
        Assert.Contains("\"websiteUrl\":\"https://your-domain.com/\"", initialize);

        Assert.StartsWith(
            "HTTP/1.1 200 OK",
            await guide.ShellAsync(
                """
                # Check SSL certificate validity
                curl -I https://your-domain.com/health
                """
            )
        );
        Assert.Contains(
            "\"tools\":[",
            await guide.ShellAsync(
                """
                # Test MCP protocol directly
                curl -X POST https://your-domain.com/mcp \
                  -H "Content-Type: application/json" \
                  -H "Authorization: Bearer $MCP_API_KEY" \
                  -d '{
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "tools/list"
                  }'
                """
            )
        );
    }

    [Fact]
    public async Task The_manual_flow_of_the_guide_ends_with_a_token_once_the_secret_is_added()
    {
        await using var guide = await StartAsync(("MCP_API_KEY", OAuthServer.Key));

        var question = await guide.ShellAsync(
            """
            # Step 1: Get authorization code
            curl -i "https://your-domain.com/auth/authorize?client_id=the-client\
            &redirect_uri=https://your-domain.com/auth/callback\
            &response_type=code&scope=mcp:read%20mcp:write"
            """
        );
        var browser = Regex.Match(question, "(?im)^set-cookie: ([^;]+)").Groups[1].Value;
        using var allowed = await guide.SendAsync(
            HttpMethod.Post,
            "/auth/authorize",
            browser,
            new()
            {
                ["ticket"] = Ticket().Match(question).Groups[1].Value,
                ["password"] = OAuthServer.Key,
                ["decision"] = "allow",
            }
        );
        Assert.Equal(HttpStatusCode.SeeOther, allowed.StatusCode);
        var callback = allowed.Headers.Location!;
        var code = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(callback.Query)["code"].ToString();

        // In another browser the code is nobody's.
        using var stranger = await guide.SendAsync(HttpMethod.Get, callback.PathAndQuery, browser);
        Assert.Equal(HttpStatusCode.BadRequest, stranger.StatusCode);
        Assert.DoesNotContain(code, await stranger.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using var shown = await guide.SendAsync(
            HttpMethod.Get,
            callback.PathAndQuery,
            allowed.Headers.GetValues("Set-Cookie").Single().Split(';')[0]
        );
        var page = await shown.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
        Assert.Contains(code, page);
        Assert.Contains("client_secret=$OAUTH_CLIENT_SECRET", page);
        Assert.Contains("RFC 6749", page);

        var line = $"""
            # Step 2: Exchange code for token
            curl -X POST https://your-domain.com/auth/token \
              -H "Content-Type: application/x-www-form-urlencoded" \
              -d "grant_type=authorization_code&code={code}&client_id=the-client\
            &redirect_uri=https://your-domain.com/auth/callback"
            """;
        Assert.Contains("invalid_client", await guide.ShellAsync(line));
        var tokens = await guide.ShellAsync(line + " -d \"client_secret=$OAUTH_CLIENT_SECRET\"");
        var token = Regex.Match(tokens, "\"access_token\":\"([^\"]+)\"").Groups[1].Value;
        Assert.Contains("\"refresh_token\"", tokens);

        Assert.Contains(
            "\"search_products\"",
            await guide.ShellAsync(
                $$"""
                # Step 3: Use token to access MCP
                curl -X POST https://your-domain.com/mcp \
                  -H "Authorization: Bearer {{token}}" \
                  -H "Content-Type: application/json" \
                  -d '{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
                """
            )
        );
    }

    [Theory]
    [InlineData("http://127.0.0.1", "HOST=0.0.0.0")] // some shells export it
    [InlineData("http://127.0.0.1", "HOST=0.0.0.0", "MCP_SERVER_PORT=0")]
    [InlineData("http://127.0.0.9", "HOST=127.0.0.9", "PORT=0")]
    [InlineData("http://127.0.0.8", "HOST=127.0.0.9", "PORT=0", "MCP_SERVER_HOST=127.0.0.8")]
    public async Task HOST_counts_only_beside_PORT(string expected, params string[] variables)
    {
        var environment = variables
            .Select(variable => variable.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        environment.TryAdd("MCP_SERVER_PORT", environment.ContainsKey("PORT") ? "" : "0");
        await using var server = ServerProcess.Start([], environment);

        var (_, _, banner) = await server.EndWhenUpAsync();

        Assert.Contains($"listening on {expected}:", banner);
    }

    [Theory]
    [InlineData("Production", "ENVIRONMENT=production")]
    [InlineData("Development", "ENVIRONMENT=development")]
    [InlineData("Staging", "ENVIRONMENT=development", "DOTNET_ENVIRONMENT=Staging")]
    [InlineData("Production", "ENVIRONMENT=something-of-another-program")]
    public async Task ENVIRONMENT_is_the_environment_of_the_host(string expected, params string[] variables)
    {
        var environment = variables
            .Select(variable => variable.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        environment["MCP_SERVER_PORT"] = "0";
        environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        await using var server = ServerProcess.Start([], environment);

        var (_, _, log) = await server.EndWhenUpAsync();

        Assert.Contains("Hosting environment: " + expected, log);
    }

    private static async Task<Guide> StartAsync(params (string Name, string Value)[] more)
    {
        var port = FreePort.Find();
        var folder = Directory.CreateTempSubdirectory("guide");
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, ".env"),
            Variables
                .Replace("your-client-id", "the-client", StringComparison.Ordinal)
                .Replace("your-client-secret", Secret + "2", StringComparison.Ordinal)
                .Replace("your-secure-secret-key-32-chars-minimum", Secret, StringComparison.Ordinal)
                .Replace("8000", $"{port}", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        var server = ServerProcess.Start(
            ["--contentRoot", folder.FullName],
            more.Append(("MCP_AUTH_MODE", "")).ToDictionary(pair => pair.Item1, pair => pair.Item2),
            folder.FullName
        );
        var nginx = await ReverseProxy.StartAsync("nginx", Block, $"127.0.0.1:{port}", "https://localhost:PORT");
        return new(server, nginx, folder, port);
    }

    [GeneratedRegex("name=\"ticket\" value=\"([^\"]+)\"")]
    private static partial Regex Ticket();

    private sealed record Guide(ServerProcess Server, ReverseProxy Nginx, DirectoryInfo Folder, int Port)
        : IAsyncDisposable
    {
        public HttpClient Http { get; } = Nginx.Client("https://" + Host);

        public async Task<string> ShellAsync(string command)
        {
            var (exitCode, output, errors) = await Shell.RunAsync(
                command,
                ("CURL_HOME", Nginx.CurlHome(Host)),
                ("MCP_API_KEY", OAuthServer.Key),
                ("OAUTH_CLIENT_SECRET", Secret + "2")
            );
            Assert.True(exitCode == 0, $"{command}\n{output}\n{errors}");
            return output;
        }

        public Task<HttpResponseMessage> SendAsync(
            HttpMethod method,
            string path,
            string cookie,
            Dictionary<string, string>? form = null
        )
        {
            var request = new HttpRequestMessage(method, path)
            {
                Content = form is null ? null : new FormUrlEncodedContent(form),
            };
            request.Headers.Add("Cookie", cookie);
            return Http.SendAsync(request, TestContext.Current.CancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await Nginx.DisposeAsync();
            await Server.DisposeAsync();
            Folder.Delete(recursive: true);
        }
    }
}
