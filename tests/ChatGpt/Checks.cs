using System.Net;

namespace MinimalMcp.ChatGpt;

/// <summary>All checks that fit the server: which ones is told by how it answers somebody without a token.</summary>
public static class Checks
{
    /// <param name="args">As on the command line.</param>
    /// <returns>How many were made, and the names of those that failed.</returns>
    public static async Task<(int Made, IReadOnlyList<string> Failed)> RunAsync(string[] args, TextWriter output)
    {
        var checks = await RunAllAsync(
            Options.Parse(args) ?? throw new ArgumentException("these are no arguments of the checks", nameof(args)),
            output
        );
        return (
            checks.Outcomes.Count,
            [
                .. checks
                    .Outcomes.Where(outcome => outcome.Problem is not null)
                    .Select(outcome => $"{outcome.Name}: {outcome.Problem}"),
            ]
        );
    }

    internal static async Task<bool> RunAsync(Options options, TextWriter output) =>
        (await RunAllAsync(options, output)).Failed == 0;

    private static async Task<Checklist> RunAllAsync(Options options, TextWriter output)
    {
        var checks = new Checklist(output);
        using var target = new Target(options.Url);
        var hello = await target.InitializeAsync();
        var protectedResource = await target.GetAsync("/.well-known/oauth-protected-resource/mcp");
        if (hello.Status is HttpStatusCode.OK && protectedResource.Status is HttpStatusCode.NotFound)
        {
            await OpenAsync(checks, target);
        }
        else
        {
            var mixed = hello.Status is HttpStatusCode.OK;
            await DiscoveryChecks.RunAsync(checks, target, mixed);
            if (mixed)
            {
                await MixedChecks.RunAsync(checks, target, options);
            }

            await ConnectionChecks.RunAsync(checks, target, options);
            await CallChecks.RunAsync(checks, target, options);
            await DocumentChecks.RunAsync(checks, target, options);
            await ActionChecks.RunAsync(checks, target, options);
        }

        output.WriteLine($"\n{checks.Outcomes.Count - checks.Failed} of {checks.Outcomes.Count} checks passed.");
        return checks;
    }

    // A document of OAuth on a server without it makes a host ask for a sign-in that cannot be had.
    private static async Task OpenAsync(Checklist checks, Target target)
    {
        checks.Group("No authentication");
        foreach (
            var place in DiscoveryChecks.MetadataPlaces.Concat([
                "/.well-known/oauth-protected-resource",
                "/.well-known/oauth-protected-resource/sse",
            ])
        )
        {
            await checks.CheckAsync($"there is no {place}", async () =>
                (await target.GetAsync(place)).Requires(HttpStatusCode.NotFound)
            );
        }

        await checks.CheckAsync("the tools are listed", async () =>
            Must.Be((await CallChecks.ToolsAsync(target)).Length > 0, "there are none")
        );
    }
}
