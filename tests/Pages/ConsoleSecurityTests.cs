using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MinimalMcp.Auth.Operators;
using MinimalMcp.Tests.Auth;
using MinimalMcp.Tests.Hub;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>
/// What nobody but an operator may see or do in the console. The routes are those that are mapped, so that one that is
/// added is tested too.
/// </summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed partial class ConsoleSecurityTests(Browser browser)
{
    private const string Reader = "Zk7Qw2Rt9Yb4Nm6Xc1Vp8Ls3Hd5Jf0Ga";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_session_pages_lead_to_the_sign_in_and_programs_get_401()
    {
        await using var server = Start();
        using var visitor = new Visitor(server);
        var routes = Routes(server).Where(route => route.Methods.Contains("GET")).ToArray();
        Assert.Contains(routes, route => route.Path == "/console");
        Assert.Contains(routes, route => route.Path == "/api/v1/servers");
        foreach (var (path, _, isPage) in routes)
        {
            using var page = await visitor.GetAsync(path);
            if (isPage)
            {
                Assert.True(page.Status() == 303, $"{path} {page.Status()}");
                var target = new Uri(new Uri(server.Url, path), page.Location()!);
                Assert.Equal($"/auth/sign-in?return={Uri.EscapeDataString(path[1..])}", target.PathAndQuery);
                using var form = await visitor.GetAsync(target.PathAndQuery);
                Assert.Contains($"value=\"{path[1..]}\"", await form.Content.ReadAsStringAsync(Stop));
            }
            else
            {
                Assert.True(page.Status() == 401, $"{path} {page.Status()}");
            }

            using var program = await visitor.GetAsync(path, accept: "application/json");
            Assert.True(program.Status() == 401, $"{path} {program.Status()}");
        }
    }

    [Fact]
    public async Task A_caller_without_the_scope_sees_no_page()
    {
        await using var server = Start();
        // Everybody who can sign in comes to the own connections, and to nothing else.
        Assert.Equal(["/connections"], Routes(server, forCallers: true).Select(route => route.Path).Distinct());
        foreach (var (path, _, _) in Routes(server).Where(route => route.IsPage))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = new("Bearer", Reader);
            using var answer = await server.Http.SendAsync(request, Stop);
            Assert.True(answer.Status() == 403, $"{path} {answer.Status()}");
        }
    }

    [Fact]
    public async Task Every_action_is_refused_to_other_origins_and_to_requests_that_name_none()
    {
        await using var server = Start();
        using var visitor = new Visitor(server);
        (await visitor.SignInAsync(RegisteredServers.Key)).Dispose();
        var actions = Routes(server)
            .Concat(Routes(server, forCallers: true))
            .SelectMany(route =>
                route.Methods.Where(method => method is not ("GET" or "HEAD")).Select(method => (method, route.Path))
            )
            .ToArray();
        Assert.Contains(("POST", "/api/v1/servers/import"), actions);
        Assert.Contains(("DELETE", "/api/v1/keys/1"), actions);
        Assert.Contains(("POST", "/connections"), actions);
        Assert.Contains(("POST", "/api/v1/approvals/1/approve"), actions);
        foreach (var (method, path) in actions)
        {
            foreach (
                var headers in ((string, string)[][])
                    [
                        [],
                        [("Origin", "https://evil.example")],
                        [("Origin", "null")],
                        [("Sec-Fetch-Site", "cross-site")],
                        [("Sec-Fetch-Site", "same-site")],
                        [("Sec-Fetch-Site", "none"), ("Origin", "https://evil.example")],
                    ]
            )
            {
                using var refused = await visitor.SendAsync(new(method), path, "{}", headers);
                var text = await refused.Content.ReadAsStringAsync(Stop);
                Assert.True(refused.Status() == 403, $"{method} {path} {string.Join(", ", headers)}: {text}");
            }

            using var own = await visitor.SendAsync(new(method), path, "{}", ("Origin", server.BaseUrl));
            Assert.True(own.Status() is not (401 or 403), $"{method} {path} {own.Status()}");
        }
    }

    [Fact]
    public async Task Without_authentication_every_action_is_refused_to_other_origins_too()
    {
        await using var server = TestServer.Start();
        var actions = Routes(server)
            .SelectMany(route => route.Methods.Select(method => (Method: method, route.Path)))
            .Where(action => action.Method is not ("GET" or "HEAD"))
            .ToArray();
        var mapped = server
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.Trim('/').StartsWith("api/v1/", StringComparison.Ordinal))
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods)
            .Count(method => method is not ("GET" or "HEAD"));
        Assert.Equal(mapped, actions.Length); // no route of the API is without the check
        foreach (var (method, path) in actions)
        {
            foreach (
                var header in ((string, string)[])
                    [("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
            )
            {
                using var request = new HttpRequestMessage(new(method), path) { Content = TestServer.Json(new { }) };
                request.Headers.Add(header.Item1, header.Item2);
                using var refused = await server.Http.SendAsync(request, Stop);
                var text = await refused.Content.ReadAsStringAsync(Stop);
                Assert.True(refused.Status() == 403, $"{method} {path} {header}: {text}");
            }
        }
    }

    [Fact]
    public async Task No_other_site_shows_a_page_in_a_frame_or_runs_a_script_in_it()
    {
        await using var server = Start();
        using var visitor = new Visitor(server);
        (await visitor.SignInAsync(RegisteredServers.Key)).Dispose();
        foreach (var (path, _, _) in Routes(server).Where(route => route.Path.StartsWith("/console")))
        {
            using var page = await visitor.GetAsync(path);
            var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
            Assert.Equal(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' "
                    + "data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
                policy
            );
            Assert.Equal("no-store", page.Headers.CacheControl!.ToString());
            var html = await page.Content.ReadAsStringAsync(Stop);
            Assert.DoesNotMatch(Inline(), html);
        }
    }

    [Fact]
    public async Task What_servers_callers_and_settings_say_is_shown_as_text()
    {
        const string Markup = "</title><script>alert(9)</script><img src=x onerror=alert(8)>";
        await using var visit = await ConsoleVisit.OpenAsync(
            browser,
            settings: [("Server:Name", Markup), ("Server:Version", $"\"'{Markup}")]
        );
        var page = visit.Page;
        page.Dialog += (_, _) => Assert.Fail("A script ran.");
        var id = await visit.RegisterAsync("hostile", "hostile", Markup);
        var dead = await visit.RegisterAsync("dead", "hostile-dies", Markup);
        await visit.Servers.BecomesAsync(id, "active");
        await visit.Servers.BecomesAsync(dead, "error");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/.well-known/oauth-protected-resource/<script>");
        request.Headers.TryAddWithoutValidation("User-Agent", Markup);
        (await visit.Server.Http.SendAsync(request, Stop)).Dispose();
        await visit.Server.McpAsync(
            "initialize",
            new
            {
                protocolVersion = "2025-11-25",
                capabilities = new { },
                clientInfo = new { name = Markup, version = "1" },
            }
        );

        foreach (
            var path in (string[])
                [
                    .. ConsoleVisit.Paths,
                    "/servers/new",
                    $"/servers/{id}",
                    $"/servers/{id}/edit",
                    $"/servers/{dead}",
                    "/servers/99",
                ]
        )
        {
            await page.GotoAsync("/console" + path);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
            Assert.Equal(
                0,
                await page.EvaluateAsync<int>(
                    "() => document.querySelectorAll('img[src=x], script:not([src]), svg[onload]').length"
                )
            );
        }

        await page.GotoAsync($"/console/servers/{id}");
        await Expect(page.GetByRole(AriaRole.Log))
            .ToHaveTextAsync("</pre><script>alert(1)</script><img src=x onerror=alert(2)>");
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "<svg onload=alert(3)>" })).Not.ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.GotoAsync("/console/servers");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "dead" })).ToContainTextAsync("<img src=x");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start dead" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("<img src=x");
        Assert.All(visit.Problems, problem => Assert.Contains("status of", problem)); // 404 and 500, as they should
    }

    private static TestServer Start() =>
        TestServer.Start(
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKey", RegisteredServers.Key),
            ("Auth:ApiKeys:reader:Key", Reader),
            ("Auth:ApiKeys:reader:Scopes", "mcp:read")
        );

    // Every route that takes an operator's session, or that of any caller.
    private static IEnumerable<(string Path, IReadOnlyList<string> Methods, bool IsPage)> Routes(
        TestServer server,
        bool forCallers = false
    ) =>
        server
            .Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<OperatorRoute>()?.IsForCallers == forCallers)
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
            .Select(endpoint =>
                (
                    "/" + Parameter().Replace(endpoint.RoutePattern.RawText!.Trim('/'), "1"),
                    endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods,
                    endpoint.Metadata.GetMetadata<OperatorRoute>()!.IsPage
                )
            );

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("<script(?![^>]* src=)|<style|<[^>]+ (?:on[a-z]+|style)=", RegexOptions.IgnoreCase)]
    private static partial Regex Inline();
}
