using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MinimalMcp.Tests.Governance;
using MinimalMcp.Tools;
using ModelContextProtocol.Server;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The pages of tools: the list, and the form that calls one as the operator.</summary>
[Collection(nameof(ConsoleBrowser))]
[Slow]
public sealed class ConsoleToolsTests(Browser browser)
{
    private const string Boss = "boss-0123456789abcdefghijklmnopqrstuvwxyz";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tools_are_listed_with_effect_risk_and_budget_and_found_by_name_and_family()
    {
        await using var server = GovernedTools.Start(new(), ("Governance:Levels:HIGH", "4/day"));
        foreach (var what in (string[])["a", "b", "c", "d"])
        {
            using var answer = await server.PostAsync("/tools/wipe", $$"""{"what":"{{what}}"}""");
            Assert.Equal(200, (int)answer.StatusCode);
        }

        await using var visit = await browser.OpenAsync(server, "/console/tools?q=WIPE");
        var row = visit.Page.Locator("tbody tr");

        await Expect(row).ToHaveCountAsync(1);
        await Expect(row).ToContainTextAsync("wipe");
        await Expect(row).ToContainTextAsync("destroy");
        await Expect(row).ToContainTextAsync("HIGH");
        await Expect(row).ToContainTextAsync("4 of 4 per day by local");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Clear" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "launch", Exact = true })).ToBeVisibleAsync();
        await visit.Page.GotoAsync("/console");
        await Expect(visit.Page.Locator(".attention")).ToContainTextAsync("local has used 4 of 4 per day (risk HIGH)");
        await visit.Page.GotoAsync("/console/tools?q=nothing-of-that-name");
        await Expect(visit.Page.GetByText("No tool matches.")).ToBeVisibleAsync();
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_form_of_every_kind_of_argument_sends_what_was_written()
    {
        await using var server = TestServer.Start(services => services.AddSingleton(new ToolType(typeof(FormTools))));
        await using var visit = await browser.OpenAsync(server, "/console/tools?tool=echo_form");
        var page = visit.Page;

        await page.GetByLabel("text").FillAsync("<img src=x onerror=alert(1)>");
        await page.GetByLabel("count").FillAsync("12345678901234567");
        await page.GetByLabel("flag").SelectOptionAsync("true");
        await page.GetByLabel("color").SelectOptionAsync("Green");
        await page.GetByLabel("names").FillAsync("""["a", "b"]""");
        await page.GetByRole(AriaRole.Button, new() { Name = "Call echo_form" }).ClickAsync();

        var result = page.Locator("#result pre");
        await Expect(result).ToContainTextAsync("12345678901234567");
        await Expect(result).ToContainTextAsync("<img src=x onerror=alert(1)>");
        await Expect(result).ToContainTextAsync("True Green a,b");
        await visit.ScreenshotAsync("console-tool-result");
        await page.GetByLabel("names").FillAsync("[a");
        await page.GetByRole(AriaRole.Button, new() { Name = "Call echo_form" }).ClickAsync();
        Assert.Contains(
            "not JSON",
            await page.GetByLabel("names").EvaluateAsync<string>("field => field.validationMessage"),
            StringComparison.Ordinal
        );
        Assert.Empty(visit.Problems);
    }

    [Fact]
    public async Task A_call_is_the_operators_own_and_is_confirmed_as_governance_demands()
    {
        var tools = new GovernedTools();
        await using var server = TestServer.Start(
            services => services.AddSingleton(tools).AddSingleton(new ToolType(typeof(GovernedTools))),
            ("Auth:Mode", "api-key"),
            ("Auth:ApiKeys:boss:Key", Boss),
            ("Auth:ApiKeys:boss:Scopes", "mcp:admin")
        );
        await using var visit = await browser.OpenAsync(server, "/console/tools?tool=wipe");
        var page = visit.Page;
        await page.GetByLabel("A key with the scope").FillAsync(Boss);
        await page.Keyboard.PressAsync("Enter");

        await page.GetByLabel("what").FillAsync("it");
        await page.GetByRole(AriaRole.Button, new() { Name = "Dry run" }).ClickAsync();
        await Expect(page.Locator("#result")).ToContainTextAsync("Nothing was done.");
        Assert.Empty(tools.Done);
        await page.GetByRole(AriaRole.Button, new() { Name = "Call wipe" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        Assert.Empty(tools.Done);
        await page.GetByRole(AriaRole.Button, new() { Name = "Call wipe" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Call" }).ClickAsync();
        await Expect(page.Locator("#result pre")).ToContainTextAsync("it");
        Assert.Equal(1, tools.Done["wipe"]);

        await page.GotoAsync("/console/tools?tool=launch");
        await page.GetByLabel("target").FillAsync("moon");
        await page.GetByRole(AriaRole.Button, new() { Name = "Call launch" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Call" }).ClickAsync();
        await Expect(page.Locator("#result")).ToContainTextAsync("Nothing was done yet.");
        Assert.False(tools.Done.ContainsKey("launch"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm and call" }).ClickAsync();
        await Expect(page.Locator("#result pre")).ToContainTextAsync("moon 1");
        Assert.Equal(1, tools.Done["launch"]);

        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", Boss);
        var rows = (await server.GetJsonAsync("/api/v1/audit?surface=console&outcome=ok"))
            .GetProperty("rows")
            .EnumerateArray()
            .ToArray();
        Assert.Equal(["launch", "wipe"], rows.Select(row => row.GetProperty("tool").GetString()));
        Assert.All(rows, row => Assert.Equal("boss", row.GetProperty("subject").GetString()));
        Assert.Empty(visit.Problems);
    }

    [Theory]
    [InlineData("application/json", "Sec-Fetch-Site", "cross-site")]
    [InlineData("application/json", "Origin", "https://evil.example")]
    [InlineData("text/plain", "X-Any", "1")]
    [InlineData("application/x-www-form-urlencoded", "X-Any", "1")]
    public async Task A_page_of_another_origin_calls_nothing_also_without_authentication(
        string type,
        string name,
        string value
    )
    {
        var tools = new GovernedTools();
        await using var server = GovernedTools.Start(tools);

        using var answer = await server.PostAsync("/api/v1/tools/look/call", "{}", type, (name, value));

        Assert.Equal(403, (int)answer.StatusCode);
        Assert.Empty(tools.Done);
        using var own = await server.PostAsync("/api/v1/tools/look/call", "{}");
        Assert.Equal(200, (int)own.StatusCode);
    }

    [Fact]
    public async Task Calls_of_another_servers_tool_are_counted_as_its_own()
    {
        await using var visit = await ConsoleVisit.OpenAsync(browser, "/console/servers");
        var id = await visit.RegisterAsync("up", "full");
        await visit.Servers.BecomesAsync(id, "active");
        await visit.Servers.CallAsync("up_echo", new { text = "hi" });

        await Wait.Until(async () =>
        {
            await visit.Page.GotoAsync("/console/tools?q=up_echo");
            return await visit.Page.Locator("tbody td[data-label='Calls in 24 h']").TextContentAsync() == "1";
        });
        await visit.Page.GotoAsync("/console/tools?tool=up_echo");
        await Expect(visit.Page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Link, new() { Name = "1", Exact = true }))
            .ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_tool_that_is_not_there_is_told()
    {
        await using var server = GovernedTools.Start(new());
        await using var visit = await browser.OpenAsync(server, "/console/tools?tool=<b>none", status: 404);
        await Expect(visit.Page.GetByText("There is no tool of that name.")).ToBeVisibleAsync();
        using var answer = await server.PostAsync("/api/v1/tools/none/call", "{}");
        Assert.Equal(404, (int)answer.StatusCode);
        Assert.Contains("none", JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop)).GetRawText());
    }

    private enum Color
    {
        Red,
        Green,
    }

    private sealed class FormTools
    {
        [McpServerTool(Name = "echo_form", ReadOnly = true), Description("Repeats <b>everything</b>.")]
        public static string Echo(
            [Description("Any <i>text</i>."), MaxLength(100)] string text,
            long count = 1,
            bool flag = false,
            Color color = Color.Red,
            string[]? names = null
        ) => $"{text} {count} {flag} {color} {string.Join(',', names ?? [])}";
    }
}
