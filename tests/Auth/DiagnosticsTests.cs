using System.Text.Json;

namespace MinimalMcp.Tests.Auth;

/// <summary>What an operator reads when a host does not connect.</summary>
public sealed class DiagnosticsTests
{
    [Fact]
    public async Task Each_exchange_that_matters_is_there_with_what_it_means_and_nothing_that_opens_anything()
    {
        await using var server = Modes.Start("mixed", ("Server:PublicUrl", "https://mcp.example.com"));
        server.Http.DefaultRequestHeaders.UserAgent.ParseAdd("Python/3.12 aiohttp/3.9");
        await GetAsync(server, "/.well-known/oauth-authorization-server/mcp");
        await GetAsync(server, "/.well-known/no-such-document?code=secret1&state=secret2&token=secret3&scope=mcp:read");
        await GetAsync(server, "/status");
        await server.PostAsync("/mcp", "{}", headers: ("Authorization", "Bearer foreign.secret4.x"));
        await server.PostAsync("/mcp", "{}", headers: ("Authorization", "Bearer stranger.secret5.x"));
        await server.PostAsync("/mcp?access_token=secret6", "{}");
        await server.PostAsync("/mcp", "{ not json");
        await server.PostAsync("/mcp", "{}", headers: ("Host", "wrong.example"));
        await server.McpAsync(
            "initialize",
            new
            {
                protocolVersion = "2025-11-25",
                capabilities = new { },
                clientInfo = new { name = "chat<b>gpt", version = "1.0\u001b[31m" },
            }
        );
        await server.McpAsync("tools/list");
        await server.McpAsync("tools/call", new { name = "list_picked" });
        await GetAsync(server, "/wp-login.php");

        var page = await AdminAsync(server, "application/json");
        var found = JsonElement
            .Parse(page)
            .GetProperty("exchanges")
            .EnumerateArray()
            .Select(one =>
                $"{one.GetProperty("method")} {one.GetProperty("path")} {one.GetProperty("status")}: "
                + $"{one.GetProperty("verdict")}"
            )
            .Reverse()
            .ToArray();

        Assert.Equal(
            [
                "GET /.well-known/oauth-authorization-server/mcp 200: Requested "
                    + "/.well-known/oauth-authorization-server/mcp: succeeded.",
                "GET /.well-known/no-such-document?code=…&state=…&token=…&scope=mcp:read 404: Requested "
                    + "/.well-known/no-such-document: 404. ",
                "GET /status 401: Must sign in (401). The request had no credential.",
                "POST /mcp 401: Must sign in (401). The token is for another audience.",
                "POST /mcp 403: Refused (403). This client is not one of those that may use this server.",
                "POST /mcp?access_token=… 400: Failed (400). Access tokens are not accepted in the URL, "
                    + "because URLs are logged. Send the token as 'Authorization: Bearer TOKEN'.",
                "POST /mcp 400: Failed (400). Parse error: the body is not valid JSON (line 1, byte 3).",
                "POST /mcp 400: Failed (400). The Host header names a host that this server does not serve. "
                    + "Check that PUBLIC_URL is the URL that the client calls.",
            ],
            found
        );
        Assert.DoesNotContain("secret", page);
        Assert.Equal(
            "chat<b>gpt 1.0·[31m",
            JsonElement.Parse(page).GetProperty("clients")[0].GetProperty("client").GetString()
        );
        var html = await AdminAsync(server, "text/html");
        Assert.Contains("chat&lt;b&gt;gpt", html);
        Assert.Contains("aiohttp", html);
        Assert.DoesNotContain("secret", html);
    }

    [Theory]
    [InlineData("none", "because authentication is disabled")]
    [InlineData("api-key", "because this server accepts API keys")]
    public async Task A_document_that_is_not_there_is_explained(string mode, string expected)
    {
        await using var server = Modes.Start(mode);
        await GetAsync(server, "/.well-known/oauth-authorization-server/mcp");

        Assert.Contains(
            $"Requested /.well-known/oauth-authorization-server/mcp: 404, {expected}",
            await AdminAsync(server, "text/html,*/*")
        );
    }

    [Fact]
    public async Task It_keeps_the_last_two_hundred_and_of_the_clients_the_last_fifty()
    {
        await using var server = Modes.Start("none");
        for (var i = 0; i < 205; i++)
        {
            await GetAsync(server, $"/.well-known/{i}");
        }

        for (var i = 0; i < 52; i++)
        {
            await server.McpAsync(
                "initialize",
                new
                {
                    protocolVersion = "2025-11-25",
                    capabilities = new { },
                    clientInfo = new { name = $"client{i}", version = "1" },
                }
            );
        }

        var document = JsonElement.Parse(await AdminAsync(server, "application/json"));
        var paths = document
            .GetProperty("exchanges")
            .EnumerateArray()
            .Select(one => one.GetProperty("path").GetString())
            .ToArray();
        Assert.Equal((200, "/.well-known/204", "/.well-known/5"), (paths.Length, paths[0], paths[^1]));
        Assert.Equal(50, document.GetProperty("clients").GetArrayLength());
    }

    [Fact]
    public async Task Without_authentication_it_is_for_this_machine()
    {
        await using var server = Modes.Start("none");

        using var response = await server.Http.SendAsync(
            new(HttpMethod.Get, "/diagnostics") { Headers = { { "X-Forwarded-For", "203.0.113.7" } } },
            TestContext.Current.CancellationToken
        );

        Assert.Equal(403, (int)response.StatusCode);
    }

    private static async Task GetAsync(TestServer server, string path) =>
        (await server.Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken)).Dispose();

    private static async Task<string> AdminAsync(TestServer server, string accept)
    {
        // A browser is redirected from there to the page.
        var path = accept.StartsWith("text/html", StringComparison.Ordinal) ? "/console/diagnostics" : "/diagnostics";
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", accept } } };
        request.Headers.Authorization = new(
            "Bearer",
            server.Services.GetService(typeof(Microsoft.Extensions.Configuration.IConfiguration))
                is Microsoft.Extensions.Configuration.IConfiguration configuration
            && configuration["Auth:Mode"] == "api-key"
                ? Modes.Key
                : "ops.admin.x"
        );
        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)response.StatusCode);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
