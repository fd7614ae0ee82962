using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Guides;

/// <summary>
/// The server behind nginx, Caddy, HAProxy and Apache, with the blocks of docs/operate/reverse-proxy.md as they stand
/// there:
/// for the whole host, and for a path that the proxy takes off or leaves.
/// </summary>
[Slow]
public sealed partial class ReverseProxyTests
{
    private const string Host = "https://mcp.example.com";

    private static readonly string[] Cases = ["The whole host", "The path is taken off", "The path stays"];

    private static readonly (string Kind, string Fence)[] Proxies =
    [
        ("nginx", "nginx"),
        ("caddy", "caddyfile"),
        ("haproxy", "haproxy"),
        ("apache", "apache"),
    ];

    public static TheoryData<string, string> Blocks =>
        [
            .. Cases.SelectMany(heading =>
                Proxies.Select(proxy => new TheoryDataRow<string, string>(proxy.Kind, heading))
            ),
        ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Blocks))]
    public async Task A_block_of_the_page_serves_clients_and_browsers(string kind, string heading)
    {
        await using var set = await StartAsync(kind, heading);

        await DocumentsAreFoundAsync(set);
        await PagesStayBelowThePathAsync(set);
        await StreamsArriveAtOnceAsync(set);
        await LongRequestsReachTheServerAsync(set);
    }

    [Theory, MemberData(nameof(Blocks))]
    public async Task A_block_of_the_page_tells_who_calls_and_how(string kind, string heading)
    {
        await using var upstream = await Upstream.StartAsync();
        upstream.Answer = "{}";
        var (path, block) = (PathOf(heading), await BlockAsync(kind, heading));
        await using var proxy = await ReverseProxy.StartAsync(
            kind,
            block,
            new Uri(upstream.Url).Authority,
            Host + path
        );
        using var http = proxy.Client(Host);

        await SaysWhoCallsAsync(http, upstream, path + "/mcp");
    }

    [Fact]
    public async Task The_block_of_the_connectors_page_tells_who_calls_and_how()
    {
        var page = await File.ReadAllTextAsync(
            Path.Combine(ClientProcess.Root, "docs", "connect", "chatgpt-connector.md"),
            Stop
        );
        var location = page.Split("```nginx\n").Skip(1).Single().Split("\n```")[0];
        await using var upstream = await Upstream.StartAsync();
        upstream.Answer = "{}";
        var block =
            "server {\nlisten 443 ssl;\nssl_certificate /path/to/cert.pem;\n"
            + $"ssl_certificate_key /path/to/key.pem;\n{location}\n}}";
        await using var proxy = await ReverseProxy.StartAsync("nginx", block, new Uri(upstream.Url).Authority, Host);
        using var http = proxy.Client(Host);

        await SaysWhoCallsAsync(http, upstream, "/mcp");
    }

    // RFC 8414 section 3.1, RFC 9728 section 3.1, and below the path, where other clients look.
    private static async Task DocumentsAreFoundAsync(Set set)
    {
        var (path, address) = (set.Path, Host + set.Path);
        foreach (
            var (document, member, expected) in ((string, string, string)[])
                [
                    ($"/.well-known/oauth-authorization-server{path}", "issuer", address),
                    ($"/.well-known/openid-configuration{path}", "issuer", address),
                    ($"{path}/.well-known/openid-configuration", "issuer", address),
                    ($"{path}/.well-known/oauth-authorization-server", "token_endpoint", address + "/auth/token"),
                    ($"{path}/mcp/.well-known/openid-configuration", "issuer", address),
                    ($"/.well-known/oauth-protected-resource{path}/mcp", "resource", address + "/mcp"),
                    ($"/.well-known/oauth-protected-resource{path}/sse", "resource", address + "/sse"),
                    ($"/.well-known/oauth-protected-resource{path}", "resource", address + "/mcp"),
                    ($"{path}/.well-known/oauth-protected-resource/mcp", "resource", address + "/mcp"),
                    ($"{path}/.well-known/ai-plugin.json", "logo_url", address + "/logo.svg"),
                ]
        )
        {
            var json = JsonElement.Parse(await set.GetAsync(document));
            Assert.Equal(expected, json.GetProperty(member).GetString());
        }

        var openapi = JsonElement.Parse(await set.GetAsync($"{path}/openapi.json"));
        Assert.Equal(address.TrimEnd('/'), openapi.GetProperty("servers")[0].GetProperty("url").GetString());
        using var challenge = await set.Http.PostAsync(set.At("/mcp"), TestServer.Json(new { }), Stop);
        Assert.Contains(
            $"resource_metadata=\"{address}/.well-known/oauth-protected-resource/mcp\"",
            challenge.Headers.WwwAuthenticate.ToString()
        );
    }

    private static async Task PagesStayBelowThePathAsync(Set set)
    {
        foreach (var page in (string[])["/", "/auth/sign-in", "/scalar/", Set.Authorize])
        {
            var html = await set.GetAsync(set.Path + page);
            foreach (Match link in Links().Matches(html))
            {
                var here = new Uri(Host + set.Path + page);
                var target = new Uri(here, System.Net.WebUtility.HtmlDecode(link.Groups[1].Value));
                if (target.Host != here.Host)
                {
                    continue;
                }

                Assert.StartsWith(set.Path + "/", target.AbsolutePath, StringComparison.Ordinal);
                using var answer = await set.Http.GetAsync(target, Stop);
                var isForm = target.AbsolutePath.EndsWith("/auth/authorize", StringComparison.Ordinal);
                Assert.True(
                    answer.IsSuccessStatusCode
                        || (int)answer.StatusCode is 302 or 401
                        || (isForm && (int)answer.StatusCode is 400),
                    $"{page}: {target} {answer.StatusCode}"
                );
            }
        }

        using var redirect = await set.Http.GetAsync(set.At("/docs"), Stop);
        Assert.Equal(
            $"{Host}{set.Path}/scalar/",
            new Uri(new Uri(Host + set.Path + "/docs"), redirect.Headers.Location!).AbsoluteUri
        );
        using var asked = await set.Http.GetAsync(set.At(Set.Authorize), Stop);
        Assert.Contains("__Host-", asked.Headers.GetValues("Set-Cookie").Single());
        Assert.Contains("path=/;", asked.Headers.GetValues("Set-Cookie").Single());
    }

    private static async Task StreamsArriveAtOnceAsync(Set set)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, set.At("/sse"));
        request.Headers.Authorization = new("Bearer", OAuthServer.Key);
        using var stream = await set.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync(Stop));
        Assert.Equal("event: endpoint", await Wait.Soon(reader.ReadLineAsync(Stop).AsTask()));
        var endpoint = (await Wait.Soon(reader.ReadLineAsync(Stop).AsTask()))!["data: ".Length..];

        Assert.StartsWith(set.Path + "/message?sessionId=", endpoint, StringComparison.Ordinal);
        var post = new HttpRequestMessage(HttpMethod.Post, endpoint)
        {
            Content = TestServer.Json(
                new
                {
                    jsonrpc = "2.0",
                    id = 17,
                    method = "ping",
                }
            ),
        };
        post.Headers.Authorization = new("Bearer", OAuthServer.Key);
        using var accepted = await set.Http.SendAsync(post, Stop);
        Assert.Equal(202, (int)accepted.StatusCode);
        while (await Wait.Soon(reader.ReadLineAsync(Stop).AsTask()) is { } line)
        {
            if (line.Contains("\"id\":17", StringComparison.Ordinal))
            {
                return; // the stream is still open
            }
        }

        Assert.Fail("The stream ended before the answer.");
    }

    private static async Task LongRequestsReachTheServerAsync(Set set)
    {
        var note = new string('x', 3_900_000);
        var ping = new
        {
            jsonrpc = "2.0",
            id = 1,
            method = "ping",
            @params = new { _meta = new { note } },
        };
        var request = new HttpRequestMessage(HttpMethod.Post, set.At("/mcp")) { Content = TestServer.Json(ping) };
        request.Headers.Authorization = new("Bearer", OAuthServer.Key);
        using var answer = await set.Http.SendAsync(request, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True((int)answer.StatusCode is 200 && text.Contains("\"result\"", StringComparison.Ordinal), text);

        // A token that is as long as those of identity providers may be is refused by the server and not on its way.
        var stranger = new HttpRequestMessage(HttpMethod.Get, set.At("/tools"));
        stranger.Headers.Authorization = new("Bearer", new string('a', 16 * 1024));
        using var refused = await set.Http.SendAsync(stranger, Stop);
        Assert.Equal(401, (int)refused.StatusCode);
        Assert.Contains("resource_metadata=", refused.Headers.WwwAuthenticate.ToString());
    }

    private static async Task SaysWhoCallsAsync(HttpClient http, Upstream upstream, string path)
    {
        upstream.Asked.Clear();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Forwarded-For", "203.0.113.1"); // what a caller says itself
        request.Headers.Add("X-Forwarded-Proto", "http");
        using var answer = await http.SendAsync(request, Stop);

        var headers = Assert.Single(upstream.Asked).Headers;
        Assert.Equal("mcp.example.com", headers["Host"]);
        Assert.Equal("https", headers["X-Forwarded-Proto"]);
        Assert.Equal("127.0.0.1", headers["X-Forwarded-For"].Split(',')[^1].Trim());
    }

    private static string PathOf(string heading) => heading == Cases[0] ? "" : "/tools-server";

    private static async Task<string> BlockAsync(string kind, string heading)
    {
        var page = await File.ReadAllTextAsync(
            Path.Combine(ClientProcess.Root, "docs", "operate", "reverse-proxy.md"),
            Stop
        );
        var section = page.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));
        var fence = Proxies.Single(proxy => proxy.Kind == kind).Fence;
        return section.Split($"```{fence}\n").Skip(1).Single().Split("\n```")[0];
    }

    private static async Task<Set> StartAsync(string kind, string heading)
    {
        var path = PathOf(heading);
        var server = TestServer.Start(
            ("Auth:Mode", "hybrid"),
            ("Auth:ApiKey", OAuthServer.Key),
            ("Server:PublicUrl", Host + path),
            ("Auth:Server:ClientId", "c"),
            ("Auth:Server:ClientSecret", OAuthServer.Secret),
            ("Auth:Server:RedirectUri", OAuthServer.ActionAddress)
        );
        var block = await BlockAsync(kind, heading);
        var proxy = await ReverseProxy.StartAsync(kind, block, server.Url.Authority, Host + path);
        return new(server, proxy, proxy.Client(Host), path);
    }

    [GeneratedRegex("(?:href|src|action)=\"([^\"#]+)\"")]
    private static partial Regex Links();

    private sealed record Set(TestServer Server, ReverseProxy Proxy, HttpClient Http, string Path) : IAsyncDisposable
    {
        public static string Authorize =>
            "/auth/authorize?response_type=code&client_id=c&scope=mcp:read&redirect_uri="
            + Uri.EscapeDataString(OAuthServer.ActionAddress);

        public Uri At(string place) => new(Path + place, UriKind.Relative);

        public async Task<string> GetAsync(string path)
        {
            using var answer = await Http.GetAsync(new Uri(path, UriKind.Relative), Stop);
            var text = await answer.Content.ReadAsStringAsync(Stop);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
            return text;
        }

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await Proxy.DisposeAsync();
            await Server.DisposeAsync();
        }
    }
}
