using CwaySample;
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

        var projects = await ExplorerTests.TryOutAsync(
            visit,
            "List active projects",
            """{"limit":5}""",
            "cway_get_active_projects"
        );
        await Expect(projects).ToContainTextAsync("Fjordkaffe spring labels");
        await visit.Page.Keyboard.PressAsync("Escape");
        var alerts = await ExplorerTests.TryOutAsync(
            visit,
            "Get stagnation alerts",
            """{"min_urgency_score":8}""",
            "cway_get_stagnation_alerts"
        );
        await Expect(alerts).ToContainTextAsync("critical");
        await visit.Page.Keyboard.PressAsync("Escape");
        var kpis = await ExplorerTests.TryOutAsync(visit, "Get the KPI dashboard", name: "cway_get_kpi_dashboard");
        await Expect(kpis).ToContainTextAsync("Project Completion Rate");
        await visit.ScreenshotAsync("cway-explorer", fullPage: false);

        Assert.Empty(visit.Problems);
        Assert.All(cway.Requests, request => Assert.Equal($"Bearer {cway.Token}", request.Headers["Authorization"]));
    }
}
