using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Auth.Server;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Guides;

/// <summary>Small things that a newcomer looks at.</summary>
public sealed class SmallPromiseTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none", 200, 200)]
    [InlineData("api-key", 200, 401)]
    [InlineData("embedded", 200, 401)]
    public async Task HEAD_is_answered_wherever_GET_is(string mode, int open, int closed)
    {
        await using var server = TestServer.Start(
            mode == "none" ? [] : [("Auth:Mode", mode), ("Auth:ApiKey", OAuthServer.Key)]
        );

        foreach (
            var path in (string[])
                [
                    "/health",
                    "/health/live",
                    "/health/ready",
                    "/openapi.json",
                    "/.well-known/openapi.json",
                    "/.well-known/ai-plugin.json",
                    "/logo.svg",
                    "/",
                    "/scalar/",
                ]
        )
        {
            Assert.Equal((path, open), (path, await HeadAsync(path)));
        }

        foreach (
            var path in (string[])
                [
                    "/status",
                    "/metrics",
                    "/dashboard",
                    "/tools",
                    "/api/mcp/v1/tools",
                    "/api/v1/audit",
                    "/api/v1/approvals",
                    "/mcp",
                    "/sse",
                ]
        )
        {
            Assert.Equal((path, closed), (path, await HeadAsync(path)));
        }

        async Task<int> HeadAsync(string path)
        {
            using var answer = await server.Http.SendAsync(new(HttpMethod.Head, path), Stop);
            Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Stop));
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task ServerInfo_has_a_title_a_website_and_an_icon()
    {
        await using var server = TestServer.Start(("Server:PublicUrl", "https://mcp.example.com"));

        var answer = await server.McpAsync(
            "initialize",
            new
            {
                protocolVersion = "2025-11-25",
                capabilities = new { },
                clientInfo = new { name = "t", version = "1" },
            }
        );

        var info = answer.Result.GetProperty("serverInfo");
        Assert.Equal("MinimalMcp", info.GetProperty("title").GetString());
        Assert.Equal("https://mcp.example.com/", info.GetProperty("websiteUrl").GetString());
        Assert.Equal("https://mcp.example.com/logo.svg", info.GetProperty("icons")[0].GetProperty("src").GetString());
    }

    [Fact]
    public async Task A_browser_gets_a_page_where_nothing_is_and_a_program_only_the_status()
    {
        await using var server = TestServer.Start();

        var request = new HttpRequestMessage(HttpMethod.Get, "/no/such/<page>");
        request.Headers.Accept.ParseAdd("text/html,application/xhtml+xml");
        using var page = await server.Http.SendAsync(request, Stop);
        var html = await page.Content.ReadAsStringAsync(Stop);
        Assert.Equal(404, (int)page.StatusCode);
        Assert.Contains("Not found", html);
        Assert.Contains("href=\"./../../\"", html);
        Assert.DoesNotContain("<page>", html);
        using var plain = await server.Http.GetAsync(new Uri("/no/such/page", UriKind.Relative), Stop);
        Assert.Equal((404, ""), ((int)plain.StatusCode, await plain.Content.ReadAsStringAsync(Stop)));
    }

    [Fact]
    public async Task The_metrics_pass_the_check_of_Prometheus()
    {
        await using var server = TestServer.Start();
        using var called = await server.PostAsync("/tools/view_cart", "{}");
        await server.McpAsync("tools/list");
        var metrics = await server.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Stop);

        var promtool = Needs.Program("scripts/test fetches it, of Debian's package prometheus", "promtool");
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, metrics, Stop);

        var (exitCode, output, errors) = await ClientProcess.RunAsync(
            new ProcessStartInfo(Needs.Bash(), ["-c", $"'{promtool}' check metrics < '{file}'"])
        );

        File.Delete(file);
        Assert.True(exitCode == 0, output + errors);
    }

    [Fact]
    public async Task The_document_keeps_whole_families_and_says_what_it_left_out()
    {
        await using var server = TestServer.Start(AllFamilies);
        var all = (await server.GetJsonAsync("/tools"))
            .GetProperty("tools")
            .EnumerateArray()
            .Select(tool => tool.GetProperty("name").GetString()!)
            .ToArray();
        var document = await server.GetJsonAsync("/openapi.json");
        var shown = Names(document);
        var description = document.GetProperty("info").GetProperty("description").GetString()!;

        Assert.True(all.Length > 60, $"{all.Length}");
        Assert.InRange(shown.Length, 20, 30);
        Assert.Contains("search_products", shown);
        Assert.Contains("prometheus_query", shown);
        foreach (
            var family in document
                .GetProperty("tags")
                .EnumerateArray()
                .Select(tag => tag.GetProperty("name").GetString()!)
        )
        {
            Assert.Empty(Names(await server.GetJsonAsync("/openapi.json?all=true&family=" + family)).Except(shown));
        }

        Assert.Contains($"These are {shown.Length} of {all.Length} tools", description);
        Assert.Contains("Left out: ", description);
        Assert.Contains("vikunja", description);
        Assert.Equal(
            all.Order(StringComparer.Ordinal),
            Names(await server.GetJsonAsync("/openapi.json?all=true")).Order(StringComparer.Ordinal)
        );
        Assert.Contains("all=true", await server.Http.GetStringAsync(new Uri("/scalar/", UriKind.Relative), Stop));
    }

    [Fact]
    public async Task Descriptions_mean_the_same_when_they_are_read_as_Markdown()
    {
        await using var server = TestServer.Start(AllFamilies);

        var text = (await server.GetJsonAsync("/openapi.json?all=true")).GetProperty("paths").GetRawText();

        Assert.Contains(@"\\_\\_name\\_\\_", text); // in JSON a backslash is two
        var descriptions = Regex.Matches(text, """"description":\s*"(?:[^"\\]|\\.)*"""");
        Assert.True(descriptions.Count > 100);
        Assert.All(descriptions, one => Assert.DoesNotMatch(@"[^\\\w`]__name__", one.Value));
    }

    [Fact]
    public async Task A_key_that_lacks_a_scope_is_told_its_scopes_and_not_to_sign_in()
    {
        await using var server = TestServer.Start(
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:reader:Key", OAuthServer.ReaderKey),
            ("Auth:ApiKeys:reader:Scopes", "mcp:read")
        );

        using var answer = await server.PostAsync(
            "/tools/add_to_cart",
            """{"productCode":"milk-001"}""",
            headers: ("Authorization", "Bearer " + OAuthServer.ReaderKey)
        );
        var text = await answer.Content.ReadAsStringAsync(Stop);

        Assert.Equal(403, (int)answer.StatusCode);
        Assert.Contains("the key 'reader' has mcp:read", JsonElement.Parse(text).GetProperty("detail").GetString());
        Assert.DoesNotContain("Connect again", text);
    }

    private static readonly (string, string)[] AllFamilies =
    [
        ("Docker:Url", "tcp://127.0.0.1:9"),
        ("Portainer:Url", "http://127.0.0.1:9"),
        ("Portainer:Token", "t"),
        ("Prometheus:Url", "http://127.0.0.1:9"),
        ("Grafana:Url", "http://127.0.0.1:9"),
        ("Grafana:Token", "t"),
        ("SilverBullet:Url", "http://127.0.0.1:9"),
        ("SilverBullet:Token", "t"),
        ("Vikunja:Url", "http://127.0.0.1:9"),
        ("Vikunja:Token", "t"),
    ];

    private static string[] Names(JsonElement document) =>
        [.. document.GetProperty("paths").EnumerateObject().Select(path => path.Name["/tools/".Length..])];
}
