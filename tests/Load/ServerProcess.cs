using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MinimalMcp.Load;

/// <summary>A server that is measured: a child process, or one that already runs.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly Process? process;
    private readonly bool child;
    private readonly ConcurrentQueue<string> output = new();

    public string Name { get; }
    public IPEndPoint EndPoint { get; }
    public TimeSpan? Cpu => process?.TotalProcessorTime;

    public long? Rss
    {
        get
        {
            process?.Refresh();
            return process?.WorkingSet64;
        }
    }

    private ServerProcess(string name, IPEndPoint endPoint, Process? process, bool child) =>
        (Name, EndPoint, this.process, this.child) = (name, endPoint, process, child);

    public static ServerProcess Attach(Uri url, int? pid) =>
        url.IsLoopback
        ? new("server", new(IPAddress.Loopback, url.Port), pid is { } id ? Process.GetProcessById(id) : null, child: false)
        : throw new InvalidOperationException($"{url} is not on this machine");

    public static ServerProcess Start(string name, string dll, params string[] args)
    {
        var endPoint = FreePort();
        var start = new ProcessStartInfo("dotnet", [dll, .. args, "--urls", $"http://{endPoint}"])
        {
            WorkingDirectory = Path.GetDirectoryName(dll)!,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        foreach (var (setting, value) in RuntimeSettings.ForServers)
        {
            start.Environment.TryAdd(setting, value);
        }

        foreach (var setting in RuntimeSettings.ForGenerator.Keys)
        {
            start.Environment.Remove(setting);
        }

        var server = new ServerProcess(name, endPoint, new Process { StartInfo = start }, child: true);
        server.process!.OutputDataReceived += server.Keep;
        server.process.ErrorDataReceived += server.Keep;
        server.process.Start();
        server.process.BeginOutputReadLine();
        server.process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Kill();
        return server;
    }

    /// <summary>Asks until the tool answers, in steps short enough to time a start with.</summary>
    public async Task<HttpResponse> FirstAnswer(Scenario scenario)
    {
        var request = scenario.Request(EndPoint);
        var last = "no answer";
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < StartLimit && process is not { HasExited: true }; await Task.Delay(2))
        {
            try
            {
                using var connection = await HttpConnection.Open(EndPoint);
                var response = await connection.Call(request).WaitAsync(StartLimit);
                if (response.IsResult)
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
        throw new IOException($"{Name} at {EndPoint} does not answer the {scenario.Era} tools/call: {last}\n{string.Join('\n', output)}");
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
        if (!child)
        {
            return;
        }
        Kill();
        await process!.WaitForExitAsync();
        process.Dispose();
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
