using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Auth.Provider;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Guides;

/// <summary>
/// The production block of a guide for ChatGPT Enterprise with Entra, its nginx block and its commands, as they stand
/// there. Only Entra itself is replaced, by one on loopback with its rules.
/// </summary>
[Slow]
public sealed class EnterpriseGuideTests
{
    private const string Host = "mcp.yourdomain.com";

    private const string Variables = """
        # .env.production
        MCP_SERVER_HOST=0.0.0.0
        MCP_SERVER_PORT=3001
        MCP_AUTH_MODE=oauth2

        # Use your production URLs
        OAUTH2_OPENID_CONFIG_URL=https://login.microsoftonline.com/{tenant}/.well-known/openid-configuration
        OAUTH2_JWKS_URI=https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys
        OAUTH2_ISSUER=https://login.microsoftonline.com/{tenant}/v2.0
        OAUTH2_AUDIENCE={production-client-id}

        # Production Next.js API
        NEXTJS_URL=https://api.yourdomain.com

        # Security
        ALLOWED_MCP_CLIENTS={chatgpt-enterprise-prod-client-id}
        REQUIRED_MCP_SCOPES=mcp:read,mcp:execute
        """;

    private const string Block = """
        server {
            listen 443 ssl;
            server_name mcp.yourdomain.com;

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
    public async Task The_production_block_starts_as_written_behind_the_nginx_of_the_guide()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var guide = await StartAsync(entra);

        var openid = Json(await guide.ShellAsync("curl https://mcp.yourdomain.com/.well-known/openid-configuration"));
        Assert.Equal(FakeEntra.V2, openid.GetProperty("issuer").GetString());
        Assert.NotEmpty(openid.GetProperty("token_endpoint").GetString()!);
        Assert.Contains("client_credentials", openid.GetProperty("grant_types_supported").GetRawText());
        var resource = Json(
            await guide.ShellAsync("curl https://mcp.yourdomain.com/.well-known/oauth-protected-resource")
        );
        Assert.Equal("https://mcp.yourdomain.com/mcp", resource.GetProperty("resource").GetString());
        var openapi = Json(await guide.ShellAsync("curl https://mcp.yourdomain.com/.well-known/openapi.json"));
        Assert.Equal("https://mcp.yourdomain.com", openapi.GetProperty("servers")[0].GetProperty("url").GetString());
        Assert.Contains(
            "https://mcp.yourdomain.com/logo.svg",
            await guide.ShellAsync("curl https://mcp.yourdomain.com/.well-known/ai-plugin.json")
        );
        var head = await guide.ShellAsync("curl -i -X POST https://mcp.yourdomain.com/mcp -d '{}'");
        Assert.Contains(
            "resource_metadata=\"https://mcp.yourdomain.com/.well-known/oauth-protected-resource/mcp\"",
            head
        );
        Assert.Contains(
            "no-store",
            await guide.ShellAsync("curl -I https://mcp.yourdomain.com/.well-known/oauth-protected-resource")
        );

        var token = Token(entra, ("roles", new JsonArray("mcp:read", "mcp:execute")));
        Assert.Contains(
            "\"search_products\"",
            await guide.ShellAsync(
                $$"""
                curl https://mcp.yourdomain.com/tools -H "Authorization: Bearer {{token}}"
                """
            )
        );

        var (_, _, log) = await guide.Server.EndByTermAsync();
        Assert.Contains("PUBLIC_URL is not set, so documents use the host", log);
        Assert.Contains($"has issuer {FakeEntra.V1}, but tokens are accepted only of {FakeEntra.V2}", log);
    }

    [Fact]
    public async Task The_host_is_only_taken_of_a_known_proxy_and_never_for_what_tokens_are_for()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:ConfigUrl", entra.V2Config),
            ("Auth:Provider:Audience", FakeEntra.ClientId)
        );
        const string Resource = "/.well-known/oauth-protected-resource/mcp";

        Assert.Equal(400, await StatusAsync(Resource, ("Host", Host)));
        Assert.Equal(400, await StatusAsync(Resource, ("Host", Host), ("X-Forwarded-Proto", "http")));
        Assert.Equal(200, await StatusAsync(Resource, ("Host", Host), ("X-Forwarded-Proto", "https")));
        using var poisoned = await SendAsync(
            Resource,
            ("Host", Host),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "evil.example")
        );
        Assert.DoesNotContain(
            "evil.example",
            await poisoned.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );

        // A token for the host that the proxy names is no token for us.
        Assert.Equal(
            401,
            await StatusAsync(
                "/tools",
                ("Host", Host),
                ("X-Forwarded-Proto", "https"),
                (
                    "Authorization",
                    "Bearer " + Token(entra, ("aud", "https://mcp.yourdomain.com/mcp"), ("scp", "mcp:read"))
                )
            )
        );
        Assert.Equal(
            200,
            await StatusAsync(
                "/tools",
                ("Host", Host),
                ("X-Forwarded-Proto", "https"),
                ("Authorization", "Bearer " + Token(entra, ("scp", "mcp:read")))
            )
        );

        async Task<int> StatusAsync(string path, params (string Name, string Value)[] headers)
        {
            using var answer = await SendAsync(path, headers);
            return (int)answer.StatusCode;
        }

        Task<HttpResponseMessage> SendAsync(string path, params (string Name, string Value)[] headers)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path);
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            return server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("embedded")]
    [InlineData("hybrid")]
    [InlineData("mixed")]
    public async Task Other_modes_still_want_to_know_their_address(string mode)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            [],
            new Dictionary<string, string>
            {
                ["MCP_AUTH_MODE"] = mode,
                ["MCP_SERVER_HOST"] = "0.0.0.0",
                ["MCP_SERVER_PORT"] = "0",
                ["MCP_API_KEY"] = Auth.Server.OAuthServer.Key,
            }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("PUBLIC_URL) is not set", errors);
    }

    [Theory]
    [InlineData("v2", FakeEntra.V2)]
    [InlineData("v1", FakeEntra.V1)]
    public async Task The_discovery_document_alone_says_who_issues_tokens(string version, string issuer)
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Audience", FakeEntra.ClientId),
            ("Auth:Provider:ConfigUrl", version == "v1" ? entra.V1Config : entra.V2Config)
        );

        Assert.Equal(
            issuer,
            (await server.GetJsonAsync("/.well-known/openid-configuration")).GetProperty("issuer").GetString()
        );
        foreach (var other in (string[])[FakeEntra.V1, FakeEntra.V2])
        {
            using var answer = await server.PostAsync(
                "/tools/list_picked",
                "{}",
                headers: ("Authorization", "Bearer " + Token(entra, ("iss", other), ("scp", "mcp:read")))
            );
            Assert.Equal(other == issuer ? 200 : 401, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task While_the_provider_is_away_nobody_is_told_a_wrong_issuer()
    {
        await using var server = TestServer.Start(
            NotesTools.Alone,
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:Audience", "us"),
            ("Auth:Provider:ConfigUrl", $"http://127.0.0.1:{FreePort.Find()}/.well-known/openid-configuration")
        );

        foreach (var path in (string[])["/.well-known/openid-configuration", "/.well-known/oauth-protected-resource"])
        {
            using var answer = await server.Http.GetAsync(
                new Uri(path, UriKind.Relative),
                TestContext.Current.CancellationToken
            );
            Assert.Equal(503, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_documents_issuer_for_all_tenants_is_refused()
    {
        await using var entra = await FakeEntra.StartAsync();

        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls=http://127.0.0.1:0"],
            new Dictionary<string, string>
            {
                ["MCP_AUTH_MODE"] = "oauth2",
                ["OAUTH2_AUDIENCE"] = "us",
                ["OAUTH2_OPENID_CONFIG_URL"] = entra.Url + "/organizations/v2.0/.well-known/openid-configuration",
            }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("Set OAUTH2_ISSUER", errors);
    }

    [Theory]
    [InlineData("", "", 403)]
    [InlineData("mcp:read", "", 200)]
    [InlineData("mcp:read mcp:execute", "mcp:read,mcp:execute", 200)]
    [InlineData("mcp:read", "mcp:read,mcp:execute", 403)]
    public async Task A_machines_token_without_roles_may_do_what_the_short_setting_says(
        string scopes,
        string required,
        int expected
    )
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = ServerProcess.Start(
            ["--mode=rest"],
            new Dictionary<string, string>
            {
                ["MCP_AUTH_MODE"] = "oauth2",
                ["MCP_SERVER_PORT"] = $"{FreePort.Find()}" is var port ? port : "",
                ["OAUTH2_OPENID_CONFIG_URL"] = entra.V2Config,
                ["OAUTH2_AUDIENCE"] = FakeEntra.ClientId,
                ["OAUTH2_DEFAULT_SCOPES"] = scopes,
                ["REQUIRED_MCP_SCOPES"] = required,
            }
        );
        using var http = new HttpClient();
        await ServerProcess.ReadyAsync(http, $"http://127.0.0.1:{port}");

        var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/tools/get_deals")
        {
            Content = TestServer.Json(new { }),
        };
        request.Headers.Authorization = new("Bearer", Token(entra));
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, (int)answer.StatusCode);
    }

    [Fact]
    public async Task The_check_of_the_endpoints_passes_with_one_warning_and_client_credentials_are_offered()
    {
        await using var entra = await FakeEntra.StartAsync();
        await using var server = TestServer.Start(
            ("Auth:Mode", "oauth2"),
            ("Auth:Provider:ConfigUrl", entra.V2Config),
            ("Auth:Provider:Audience", FakeEntra.ClientId),
            ("Auth:Provider:DefaultScopes", "mcp:read")
        );

        var flows = (await server.GetJsonAsync("/openapi.json"))
            .GetProperty("components")
            .GetProperty("securitySchemes")
            .GetProperty("OAuth")
            .GetProperty("flows");
        Assert.Equal(
            $"{entra.Url}/{FakeEntra.Tenant}/oauth2/v2.0/token",
            flows.GetProperty("clientCredentials").GetProperty("tokenUrl").GetString()
        );
        var (exitCode, output, errors) = await Shell.RunAsync(
            $"scripts/test-chatgpt-endpoints.sh {server.BaseUrl}",
            ("MCP_ACCESS_TOKEN", Token(entra))
        );

        Assert.True(exitCode == 0, output + errors);
        Assert.Contains("✅ OpenAPI Schema (6 tools discovered)", output);
        Assert.DoesNotContain("❌", output);
        Assert.Contains(
            "lacks S256",
            Assert.Single(output.Split('\n'), line => line.StartsWith("⚠️", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData(6)]
    [InlineData(8, "Documents:Enabled=true")]
    [InlineData(14, "SilverBullet:Url=http://127.0.0.1:9", "SilverBullet:Token=t")]
    [InlineData(12, "SilverBullet:Url=http://127.0.0.1:9", "SilverBullet:Token=t", "Documents:Enabled=false")]
    public async Task Search_and_fetch_are_listed_when_there_is_more_than_the_sample_to_search(
        int least,
        params string[] settings
    )
    {
        await using var server = TestServer.Start([
            .. settings.Select(setting => setting.Split('=')).Select(pair => (pair[0], pair[1])),
        ]);

        var names = (await server.GetJsonAsync("/tools"))
            .GetProperty("tools")
            .EnumerateArray()
            .Select(tool => tool.GetProperty("name").GetString())
            .ToArray();

        Assert.True(names.Length >= least, string.Join(' ', names));
        Assert.Equal(least is 8 or 14, names.Contains("search"));
        Assert.Equal(least is 8 or 14, names.Contains("fetch"));
    }

    private static async Task<Guide> StartAsync(FakeEntra entra)
    {
        var port = FreePort.Find();
        var folder = Directory.CreateTempSubdirectory("guide");
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, ".env.production"),
            Variables
                .Replace(
                    "https://login.microsoftonline.com/{tenant}/.well-known/openid-configuration",
                    entra.V1Config,
                    StringComparison.Ordinal
                )
                .Replace(
                    "https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys",
                    entra.Url + "/jwks",
                    StringComparison.Ordinal
                )
                .Replace("https://login.microsoftonline.com/{tenant}/v2.0", FakeEntra.V2, StringComparison.Ordinal)
                .Replace("{production-client-id}", FakeEntra.ClientId, StringComparison.Ordinal)
                .Replace("{chatgpt-enterprise-prod-client-id}", "chatgpt", StringComparison.Ordinal)
                .Replace("3001", $"{port}", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        var server = ServerProcess.Start(
            ["--contentRoot", folder.FullName],
            new Dictionary<string, string> { ["MCP_AUTH_MODE"] = "" },
            folder.FullName
        );
        return new(
            server,
            await ReverseProxy.StartAsync("nginx", Block, $"127.0.0.1:{port}", "https://localhost:PORT"),
            folder
        );
    }

    private static string Token(FakeEntra entra, params (string Name, JsonNode? Value)[] said)
    {
        var claims = new JsonObject
        {
            ["iss"] = FakeEntra.V2,
            ["sub"] = "machine",
            ["azp"] = "chatgpt",
            ["aud"] = FakeEntra.ClientId,
            ["exp"] = Forge.Now + 300,
        };
        Array.ForEach(said, claim => claims[claim.Name] = claim.Value);
        var forge = new Forge(FakeEntra.V2, entra.Key);
        return forge.Sign(forge.Header(), claims);
    }

    private static JsonElement Json(string text) => JsonElement.Parse(text);

    private sealed record Guide(ServerProcess Server, ReverseProxy Nginx, DirectoryInfo Folder) : IAsyncDisposable
    {
        public async Task<string> ShellAsync(string command)
        {
            var (exitCode, output, errors) = await Shell.RunAsync(command, ("CURL_HOME", Nginx.CurlHome(Host)));
            Assert.True(exitCode == 0, $"{command}\n{output}\n{errors}");
            return output;
        }

        public async ValueTask DisposeAsync()
        {
            await Nginx.DisposeAsync();
            await Server.DisposeAsync();
            Folder.Delete(recursive: true);
        }
    }
}
