using System.Text.RegularExpressions;
using CwaySample;
using Microsoft.Playwright;
using MinimalMcp.Tests.Pages;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Tools.Cway;

/// <summary>A walk through the sample in the API explorer, as a person takes it before a GPT Action is made.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class CwayExplorerTests(Browser browser)
{
    [Fact]
    public async Task The_sample_is_walked_through_in_the_explorer()
    {
        await using var cway = await CwayServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var server = TestServer.Start(("Cway:Url", $"{cway.Url}"), ("Cway:Token", cway.Token));
        await using var visit = await browser.OpenAsync(server, "/scalar?family=cway");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Cway MCP REST API" }))
            .ToBeVisibleAsync();

        await visit.Page.GetByPlaceholder("Token").First.FillAsync(cway.Token);
        var projects = await TryOutAsync(visit, "List active projects", "/api/projects/filter/active");
        await Expect(projects).ToContainTextAsync("Fjordkaffe spring labels");
        await visit.Page.Keyboard.PressAsync("Escape");
        var kpis = await TryOutAsync(visit, "Get the KPI dashboard", "/api/kpis/dashboard");
        await Expect(kpis).ToContainTextAsync("Project Completion Rate");
        await visit.ScreenshotAsync("cway-explorer", fullPage: false);
        await visit.Page.Keyboard.PressAsync("Escape");
        var alerts = await TryOutAsync(visit, "Get stagnation alerts", "/api/temporal-kpis/stagnation-alerts");
        await Expect(alerts).ToContainTextAsync("urgency_score");

        Assert.Empty(visit.Problems);
        Assert.All(cway.Requests, request => Assert.Equal($"Bearer {cway.Token}", request.Headers["Authorization"]));
    }

    private static async Task<ILocator> TryOutAsync(Visit visit, string operation, string path)
    {
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = operation, Exact = true }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = $"Test Request (get {path})" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Send get request") }).First.ClickAsync();
        return visit.Page.GetByRole(AriaRole.Dialog).GetByLabel(new Regex("^Response")).First;
    }
}
