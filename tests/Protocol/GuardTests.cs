using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Protocol;

/// <summary>Host and Origin are checked on every route, before anything else happens.</summary>
public sealed class GuardTests
{
    [Fact]
    public async Task A_wrong_host_is_400_on_every_route()
    {
        await using var server = TestServer.Start();
        await ForEveryRouteAsync(server, async request =>
        {
            request.Headers.Host = "evil.example";
            using var response = await server.Http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            );
            Assert.True(
                (int)response.StatusCode == 400,
                $"{request.Method} {request.RequestUri}: {response.StatusCode}"
            );
            Assert.Equal(
                request.Method != HttpMethod.Head,
                (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains(
                    "PUBLIC_URL",
                    StringComparison.Ordinal
                )
            );
        });
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost.evil.example")]
    [InlineData("file://localhost")]
    public async Task A_wrong_origin_is_403_on_every_route(string origin)
    {
        await using var server = TestServer.Start();
        await ForEveryRouteAsync(server, async request =>
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
            using var response = await server.Http.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            );
            Assert.True(
                (int)response.StatusCode == 403,
                $"{request.Method} {request.RequestUri}: {response.StatusCode}"
            );
            Assert.Equal(
                request.Method != HttpMethod.Head,
                (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains(
                    "CORS_ORIGINS",
                    StringComparison.Ordinal
                )
            );
        });
    }

    [Theory]
    [InlineData("https://a.example,https://b.example/", "https://b.example")]
    [InlineData("""["https://a.example", "https://b.example"]""", "https://b.example")]
    [InlineData("*", "*")]
    public async Task An_allowed_origin_passes_and_is_told_so(string configured, string told)
    {
        await using var server = TestServer.Start(("Server:CorsOrigins", configured));
        using var preflight = await SendAsync(
            server,
            HttpMethod.Options,
            "/mcp",
            ("Origin", "https://b.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "mcp-protocol-version,authorization")
        );
        Assert.Equal(204, (int)preflight.StatusCode);
        Assert.Equal([told], preflight.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Contains(
            "MCP-Protocol-Version",
            string.Join(',', preflight.Headers.GetValues("Access-Control-Allow-Headers")),
            StringComparison.OrdinalIgnoreCase
        );

        using var call = await SendAsync(server, HttpMethod.Get, "/tools", ("Origin", "https://b.example"));
        Assert.Equal(200, (int)call.StatusCode);
        Assert.Equal([told], call.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Contains(
            "Mcp-Session-Id",
            string.Join(',', call.Headers.GetValues("Access-Control-Expose-Headers")),
            StringComparison.OrdinalIgnoreCase
        );

        using var other = await SendAsync(server, HttpMethod.Get, "/tools", ("Origin", "https://c.example"));
        Assert.Equal(configured == "*" ? 200 : 403, (int)other.StatusCode);
    }

    [Theory, InlineData("http://localhost:5173"), InlineData("http://127.0.0.1"), InlineData("http://[::1]:80")]
    public async Task A_page_on_this_machine_passes(string origin)
    {
        await using var server = TestServer.Start();
        using var response = await SendAsync(server, HttpMethod.Get, "/tools", ("Origin", origin));
        Assert.Equal(200, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("X-Forwarded-Host", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "localhost, evil.example")]
    [InlineData("X-Original-Host", "localhost")]
    [InlineData("Forwarded", "host=localhost")]
    public async Task A_forwarded_host_does_not_get_past_the_check(string header, string value)
    {
        await using var server = TestServer.Start();
        using var response = await SendAsync(
            server,
            HttpMethod.Get,
            "/tools",
            ("Host", "evil.example"),
            (header, value)
        );
        Assert.Equal(400, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("Server:PublicUrl", "https://mcp.example.com", "mcp.example.com")]
    [InlineData("Server:PublicUrl", "https://mcp.example.com", "MCP.example.com:443")]
    [InlineData("AllowedHosts", "a.example;b.example", "b.example")]
    public async Task The_public_host_passes(string key, string value, string host)
    {
        await using var server = TestServer.Start((key, value));
        using var response = await SendAsync(server, HttpMethod.Get, "/tools", ("Host", host));
        Assert.Equal(200, (int)response.StatusCode);
    }

    private static async Task ForEveryRouteAsync(TestServer server, Func<HttpRequestMessage, Task> check)
    {
        var routes =
            from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
            select (
                method,
                path: "/"
                    + string.Join(
                        '/',
                        endpoint.RoutePattern.PathSegments.Select(segment =>
                            segment.Parts[0] is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal
                            && segment.Parts.Count == 1
                                ? literal.Content
                                : "x"
                        )
                    )
            );
        var all = routes.Append(("GET", "/nothing-is-mapped-here")).Distinct().ToArray();
        Assert.True(all.Length > 15, $"Only {all.Length} routes were found.");
        foreach (var (method, path) in all)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            await check(request);
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestServer server,
        HttpMethod method,
        string path,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
