using System.Net;
using System.Text.Json;

namespace MinimalMcp.Tests.Auth;

/// <summary>
/// The documents by which a host finds out where to sign in: all of them in every OAuth mode, none in the others, and
/// nothing in them from a request.
/// </summary>
public sealed class DocumentTests
{
    private static readonly string[] Resources =
    [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/mcp/readonly",
        "/mcp/.well-known/oauth-protected-resource",
    ];
    private static readonly string[] SseResources =
    [
        "/.well-known/oauth-protected-resource/sse",
        "/sse/.well-known/oauth-protected-resource",
    ];

    private static readonly string[] Servers =
    [
        .. from name in (string[])["oauth-authorization-server", "openid-configuration"]
        from path in (string[])
            ["/.well-known/#", "/.well-known/#/mcp", "/.well-known/#/sse", "/mcp/.well-known/#", "/sse/.well-known/#"]
        select path.Replace("#", name, StringComparison.Ordinal),
    ];

    public static TheoryData<string> OAuthModes => [.. Modes.OAuth];

    [Theory, MemberData(nameof(OAuthModes))]
    public async Task Every_place_that_a_host_looks_at_has_the_document(string mode)
    {
        await using var server = Modes.Start(mode, ("Server:PublicUrl", "https://mcp.example.com/"));

        foreach (
            var (path, resource) in Resources
                .Select(path => (path, "https://mcp.example.com/mcp"))
                .Concat(SseResources.Select(path => (path, "https://mcp.example.com/sse")))
        )
        {
            var document = await server.GetJsonAsync(path);
            Assert.Equal(resource, document.GetProperty("resource").GetString());
            Assert.Equal(
                ["https://mcp.example.com"],
                document.GetProperty("authorization_servers").EnumerateArray().Select(one => one.GetString())
            );
            var scopes = document.GetProperty("scopes_supported").EnumerateArray().Select(one => one.GetString());
            // What the tools of the address need.
            var expected = path.EndsWith("/readonly", StringComparison.Ordinal)
                ? "mcp:read"
                : "mcp:read mcp:write mcp:execute";
            Assert.Equal(expected, string.Join(' ', scopes));
            Assert.Equal(
                ["header"],
                document.GetProperty("bearer_methods_supported").EnumerateArray().Select(one => one.GetString())
            );
        }

        foreach (var path in Servers)
        {
            var document = await server.GetJsonAsync(path);
            Assert.Equal("https://mcp.example.com", document.GetProperty("issuer").GetString());
            Assert.Equal("S256", document.GetProperty("code_challenge_methods_supported")[0].GetString());
        }
    }

    [Theory]
    [InlineData("none")]
    [InlineData("api-key")]
    public async Task Where_nobody_signs_in_none_is_there(string mode)
    {
        await using var server = Modes.Start(mode);
        foreach (
            var path in Resources.Concat(SseResources).Concat(Servers).Append("/.well-known/openai-apps-challenge")
        )
        {
            using var response = await server.Http.GetAsync(
                new Uri(path, UriKind.Relative),
                TestContext.Current.CancellationToken
            );
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("/.well-known/oauth-protected-resource")]
    [InlineData("/.well-known/oauth-authorization-server")]
    public async Task Without_a_public_address_they_name_the_one_that_is_listened_on_and_never_the_one_of_the_request(
        string path
    )
    {
        await using var server = Modes.Start("embedded", ("AllowedHosts", "evil.example"));
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = "evil.example";
        request.Headers.Add("X-Forwarded-Proto", "https");

        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        using var challenge = await server.PostAsync("/mcp", "{}", headers: ("Host", "evil.example"));

        var document = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains(server.BaseUrl, document);
        Assert.DoesNotContain("evil", document);
        Assert.Contains($"\"{server.BaseUrl}/.well-known/", challenge.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("embedded", "OAuth", "oauth")]
    [InlineData("hybrid", "OAuth ApiKey", "oauth")]
    [InlineData("mixed", "OAuth", "oauth")]
    [InlineData("api-key", "ApiKey", "user_http")]
    [InlineData("none", "", "none")]
    public async Task The_documents_of_actions_say_how_to_sign_in(string mode, string schemes, string plugin)
    {
        await using var server = Modes.Start(mode, ("Server:PublicUrl", "https://mcp.example.com"));
        foreach (var version in (string[])["3.1", "3.0"])
        {
            var document = await server.GetJsonAsync("/openapi.json?v=" + version);
            Assert.Equal(
                schemes.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                Names(document.GetProperty("security"))
            );
            if (schemes.StartsWith("OAuth", StringComparison.Ordinal))
            {
                var flow = document
                    .GetProperty("components")
                    .GetProperty("securitySchemes")
                    .GetProperty("OAuth")
                    .GetProperty("flows")
                    .GetProperty("authorizationCode");
                Assert.Equal(
                    "https://mcp.example.com/auth/authorize",
                    flow.GetProperty("authorizationUrl").GetString()
                );
                Assert.Equal("https://mcp.example.com/auth/token", flow.GetProperty("tokenUrl").GetString());
                Assert.Equal(
                    ["mcp:read", "mcp:write", "mcp:execute"],
                    flow.GetProperty("scopes").EnumerateObject().Select(scope => scope.Name)
                );
                var write = document
                    .GetProperty("paths")
                    .GetProperty("/tools/pick_note")
                    .GetProperty("post")
                    .GetProperty("security");
                Assert.Equal(
                    ["mcp:write"],
                    write[0].GetProperty("OAuth").EnumerateArray().Select(scope => scope.GetString())
                );
                var read = document
                    .GetProperty("paths")
                    .GetProperty("/tools/find_notes")
                    .GetProperty("post")
                    .GetProperty("security");
                Assert.Equal(mode == "mixed", read[0].GetRawText() is "{ }" or "{}");
            }
        }

        var auth = (await server.GetJsonAsync("/.well-known/ai-plugin.json")).GetProperty("auth");
        Assert.Equal(plugin, auth.GetProperty("type").GetString());
        Assert.True(
            plugin != "oauth"
                || auth.GetProperty("authorization_url").GetString() == "https://mcp.example.com/auth/token"
        );
        var page = await server.Http.GetStringAsync(server.Url, TestContext.Current.CancellationToken);
        Assert.Contains(mode == "none" ? "no authentication" : $"authentication: {mode}", page);
        Assert.Contains(
            mode switch
            {
                "none" => "and No authentication",
                "api-key" => "cannot send an API key",
                "mixed" => "and Mixed as authentication",
                _ => "and OAuth as authentication",
            },
            page
        );

        static IEnumerable<string> Names(JsonElement security) =>
            security.EnumerateArray().SelectMany(one => one.EnumerateObject()).Select(scheme => scheme.Name);
    }

    [Fact]
    public async Task The_owner_of_the_domain_is_proved_with_plain_text()
    {
        await using var server = Modes.Start("embedded", ("Server:OpenAiAppsChallenge", "token-of-openai"));

        using var response = await server.Http.GetAsync(
            new Uri("/.well-known/openai-apps-challenge", UriKind.Relative),
            TestContext.Current.CancellationToken
        );

        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(
            "token-of-openai",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }
}
