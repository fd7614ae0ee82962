using Microsoft.Playwright;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Pages;

/// <summary>
/// One Chromium for all tests of the pages. It is the installed one: nothing is ever downloaded, and it calls nobody by
/// itself.
/// </summary>
public sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Arguments =
    [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>A fresh profile on that page, which must have come with status 200.</summary>
    public Task<Visit> OpenAsync(
        TestServer server,
        string path,
        ColorScheme colors = ColorScheme.Light,
        int width = 1280,
        bool scripts = true,
        int status = 200
    ) => OpenAsync(server.BaseUrl, path, colors, width, scripts, status);

    /// <summary>The same of a server that is known by its origin only.</summary>
    public async Task<Visit> OpenAsync(
        string origin,
        string path,
        ColorScheme colors = ColorScheme.Light,
        int width = 1280,
        bool scripts = true,
        int status = 200
    )
    {
        var program = Needs.Program(
            "install Chromium, Debian: apt-get install chromium-headless-shell",
            "chromium-headless-shell", // the whole browser also draws tabs and menus that nobody sees
            "chrome-headless-shell",
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
            "chrome"
        );
        Assertions.SetDefaultExpectTimeout((float)Wait.Limit.TotalMilliseconds);
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = Arguments });
        var context = await _browser.NewContextAsync(
            new()
            {
                BaseURL = origin,
                ColorScheme = colors,
                JavaScriptEnabled = scripts,
                ReducedMotion = ReducedMotion.Reduce,
                ViewportSize = new() { Width = width, Height = 800 },
            }
        );
        context.SetDefaultTimeout((float)Wait.Limit.TotalMilliseconds);
        var visit = new Visit(context, await context.NewPageAsync(), origin);
        var answer = await visit.Page.GotoAsync(path);
        Assert.Equal(status, answer!.Status);
        return visit;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }
}

[CollectionDefinition(nameof(Browser))]
public sealed class OneBrowser : ICollectionFixture<Browser>;

/// <summary>The console's tests have a browser of their own, beside the other one.</summary>
[CollectionDefinition(nameof(ConsoleBrowser))]
public sealed class ConsoleBrowser : ICollectionFixture<Browser>;

/// <summary>A page in the browser, and everything that went wrong on it.</summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _problems = [];

    internal Visit(IBrowserContext context, IPage page, string origin)
    {
        (_context, Page) = (context, page);
        // What a content security policy refuses is an error in the console.
        page.Console += (_, message) => Note(message.Type is "error" or "warning", $"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Note(true, error);
        page.Request += (_, request) =>
            Note(
                new Uri(request.Url) is { Scheme: "http" or "https" or "ws" or "wss" } url
                    && url.GetLeftPart(UriPartial.Authority) != origin,
                "another origin: " + request.Url
            );
        page.RequestFailed += (_, request) => Note(true, $"failed: {request.Url} {request.Failure}");
    }

    public IPage Page { get; }

    public string[] Problems
    {
        get
        {
            lock (_problems)
            {
                return [.. _problems];
            }
        }
    }

    /// <summary>For people to look at.</summary>
    public Task ScreenshotAsync(string name, bool fullPage = true) =>
        Page.ScreenshotAsync(
            new()
            {
                Path = Path.Combine(ClientProcess.Root, "artifacts", "screenshots", name + ".png"),
                FullPage = fullPage,
            }
        );

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Note(bool wrong, string problem)
    {
        if (wrong)
        {
            lock (_problems)
            {
                _problems.Add(problem);
            }
        }
    }
}
