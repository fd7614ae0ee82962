using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipelines;
using ModelContextProtocol.Client;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// A server's process and its descendants. Started with a list of arguments, never by a shell; its environment is a
/// short list of ours and what the definition gives.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan AfterInputClosed = TimeSpan.FromSeconds(2),
        AfterTerminate = TimeSpan.FromMilliseconds(1500),
        UsageEvery = TimeSpan.FromMilliseconds(500);

    private readonly Process _process;
    private readonly string _marker;
    private readonly Stream _error;
    private readonly Task _errors;
    private readonly Lazy<Task> _stop;

    private readonly DockerContainer? _container;
    private readonly ChildUser? _user;
    private readonly PeriodicTimer? _usage;

    private ChildProcess(Process process, string marker, LogRing log, HubOptions options, DockerContainer? container)
    {
        (_process, _marker, _container) = (process, marker, container);
        _user = options.RunAs;
        Output = process.StandardOutput.BaseStream;
        _error = process.StandardError.BaseStream;
        _errors = Task.Run(() => DrainAsync(_error, log));
        _stop = new(StopCoreAsync);
        // Docker enforces the limits of a container.
        if (container is null && (options.MaxMemoryMb is not null || options.MaxOpenFiles is not null))
        {
            _usage = new(UsageEvery);
            _ = WatchUsageAsync(_usage, options, log);
        }
    }

    /// <summary>The program that starts another one in a session of its own; null where there is none.</summary>
    public static string? Setsid { get; } = OperatingSystem.IsLinux() ? Find("setsid", null) : null;

    public int Id => _process.Id;

    /// <summary>The limit for which it was ended; null when it was not.</summary>
    public string? Exceeded { get; private set; }

    /// <summary>The limit that it reached without being ended, and that may have made it fail.</summary>
    public string? Reached { get; private set; }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output { get; }

    public static ChildProcess Start(
        string command,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string> variables,
        string marker,
        LogRing log,
        HubOptions options,
        DockerContainer? container = null
    )
    {
        var folder = options.WorkingFolder ?? Path.GetTempPath();
        var environment = StdioClientTransportOptions.GetDefaultEnvironmentVariables();
        if (options.RunAs is { } user && container is null)
        {
            environment["USER"] = environment["LOGNAME"] = user.Name;
            environment["HOME"] = Directory.Exists(user.Home) ? user.Home : folder;
        }

        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        environment[ProcessTree.Variable] = marker;
        var program = Find(command, environment.TryGetValue("PATH", out var path) ? path : null)
            ?? throw new IOException(
                $"The program '{command}' was not found on the PATH. Install it where this server runs."
            );
        string[] line = [.. ChildLaunch.Prefix(options, container is not null), program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.WorkingDirectory = folder;
        start.Environment.Clear();
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return new(Process.Start(start)!, marker, log, options, container);
        }
        catch (Win32Exception failure)
        {
            throw new IOException($"The program '{command}' could not be started: {failure.Message}", failure);
        }
    }

    /// <summary>Waits until it has ended and its last words are in the log.</summary>
    public async Task WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _errors.WaitAsync(cancellationToken);
    }

    /// <summary>The exit code, once it ended; null while it runs.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    /// <summary>
    /// Ends the process and its descendants, within 5 seconds. Closing the input is how the MCP specification ends a
    /// server over stdio; the signals are for those that do not obey.
    /// </summary>
    public Task StopAsync() => _stop.Value;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        // A pipe that a stranger inherited never ends.
        await Task.WhenAny(_errors, Task.Delay(TimeSpan.FromMilliseconds(200)));
        // The process leaves streams open that somebody has: until the garbage collection their handles would stay.
        Output.Dispose();
        _error.Dispose();
        _process.Dispose();
    }

    private async Task StopCoreAsync()
    {
        _usage?.Dispose();
        var ended = EndAsync();
        if (_container is not null)
        {
            // One that does not obey, and one that was still being created.
            await Task.WhenAny(ended, Task.Delay(AfterInputClosed));
            await (ended.IsCompleted ? Task.CompletedTask : _container.RemoveAsync());
            await ended;
            await _container.RemoveAsync();
        }

        await ended;
    }

    private async Task EndAsync()
    {
        try
        {
            // It may be waiting in a write to a pipe that is full.
            _ = Task.Run(() => _process.StandardInput.Dispose());
            if (!ProcessTree.IsSupported)
            {
                await GoneAsync(AfterInputClosed);
                _process.Kill(entireProcessTree: true);
                return;
            }

            if (await GoneAsync(AfterInputClosed))
            {
                return;
            }

            Signal(ProcessTree.Terminate);
            if (await GoneAsync(AfterTerminate))
            {
                return;
            }

            do
            {
                Signal(ProcessTree.Kill);
            } while (!await GoneAsync(TimeSpan.FromMilliseconds(100)));
        }
        catch (Exception failure) when (failure is InvalidOperationException or Win32Exception)
        {
            // it ended meanwhile
        }
    }

    private void Signal(int signal)
    {
        foreach (var (id, _) in Descendants())
        {
            ProcessTree.Signal(id, signal);
        }
    }

    private IReadOnlyList<(int Id, string Marker)> Descendants() =>
        ProcessTree.Find(_marker, Setsid is null ? null : _process.Id, _user);

    // The kernel's own limit of memory counts address space, of which Node.js and .NET reserve far more than they use,
    // and counts it for each process; and only root may make a control group.
    private async Task WatchUsageAsync(PeriodicTimer timer, HubOptions options, LogRing log)
    {
        while (await timer.WaitForNextTickAsync())
        {
            var ids = ChildUsage.Of(_marker, _user);
            if (options.MaxMemoryMb is { } most && ids.Sum(ChildUsage.MemoryOf) is var used && used > (long)most << 20)
            {
                Exceeded = $"it used {used >> 20} MB of memory, and Hub:MaxMemoryMb is {most}";
                log.Notice($"It was ended: {Exceeded}.");
                Signal(ProcessTree.Kill);
                _ = StopAsync();
                return;
            }

            if (
                Reached is null
                && options.MaxOpenFiles is { } files
                && ids.Any(id => ChildUsage.OpenFilesOf(id, _user) >= files)
            )
            {
                Reached = $"it had as many files open as it may ({files}, Hub:MaxOpenFiles)";
                log.Notice($"Opening more files fails: {Reached}.");
            }
        }
    }

    private async Task<bool> GoneAsync(TimeSpan within)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var left = within - Stopwatch.GetElapsedTime(started);
            if (_process.HasExited && Descendants().Count == 0)
            {
                return true;
            }

            if (left <= TimeSpan.Zero)
            {
                return false;
            }

            await Task.Delay(left < TimeSpan.FromMilliseconds(50) ? left : TimeSpan.FromMilliseconds(50));
        }
    }

    // Without it the process would stop once the pipe is full. Over-long lines are truncated.
    private static async Task DrainAsync(Stream stream, LogRing log)
    {
        const int MaxLine = 8 << 10;
        var reader = PipeReader.Create(stream);
        var truncated = false;
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync();
                var rest = read.Buffer;
                while (rest.PositionOf((byte)'\n') is { } end)
                {
                    Add(rest.Slice(0, end));
                    truncated = false;
                    rest = rest.Slice(rest.GetPosition(1, end));
                }

                if (read.IsCompleted || rest.Length > MaxLine)
                {
                    Add(rest);
                    truncated = true;
                    rest = rest.Slice(rest.End);
                }

                reader.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // it ended
        }

        void Add(ReadOnlySequence<byte> line)
        {
            if (!truncated)
            {
                log.Add(line);
            }
        }
    }

    internal static string? Find(string program, string? path)
    {
        if (Path.IsPathRooted(program) || OperatingSystem.IsWindows())
        {
            return program;
        }

        return (path ?? Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(file => File.Exists(file) && IsExecutable(file));
    }

    private static bool IsExecutable(string file) =>
        !OperatingSystem.IsWindows()
        && (
            File.GetUnixFileMode(file)
            & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)
        ) != 0;
}
