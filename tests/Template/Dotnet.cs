using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
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

    /// <summary>A folder for packages that the machine does not have; null for the machine's own.</summary>
    public string? Packages { get; init; }

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

    /// <summary>Without analyzers: they take most of a build's time, and find the same in every project.</summary>
    public async Task BuildAsync(params string[] arguments)
    {
        var watch = Stopwatch.StartNew();
        Assert.Contains("0 Warning(s)", await RunAsync(["build", .. arguments, "-p:RunAnalyzers=false"]));
        TestContext.Current.SendDiagnosticMessage($"built in {watch.Elapsed.TotalSeconds:0} s");
    }

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

    /// <summary>Builds a small project and its tests, and runs them: the command of its README.</summary>
    public async Task TestSmallAsync(int atLeast)
    {
        var watch = Stopwatch.StartNew();
        var said = await RunAsync("test", "--project", "tests", "-p:RunAnalyzers=false");
        Assert.Contains("failed: 0", said);
        Assert.Contains("skipped: 0", said);
        var passed = int.Parse(said.Split("succeeded: ")[1].Split('\n')[0], CultureInfo.InvariantCulture);
        Assert.InRange(passed, atLeast, 100);
        TestContext.Current.SendDiagnosticMessage($"built and tested in {watch.Elapsed.TotalSeconds:0} s");
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
        var start = Start(["run", "--no-build", "--no-launch-profile", .. arguments]);
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
        Clean(start);
        if (Packages is not null)
        {
            var machine = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
                ? set
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            start.Environment["NUGET_PACKAGES"] = Packages;
            start.Environment["NUGET_FALLBACK_PACKAGES"] = machine;
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

    /// <summary>Sends messages to a server's standard input, and gives as many answers.</summary>
    public static async Task<JsonElement[]> TalkAsync(string program, string[] arguments, params string[] messages)
    {
        var start = Clean(new ProcessStartInfo(program, arguments));
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            var answers = new List<JsonElement>();
            foreach (var message in messages)
            {
                await process.StandardInput.WriteLineAsync(message);
                await process.StandardInput.FlushAsync();
                var line = await Wait.Soon(
                    process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask()
                );
                answers.Add(JsonElement.Parse(line ?? throw new EndOfStreamException(await errors)));
            }

            process.StandardInput.Close();
            await Wait.Soon(process.WaitForExitAsync(TestContext.Current.CancellationToken));
            Assert.Equal(0, process.ExitCode);
            return [.. answers];
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Takes out what an outer dotnet left in the environment.</summary>
    public static ProcessStartInfo Clean(ProcessStartInfo start)
    {
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

        return start;
    }
}
