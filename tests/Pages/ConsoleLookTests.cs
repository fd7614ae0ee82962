using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tests.Tools;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>
/// Pages of the console with data, in both colors and on a telephone: readable, and no wider than it.
/// </summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleLookTests(Browser browser)
{
    private static readonly (string Name, string Path, string Shows)[] Pages =
    [
        ("overview", "/console?window=15m", "Server away is down"),
        ("activity", "/console/activity", "look"),
        ("sessions", "/console/sessions", "claude-code"),
        ("tools", "/console/tools", "other_launch"),
        ("tool", "/console/tools?tool=launch", "Launches something."),
        ("approvals", "/console/approvals", "Requested by ann"),
        ("audit", "/console/audit", "note_that_fails"),
    ];

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task Every_page_with_data_is_read_by_everybody(ColorScheme colors, int width)
    {
        await using var server = GovernedTools.Start(
            new(),
            ("Governance:Approve", "launch"),
            ("Governance:Levels:HIGH", "10/day")
        );
        await FillAsync(server);
        var problems = new List<string>();
        await using var visit = await browser.OpenAsync(server, "/console", colors, width);
        foreach (var (name, path, shows) in Pages)
        {
            await visit.Page.GotoAsync(path);
            await Expect(visit.Page.Locator("main")).ToContainTextAsync(shows);
            await visit.ScreenshotAsync($"console-{name}-{colors.ToString().ToLowerInvariant()}-{width}");
            problems.AddRange(await ProblemsAsync(visit, name));
        }

        Assert.Empty(problems);
        Assert.DoesNotContain(visit.Problems, problem => !problem.Contains("/stream", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_page_without_data_says_what_to_do()
    {
        await using var server = GovernedTools.Start(new());
        var problems = new List<string>();
        await using var visit = await browser.OpenAsync(server, "/console", ColorScheme.Light, 390);
        foreach (
            var (path, says) in ((string, string)[])
                [
                    ("/console", "Nothing needs attention."),
                    ("/console/activity", "Nothing happened yet."),
                    ("/console/sessions", "No client is connected."),
                    ("/console/approvals", "No pending approvals."),
                    ("/console/audit", "No entries yet."),
                ]
        )
        {
            await visit.Page.GotoAsync(path);
            await Expect(visit.Page.Locator("main")).ToContainTextAsync(says);
            problems.AddRange(await ProblemsAsync(visit, path));
        }

        Assert.Empty(problems);
        Assert.DoesNotContain(visit.Problems, problem => !problem.Contains("/stream", StringComparison.Ordinal));
    }

    private static async Task<string[]> ProblemsAsync(Visit visit, string name)
    {
        var fits = await visit.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth");
        return
        [
            .. fits ? (string[])[] : [$"{name} is wider than the screen"],
            .. (await Axe.ViolationsAsync(visit.Page)).Select(violation => $"{name}: {violation}"),
        ];
    }

    private static async Task FillAsync(TestServer server)
    {
        for (var n = 0; n < 12; n++)
        {
            await CallAsync(server, "look", $$"""{"what":"shelf {{n}}"}""", n % 3 == 0 ? "bob" : "ann");
        }

        for (var n = 0; n < 9; n++)
        {
            await CallAsync(server, "wipe", $$"""{"what":"log {{n}}"}""", "ann");
        }

        await CallAsync(server, "look", """{"wat":1}""", "bob");
        await CallAsync(server, "note_that_fails", """{"password":"hunter22"}""", "bob");
        await CallAsync(server, "launch", """{"target":"moon","options":{"fuel":[1,2]}}""", "ann");
        await server.PostAsync(
            "/api/v1/servers",
            """{"name":"away","transport_type":"streamable_http","url":"http://127.0.0.1:9/mcp","auto_restart":true}"""
        );
        var session = (
            await server.McpAsync(
                "initialize",
                new
                {
                    protocolVersion = "2025-11-25",
                    capabilities = new { },
                    clientInfo = new { name = "claude-code", version = "2.1.0" },
                }
            )
        ).Session;
        await server.McpAsync("tools/call", new { name = "look", arguments = new { } }, session: session);
        await Wait.Until(async () =>
            (await server.GetJsonAsync("/api/v1/metrics/summary?window=15m"))
                .GetProperty("total")
                .GetProperty("calls")
                .GetInt64() >= 25
            && (await server.GetJsonAsync("/api/v1/servers"))[0].GetProperty("status").GetString() is not "inactive"
        );
        await Wait.Until(async () =>
            (
                await server.Http.GetStringAsync(
                    new Uri("/console", UriKind.Relative),
                    TestContext.Current.CancellationToken
                )
            ).Contains("Server away is down", StringComparison.Ordinal)
        );
    }

    private static async Task CallAsync(TestServer server, string tool, string arguments, string caller) =>
        (await server.PostAsync($"/tools/{tool}", arguments, headers: (TestCaller.Header, caller))).Dispose();
}
