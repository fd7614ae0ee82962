using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace MinimalMcp.Tests.Auth;

/// <summary>
/// A known path with another method is 405 with Allow on every surface, with or without a credential.
/// </summary>
public sealed class WrongMethodTests
{
    private const string Key = "wrong-method-Wq7Zr2Kx9Lm4Np6Tv8Yb1Cd3";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData("none"), InlineData("api-key"), InlineData("embedded"), InlineData("mixed")]
    public async Task Every_route_names_the_methods_that_it_takes(string mode)
    {
        await using var server = TestServer.Start(("Auth:Mode", mode), ("Auth:ApiKey", mode == "none" ? "" : Key));
        var routes = server
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<HttpMethodMetadata>() is not null)
            .Select(Path)
            .Where(path => !path.Contains('{', StringComparison.Ordinal))
            .Distinct()
            .ToArray();
        Assert.Superset(
            new HashSet<string>
            {
                "/mcp",
                "/sse",
                "/message",
                "/tools",
                "/tools/search_products",
                "/api/mcp/v1/call",
                "/api/v1/audit",
                "/openapi.json",
                "/health",
                "/status",
                "/dashboard",
            },
            new HashSet<string>(routes)
        );

        foreach (var path in routes)
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, path);
            using var answer = await server.Http.SendAsync(request, Stop);

            Assert.True(answer.StatusCode is HttpStatusCode.MethodNotAllowed, $"{path}: {answer.StatusCode}");
            Assert.NotEmpty(answer.Content.Headers.Allow);
            Assert.Empty(answer.Headers.WwwAuthenticate);
            Assert.Contains("This path supports", await answer.Content.ReadAsStringAsync(Stop));
        }
    }

    [Fact]
    public async Task A_path_that_is_not_there_still_asks_for_a_credential_and_a_right_method_too()
    {
        await using var server = TestServer.Start(("Auth:Mode", "api-key"), ("Auth:ApiKey", Key));
        using var unknown = await server.PostAsync("/no/such/route", "{}");
        using var call = await server.PostAsync("/tools/search_products", "{}");
        using var get = await server.Http.GetAsync(new Uri("/tools/no_such_tool", UriKind.Relative), Stop);

        Assert.Equal((401, 401, 405), ((int)unknown.StatusCode, (int)call.StatusCode, (int)get.StatusCode));
        Assert.Equal("POST", string.Join(", ", get.Content.Headers.Allow)); // whether there is such a tool is not told
    }

    // With what stands for parameters in it.
    private static string Path(RouteEndpoint route) =>
        "/"
        + route
            .RoutePattern.RawText!.Trim('/')
            .Replace("{name}", "search_products", StringComparison.Ordinal)
            .Replace("{profile}", "ops", StringComparison.Ordinal)
            .Replace("{id}", "0", StringComparison.Ordinal)
            .Replace("{**document}", "x", StringComparison.Ordinal);
}
