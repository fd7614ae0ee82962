using Microsoft.Playwright;

namespace MinimalMcp.Tests.Pages;

/// <summary>axe-core: what makes a page hard to use for people who see, hear or move differently.</summary>
internal static class Axe
{
    // All rules, best practices among them.
    private const string Run = """
        async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.flatMap(violation =>
          violation.nodes.map(node => `${violation.id}: ${node.target.join(' ')} ${node.failureSummary}`))
        """;

    /// <summary>
    /// Every violation on the page as it is now. The script comes by the debugging protocol: the page's policy admits
    /// no script but its own.
    /// </summary>
    public static async Task<string[]> ViolationsAsync(IPage page)
    {
        var script = Needs.NodePackage("axe-core/axe.min.js");
        if (!await page.EvaluateAsync<bool>("() => 'axe' in window"))
        {
            await page.EvaluateAsync(await File.ReadAllTextAsync(script, TestContext.Current.CancellationToken));
        }

        return await page.EvaluateAsync<string[]>(Run);
    }
}
