using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Load;

/// <summary>A server that is measured: a child process, or one that already runs.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process? process;
    private readonly bool child;
    private readonly string? counters;
    private readonly ConcurrentQueue<string> output = new();
    private bool disposed;

    public string Name { get; }
    public Target Target { get; }

    /// <summary>Whether it refuses 2026-07-28.</summary>
    public bool LegacyOnly { get; init; }

    public TimeSpan? Cpu => process?.TotalProcessorTime;

    public long? Rss
    {
        get
        {
            process?.Refresh();
            return process?.WorkingSet64;
        }
    }

    private ServerProcess(string name, Target target, Process? process, bool child, string? counters = null) =>
        (Name, Target, this.process, this.child, this.counters) = (name, target, process, child, counters);

    public static ServerProcess Attach(Target target, int? pid) => new("server", target, pid is { } id ? Process.GetProcessById(id) : null, child: false);

    /// <param name="tools">Further tools that it shall have; see <see cref="MoreTools"/>.</param>
    /// <param name="hook">False leaves the process as it is, without counters and further tools.</param>
    public static ServerProcess Start(string name, string dll, string? key, IEnumerable<string> args, int tools = 0, bool hook = true)
    {
        var endPoint = FreePort();
        var start = new ProcessStartInfo("dotnet", [dll, .. args, "--urls", $"http://{endPoint}"]) { WorkingDirectory = Path.GetDirectoryName(dll)! };
        var counters = hook ? ServerCounters.NewSocket() : null;
        start.Environment["DOTNET_STARTUP_HOOKS"] = hook ? typeof(ServerProcess).Assembly.Location : null;
        start.Environment[ServerCounters.Variable] = counters;
        start.Environment[MoreTools.Variable] = tools > 0 ? $"{tools}" : null;
        return Start(name, endPoint, key, start, counters);
    }

    /// <summary>A server that is not written in .NET; it gets the port as its first argument.</summary>
    public static ServerProcess Start(string name, string program, string script, IReadOnlyDictionary<string, string> environment)
    {
        var endPoint = FreePort();
        var start = new ProcessStartInfo(program, [script, $"{endPoint.Port}"]);
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        return Start(name, endPoint, null, start, null, legacyOnly: true);
    }

    private static ServerProcess Start(string name, IPEndPoint endPoint, string? key, ProcessStartInfo start, string? counters, bool legacyOnly = false)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        foreach (var (setting, value) in RuntimeSettings.ForServers)
        {
            start.Environment.TryAdd(setting, value);
        }

        foreach (var setting in RuntimeSettings.ForGenerator.Keys)
        {
            start.Environment.Remove(setting);
        }

        var server = new ServerProcess(name, new(new Uri($"http://{endPoint}"), key), new Process { StartInfo = start }, child: true, counters) { LegacyOnly = legacyOnly };
        server.process!.OutputDataReceived += server.Keep;
        server.process.ErrorDataReceived += server.Keep;
        server.process.Start();
        server.process.BeginOutputReadLine();
        server.process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Kill();
        return server;
    }

    /// <summary>What it has allocated since it started; null when it cannot be asked.</summary>
    public async Task<long?> AllocatedAsync() => counters is null ? null : await ServerCounters.ReadAsync(counters);

    /// <summary>Asks until the server answers as it should, in steps short enough to time a start with.</summary>
    public async Task<HttpResponse> FirstAnswer(Call call)
    {
        var request = Target.Request(call);
        var last = "no answer";
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < StartLimit && process is not { HasExited: true }; await Task.Delay(2))
        {
            try
            {
                using var connection = await HttpConnection.Open(Target);
                var response = await connection.Call(request.Bytes).AsTask().WaitAsync(StartLimit);
                if (request.Accepts(response))
                {
                    return response;
                }

                last = response.ToString();
                if (response.Status != 503)
                {
                    break; // a refusal stays one
                }
            }
            catch (Exception e) when (e is SocketException or IOException) { last = e.Message; }
        }
        throw new IOException($"{Name} at {Target.Url} does not answer {call.Method} {call.Path} ({call.Name}) as it should: {last}\n{string.Join('\n', output)}");
    }

    private static IPEndPoint FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            output.Enqueue(line.Data);
        }

        if (output.Count > 20)
        {
            output.TryDequeue(out _);
        }
    }

    // Nothing here may block: this can run on the thread that completes the work of all sockets and pipes (see RuntimeSettings).
    public async ValueTask DisposeAsync()
    {
        if (!child || disposed)
        {
            return;
        }

        disposed = true;
        Kill();
        await process!.WaitForExitAsync();
        process.Dispose();
        if (counters is not null)
        {
            File.Delete(counters);
        }
    }

    private void Kill()
    {
        try
        {
            process!.Kill();
        }
        catch (InvalidOperationException) { } // ended and disposed before
    }
}
