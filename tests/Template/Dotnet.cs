using System.Diagnostics;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Template;

/// <summary>
/// The command dotnet in a folder, as a person types it: without what an outer dotnet left in the environment.
/// </summary>
internal sealed class Dotnet(string folder, string? path = null)
{
    private static readonly string[] Inherited =
    [
        "MSBUILD",
        "DOTNET_CLI",
        "DOTNET_HOST_PATH",
        "DOTNET_STARTUP_HOOKS",
        "TESTINGPLATFORM",
        "ASPNETCORE_",
        "MCP_",
    ];

    /// <summary>Runs it to its end; anything but success fails the test with what was printed.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var (exitCode, output, errors) = await ClientProcess.RunAsync(Start(arguments));
        Assert.True(
            exitCode == 0,
            $"dotnet {string.Join(' ', arguments)} in {folder} ended with {exitCode}.\n{output}\n{errors}"
        );
        return output;
    }

    /// <param name="analyzers">
    /// They take most of a build's time, and see little that differs between two projects.
    /// </param>
    public async Task BuildAsync(bool analyzers = false) =>
        Assert.Contains(
            "0 Warning(s)",
            await RunAsync(["build", .. analyzers ? (string[])[] : ["-p:RunAnalyzers=false"]])
        );

    /// <summary>Runs the tests of these classes; those that lack something here are skipped, and say so.</summary>
    public async Task<string> TestAsync(params string[] classes)
    {
        var said = await RunAsync([
            "test",
            "--no-build",
            "--no-progress",
            .. classes.SelectMany(name => new[] { "--filter-class", name }),
        ]);
        Assert.Contains("failed: 0", said);
        return said;
    }

    /// <summary>
    /// Runs the project's server until the test has asked it; the banner that it printed goes to the test, too.
    /// </summary>
    public async Task ServeAsync(
        Func<HttpClient, string, Task> test,
        (string Name, string Value)[]? environment = null,
        params string[] arguments
    )
    {
        var start = Start(["run", "--no-build", .. arguments]);
        start.RedirectStandardError = true;
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        try
        {
            var banner = "";
            while (!banner.Contains("functions  ", StringComparison.Ordinal))
            {
                var line = await Wait.Soon(
                    process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken).AsTask()
                );
                banner += $"{line ?? throw new EndOfStreamException(banner)}\n";
            }

            using var http = new HttpClient { BaseAddress = new(banner.Split("listening on ")[1].Split(' ')[0]) };
            await test(http, banner);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private ProcessStartInfo Start(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(path is null ? "dotnet" : Path.Combine(path, "dotnet"), arguments)
        {
            WorkingDirectory = folder,
        };
        foreach (
            var name in start
                .Environment.Keys.Where(name =>
                    Inherited.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                )
                .ToArray()
        )
        {
            start.Environment.Remove(name);
        }

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // a node that stays would keep the pipes of this test open
        start.Environment["UseSharedCompilation"] = "true"; // projects are built one after the other
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_NOLOGO"] = start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        if (path is not null)
        {
            start.Environment["PATH"] = path;
        }

        return start;
    }
}
