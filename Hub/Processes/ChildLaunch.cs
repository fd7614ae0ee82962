using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// The programs that start a server's program, each of which replaces itself by the next: a session of its own
/// (setsid), the limit of open files (prlimit), the other user (setpriv).
/// </summary>
internal static class ChildLaunch
{
    private static readonly TimeSpan TrialLimit = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The beginning of the command line. The command line of Docker runs as this server's user: it needs the socket,
    /// and what it runs is in a container.
    /// </summary>
    public static IReadOnlyList<string> Prefix(HubOptions options, bool isDocker) =>
        [
            .. ChildProcess.Setsid is { } setsid ? (string[])[setsid] : [],
            .. options.MaxOpenFiles is { } files && !isDocker ? OpenFiles(files) : [],
            .. options.RunAs is { } user && !isDocker ? user.Launch : [],
        ];

    /// <summary>Why servers cannot be started with these settings; null when they can.</summary>
    public static string? Problem(HubOptions options)
    {
        if (options.User is not { Length: > 0 } && options.MaxMemoryMb is null && options.MaxOpenFiles is null)
        {
            return null;
        }

        if (!ProcessTree.IsSupported)
        {
            return "Hub:User, Hub:MaxMemoryMb and Hub:MaxOpenFiles work on Linux only. Remove them.";
        }

        if (options.MaxOpenFiles is not null && ChildProcess.Find("prlimit", null) is null)
        {
            return "Hub:MaxOpenFiles needs the program prlimit (Debian and Ubuntu: package util-linux).";
        }

        try
        {
            return options.RunAs?.Problem() ?? Trial(Prefix(options, isDocker: false));
        }
        catch (FormatException unknown)
        {
            return unknown.Message;
        }
    }

    private static string[] OpenFiles(int most) =>
        [
            ChildProcess.Find("prlimit", null) ?? "prlimit",
            string.Create(CultureInfo.InvariantCulture, $"--nofile={most}"),
            "--",
        ];

    // Whether it works depends on more than can be read: seccomp, user namespaces, the hard limit.
    private static string? Trial(IReadOnlyList<string> prefix)
    {
        if (prefix.Count == 0)
        {
            return null;
        }

        var start = new ProcessStartInfo(prefix[0], [.. prefix.Skip(1), "/bin/sh", "-c", "exit 0"])
        {
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment.Clear();
        try
        {
            using var trial = Process.Start(start)!;
            var errors = trial.StandardError.ReadToEndAsync();
            if (!trial.WaitForExit(TrialLimit))
            {
                trial.Kill(entireProcessTree: true);
                return $"A process could not be started with Hub:User and Hub:MaxOpenFiles: {prefix[0]} did not end.";
            }

            return trial.ExitCode == 0
                ? null
                : "A process could not be started with Hub:User and Hub:MaxOpenFiles: "
                    + errors.GetAwaiter().GetResult().Trim();
        }
        catch (Win32Exception failure)
        {
            return $"A process could not be started with Hub:User and Hub:MaxOpenFiles: {failure.Message}";
        }
    }
}
