using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Guides;

/// <summary>
/// A public address with a path, behind nginx that takes the path off or leaves it: the two blocks of
/// docs/reverse-proxy.md, as they stand there.
/// </summary>
[Slow]
public sealed partial class ReverseProxyTests
{
    private const string Public = "https://mcp.example.com/tools-server";

    public static TheoryData<string> Blocks => ["The path is taken off", "The path stays"];

    [Theory, MemberData(nameof(Blocks))]
    public async Task Every_document_names_the_path_and_is_where_clients_look_for_it(string heading)
    {
        await using var set = await StartAsync(heading);

        // RFC 8414 section 3.1, RFC 9728 section 3.1, and below the path, where other clients look.
        foreach (var (document, member, expected) in ((string, string, string)[])
        [
            ("/.well-known/oauth-authorization-server/tools-server", "issuer", Public),
            ("/.well-known/openid-configuration/tools-server", "issuer", Public),
            ("/tools-server/.well-known/openid-configuration", "issuer", Public),
            ("/tools-server/.well-known/oauth-authorization-server", "token_endpoint", Public + "/auth/token"),
            ("/tools-server/mcp/.well-known/openid-configuration", "issuer", Public),
            ("/.well-known/oauth-protected-resource/tools-server/mcp", "resource", Public + "/mcp"),
            ("/.well-known/oauth-protected-resource/tools-server/sse", "resource", Public + "/sse"),
            ("/.well-known/oauth-protected-resource/tools-server", "resource", Public + "/mcp"),
            ("/tools-server/.well-known/oauth-protected-resource/mcp", "resource", Public + "/mcp"),
            ("/tools-server/.well-known/ai-plugin.json", "logo_url", Public + "/logo.svg"),
        ])
        {
            var json = JsonElement.Parse(await set.GetAsync(document));
            Assert.Equal(expected, json.GetProperty(member).GetString());
        }

        var openapi = JsonElement.Parse(await set.GetAsync("/tools-server/openapi.json"));
        Assert.Equal(Public, openapi.GetProperty("servers")[0].GetProperty("url").GetString());
        using var challenge = await set.Http.PostAsync(new Uri("/tools-server/mcp", UriKind.Relative), TestServer.Json(new { }), Stop);
        Assert.Contains($"resource_metadata=\"{Public}/.well-known/oauth-protected-resource/mcp\"", challenge.Headers.WwwAuthenticate.ToString());
    }

    [Theory, MemberData(nameof(Blocks))]
    public async Task Pages_redirects_and_cookies_stay_below_the_path(string heading)
    {
        await using var set = await StartAsync(heading);

        foreach (var page in (string[])["/tools-server/", "/tools-server/dashboard", "/tools-server/scalar/", set.Authorize()])
        {
            var html = await set.GetAsync(page);
            foreach (Match link in Links().Matches(html))
            {
                var target = new Uri(new Uri("https://mcp.example.com" + page), System.Net.WebUtility.HtmlDecode(link.Groups[1].Value));
                if (target.Host == "mcp.example.com")
                {
                    Assert.StartsWith("/tools-server/", target.AbsolutePath, StringComparison.Ordinal);
                    using var answer = await set.Http.GetAsync(target, Stop);
                    Assert.True(answer.IsSuccessStatusCode || (int)answer.StatusCode is 302 or 401
                        || (target.AbsolutePath.EndsWith("/auth/authorize", StringComparison.Ordinal) && (int)answer.StatusCode is 400), $"{page}: {target} {answer.StatusCode}");
                }
            }
        }

        using var redirect = await set.Http.GetAsync(new Uri("/tools-server/docs", UriKind.Relative), Stop);
        Assert.Equal("/tools-server/scalar/", new Uri(new Uri(Public + "/docs"), redirect.Headers.Location!).AbsolutePath);
        using var asked = await set.Http.GetAsync(new Uri(set.Authorize(), UriKind.Relative), Stop);
        Assert.Contains("__Host-", asked.Headers.GetValues("Set-Cookie").Single());
        Assert.Contains("path=/;", asked.Headers.GetValues("Set-Cookie").Single());
    }

    [Theory, MemberData(nameof(Blocks))]
    public async Task The_endpoint_of_the_older_transport_is_below_the_path_and_answers(string heading)
    {
        await using var set = await StartAsync(heading);

        var request = new HttpRequestMessage(HttpMethod.Get, "/tools-server/sse");
        request.Headers.Authorization = new("Bearer", OAuthServer.Key);
        using var stream = await set.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync(Stop));
        Assert.Equal("event: endpoint", await Wait.Soon(reader.ReadLineAsync(Stop).AsTask()));
        var endpoint = (await Wait.Soon(reader.ReadLineAsync(Stop).AsTask()))!["data: ".Length..];

        Assert.StartsWith("/tools-server/message?sessionId=", endpoint, StringComparison.Ordinal);
        var post = new HttpRequestMessage(HttpMethod.Post, endpoint)
        {
            Content = TestServer.Json(new { jsonrpc = "2.0", id = 1, method = "ping" }),
        };
        post.Headers.Authorization = new("Bearer", OAuthServer.Key);
        using var accepted = await set.Http.SendAsync(post, Stop);
        Assert.Equal(202, (int)accepted.StatusCode);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<Set> StartAsync(string heading)
    {
        var server = TestServer.Start(("Auth:Mode", "hybrid"), ("Auth:ApiKey", OAuthServer.Key), ("Server:PublicUrl", Public),
            ("Auth:Server:ClientId", "c"), ("Auth:Server:ClientSecret", OAuthServer.Secret), ("Auth:Server:RedirectUri", OAuthServer.ActionAddress));
        var page = await File.ReadAllTextAsync(Path.Combine(ClientProcess.Root, "docs", "reverse-proxy.md"), Stop);
        var section = page.Split("\n## ").Single(part => part.StartsWith(heading, StringComparison.Ordinal));
        var block = section.Split("```nginx\n")[1].Split("\n```")[0];
        var nginx = await Nginx.StartAsync(block, server.Url.Authority, "https://localhost:PORT/tools-server");
        return new(server, nginx, nginx.Client("https://mcp.example.com"));
    }

    [GeneratedRegex("(?:href|src|action)=\"([^\"#]+)\"")]
    private static partial Regex Links();

    private sealed record Set(TestServer Server, Nginx Nginx, HttpClient Http) : IAsyncDisposable
    {
        public async Task<string> GetAsync(string path)
        {
            using var answer = await Http.GetAsync(new Uri(path, UriKind.Relative), Stop);
            var text = await answer.Content.ReadAsStringAsync(Stop);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
            return text;
        }

        public string Authorize() => "/tools-server/auth/authorize?response_type=code&client_id=c&scope=mcp:read&redirect_uri="
            + Uri.EscapeDataString(OAuthServer.ActionAddress);

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await Nginx.DisposeAsync();
            await Server.DisposeAsync();
        }
    }
}
