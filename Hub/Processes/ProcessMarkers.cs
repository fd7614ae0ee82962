using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// Names the processes of this instance, and ends what is left of instances that are gone: one watchdog process reads
/// a pipe that only this process holds open. At its end, also by kill -9, it ends whatever has this instance's marker.
/// </summary>
internal sealed partial class ProcessMarkers(
    IOptions<StorageOptions> storage,
    IOptions<HubOptions> options,
    IHostEnvironment environment,
    ILogger<ProcessMarkers> log
) : IDisposable
{
    // SIGTERM, a second, SIGKILL until two looks in a row find nothing. An environment in /proc is what the process was
    // started with; grep itself has none of it. Processes of Hub:User are found as that user, which the arguments after
    // the second do; a process of it may end grep, and then it looks again. Containers are no descendants; they are
    // removed when a line named the program that does it.
    private const string Script = """
        trap '' INT TERM HUP
        marker=$1 label=$2 docker=
        shift 2
        while read -r line; do docker=$line; done
        look() {
          ids=$(grep -lsF "$marker" /proc/[0-9]*/environ | cut -d/ -f3)
          ended=
          [ $# = 0 ] || {
            files=$("$@" grep -lsF "$marker" /proc/[0-9]*/environ)
            [ $? -le 128 ] || ended=yes
            ids="$ids $(echo "$files" | cut -d/ -f3)"
          }
        }
        look "$@"
        for id in $ids; do kill -15 "$id" 2>/dev/null; done
        sleep 1
        clean=0
        while [ "$clean" -lt 2 ]; do
          look "$@"
          for id in $ids $ended; do clean=-1; done
          clean=$((clean + 1))
          for id in $ids; do kill -9 "$id" 2>/dev/null; done
        done
        if [ -n "$docker" ]; then
          ids=$(timeout 20 "$docker" ps --all --quiet --filter "label=$label" 2>/dev/null)
          [ -z "$ids" ] || timeout 20 "$docker" rm --force --volumes $ids >/dev/null 2>&1
        fi
        """;

    private readonly Lock _lock = new();
    private Process? _watchdog;
    private string? _docker;

    private static int _last;

    private readonly int _number = Interlocked.Increment(ref _last);

    private string Store { get; } =
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    (storage.Value.ConnectionString ?? storage.Value.FullPath(environment)) + PidNamespace
                )
            )
        )[..16];

    // The ids of a container's processes mean nothing outside of it.
    private static string? PidNamespace =>
        ProcessTree.IsSupported ? new FileInfo("/proc/self/ns/pid").LinkTarget : null;

    // The last number is for applications, and tests, that start more than one server in a process.
    private string Instance => $"{Store}:{Environment.ProcessId}.{Start}.{_number}";

    private static string Start => ProcessTree.StartOf(Environment.ProcessId) ?? "0";

    public string Of(long server) => $"{Instance}:{server}:";

    /// <summary>Starts the watchdog, once, and again when somebody ended it.</summary>
    public void Watch()
    {
        lock (_lock)
        {
            if (!ProcessTree.IsSupported || _watchdog is { HasExited: false })
            {
                return;
            }

            _watchdog?.Dispose();
            // In a session of its own: Ctrl+C ends the server, not its watchdog.
            var shell = ChildProcess.Setsid is { } setsid
                ? new ProcessStartInfo(setsid, ["/bin/sh", "-c", Script, "hub-watchdog"])
                : new ProcessStartInfo("/bin/sh", ["-c", Script, "hub-watchdog"]);
            shell.ArgumentList.Add($"{ProcessTree.Variable}={Instance}:");
            shell.ArgumentList.Add($"{DockerContainer.Label}={Instance}");
            foreach (var argument in options.Value.RunAs?.Launch ?? [])
            {
                shell.ArgumentList.Add(argument);
            }

            shell.RedirectStandardInput = true;
            shell.WorkingDirectory = "/";
            shell.Environment.Clear();
            foreach (var (name, value) in DockerContainer.Engine())
            {
                shell.Environment[name] = value;
            }

            shell.Environment["PATH"] = "/usr/bin:/bin";
            try
            {
                _watchdog = Process.Start(shell);
                TellDocker();
            }
            catch (Exception failure) when (failure is IOException or System.ComponentModel.Win32Exception)
            {
                LogNoWatchdog(failure.Message);
            }
        }
    }

    /// <summary>From now on this instance has containers, which the watchdog removes at its end.</summary>
    public void WatchContainers()
    {
        lock (_lock)
        {
            if (_docker is null)
            {
                _docker = ChildProcess.Find(DockerRun.Program, null);
                TellDocker();
            }
        }
    }

    /// <summary>Ends what instances of the same store left that run no more.</summary>
    public void Sweep()
    {
        foreach (var (id, marker) in ProcessTree.Find(Store + ":", user: options.Value.RunAs))
        {
            if (IsLeft(marker))
            {
                LogSwept(id);
                ProcessTree.Signal(id, ProcessTree.Kill);
            }
        }
    }

    /// <summary>Removes the containers that such instances left.</summary>
    public async Task SweepContainersAsync()
    {
        foreach (var id in await DockerContainer.SweepAsync(IsLeft))
        {
            LogContainerSwept(id);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _watchdog?.StandardInput.Dispose(); // it ends what is left, usually nothing
            _watchdog?.Dispose();
            _watchdog = null;
        }
    }

    // Of the same store, and of a process that is gone.
    private bool IsLeft(string marker) =>
        marker.Split(':') is [var store, var owner, ..]
        && store == Store
        && owner.Split('.') is [var id, var start, ..]
        && int.TryParse(id, out var pid)
        && (ProcessTree.IsSupported ? ProcessTree.StartOf(pid) != start : !Runs(pid));

    private static bool Runs(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private void TellDocker()
    {
        try
        {
            if (_docker is not null && _watchdog is { HasExited: false } watchdog)
            {
                watchdog.StandardInput.WriteLine(_docker);
                watchdog.StandardInput.Flush();
            }
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException)
        {
            LogNoWatchdog(failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Container left by an earlier instance was removed {ContainerId}")]
    private partial void LogContainerSwept(string containerId);

    [LoggerMessage(LogLevel.Warning, "Watchdog of server processes could not be started {Reason}")]
    private partial void LogNoWatchdog(string reason);

    [LoggerMessage(LogLevel.Warning, "Process left by an earlier instance was ended {ProcessId}")]
    private partial void LogSwept(int processId);
}
