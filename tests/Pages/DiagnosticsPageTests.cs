using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MinimalMcp.Tests.Pages;

/// <summary>The page of diagnostics in a browser.</summary>
[Collection(nameof(Browser))]
[Slow]
public sealed class DiagnosticsPageTests(Browser browser)
{
    [Theory]
    [InlineData(ColorScheme.Light, 1280, "diagnostics-light")]
    [InlineData(ColorScheme.Dark, 390, "diagnostics-dark-narrow")]
    public async Task It_says_what_was_asked_and_what_that_means(ColorScheme colors, int width, string screenshot)
    {
        await using var server = TestServer.Start(NotesTools.Alone);
        server.Http.DefaultRequestHeaders.UserAgent.ParseAdd("Python/3.12 aiohttp/3.9");
        (
            await server.Http.GetAsync(
                new Uri("/.well-known/oauth-protected-resource/mcp?state=<script>", UriKind.Relative),
                TestContext.Current.CancellationToken
            )
        ).Dispose();
        await server.McpAsync(
            "initialize",
            new
            {
                protocolVersion = "2025-11-25",
                capabilities = new { },
                clientInfo = new { name = "<script>alert(1)</script>", version = "1" },
            }
        );
        await using var visit = await browser.OpenAsync(server, "/diagnostics", colors, width);

        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Diagnostics");
        await Expect(visit.Page.GetByRole(AriaRole.Cell, new() { Name = "404, because authentication is disabled" }))
            .ToBeVisibleAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Cell, new() { Name = "<script>alert(1)</script> 1" }))
            .ToBeVisibleAsync();
        await visit.ScreenshotAsync(screenshot);
        Assert.True(
            await visit.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
            "wider than the screen"
        );
        Assert.Empty(visit.Problems);
    }
}
