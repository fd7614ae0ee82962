using System.Text.Json;
using Microsoft.Playwright;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Hub;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>An operator with the console open: a server in mode api-key, and a browser that is signed in.</summary>
internal sealed class ConsoleVisit : IAsyncDisposable
{
    /// <summary>Every page of the navigation, below the console's root.</summary>
    public static readonly string[] Paths =
    [
        "",
        "/activity",
        "/sessions",
        "/audit",
        "/servers",
        "/tools",
        "/approvals",
        "/keys",
        "/connect",
        "/diagnostics",
        "/settings",
    ];

    private readonly Visit _visit;

    private ConsoleVisit(RegisteredServers servers, Visit visit) => (Servers, _visit) = (servers, visit);

    public RegisteredServers Servers { get; }

    public TestServer Server => Servers.Server;

    public IPage Page => _visit.Page;

    /// <summary>What went wrong. A stream of events is cut when its page is left, which is no problem.</summary>
    public string[] Problems => [.. _visit.Problems.Where(problem => !problem.Contains("/stream"))];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<ConsoleVisit> OpenAsync(
        Browser browser,
        string path = "/console",
        ColorScheme colors = ColorScheme.Light,
        int width = 1280,
        params (string, string)[] settings
    )
    {
        var servers = RegisteredServers.Start([("Governance:Levels:HIGH", "off"), .. settings]);
        var visit = await browser.OpenAsync(servers.Server, path, colors, width);
        var open = new ConsoleVisit(servers, visit);
        await open.SignInAsync(RegisteredServers.Key);
        return open;
    }

    public async Task SignInAsync(string key)
    {
        await Page.GetByLabel("A key with the scope mcp:admin").FillAsync(key);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(Page.Locator("#menu")).ToBeAttachedAsync(); // which a small screen hides
    }

    /// <summary>Registers a stand-in over HTTP.</summary>
    public async Task<long> RegisterAsync(string name, string kind, string? description = null, bool starts = true) => (
            await Servers.SendAsync(
                "POST",
                "",
                new
                {
                    name,
                    description,
                    command = NodeProgram,
                    args = (string[])[Script, kind],
                    max_restarts = 0,
                    auto_restart = starts,
                }
            )
        ).GetProperty("id").GetInt64();

    public static string Script => Path.Combine(ClientProcess.Root, "tests", "Hub", "stand-in.mjs");

    public static string NodeProgram => Path.GetFileName(Needs.Program("install Node.js", "node"));

    /// <summary>A route of keys, with the operator's key.</summary>
    public async Task<JsonElement> KeysAsync(HttpMethod method, string path = "", object? body = null)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/keys" + path);
        request.Content = body is null ? null : TestServer.Json(body);
        using var answer = await Server.Http.SendAsync(request, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }

    public Task ScreenshotAsync(string name) => _visit.ScreenshotAsync(name);

    /// <summary>The page fits the screen, breaks no rule of accessibility, and had no error.</summary>
    public async Task CheckAsync(string name)
    {
        await ScreenshotAsync(name);
        Assert.True(
            await Page.EvaluateAsync<bool>(
                "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            ),
            $"{name} is wider than the screen"
        );
        var violations = await Axe.ViolationsAsync(Page);
        Assert.True(violations.Length == 0, $"{name}\n{string.Join('\n', violations)}");
        Assert.True(Problems.Length == 0, $"{name}\n{string.Join('\n', Problems)}");
    }

    public async ValueTask DisposeAsync()
    {
        await _visit.DisposeAsync();
        await Servers.DisposeAsync();
    }
}
