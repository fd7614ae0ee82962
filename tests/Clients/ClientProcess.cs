using System.Diagnostics;

namespace MinimalMcp.Tests.Clients;

/// <summary>Runs a client that is not written in C#, and keeps what it printed for the test's message.</summary>
internal static class ClientProcess
{
    public static readonly string Root = FindRoot();

    /// <summary>tests/Clients, where `npm ci` has put the clients and the Node.js that they need.</summary>
    public static readonly string Folder = Path.Combine(Root, "tests", "Clients");

    public static string Node => Needs.NodePackage(OperatingSystem.IsWindows() ? "node/bin/node.exe" : "node/bin/node");

    public static async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments)
    {
        var (exitCode, output, errors) = await RunAsync(
            new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder }
        );
        return (exitCode, $"{output}\n{errors}");
    }

    /// <summary>Runs any program to its end, with nothing to read and within some minutes.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        ProcessStartInfo start,
        int minutes = 15
    )
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        // Both pipes are read while the process runs; one that is left to fill up would stop it.
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(minutes));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail(
                $"{start.FileName} {string.Join(' ', start.ArgumentList)} did not end within {minutes} "
                    + $"minutes.\n{await output}\n{await errors}"
            );
        }

        return (process.ExitCode, await output, await errors);
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "MinimalMcp.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder
            ?? throw new DirectoryNotFoundException(
                "MinimalMcp.slnx is in no folder above " + AppContext.BaseDirectory
            );
    }
}
