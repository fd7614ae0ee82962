using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace MinimalMcp.Load;

/// <summary>A server that is measured: a child process, or one that already runs.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60),
        ReachLimit = TimeSpan.FromSeconds(20);

    private readonly Process? process;
    private readonly bool child;
    private readonly string? counters;
    private readonly ConcurrentQueue<string> output = new();
    private bool disposed;

    public string Name { get; }
    public Target Target { get; }

    /// <summary>Whether it refuses 2026-07-28.</summary>
    public bool LegacyOnly { get; init; }

    /// <summary>The servers that answer for it, where it only passes calls on: its processor time is theirs.</summary>
    public IReadOnlyList<ServerProcess> Behind { get; init; } = [];

    public TimeSpan? Cpu =>
        Behind.Count == 0 ? process?.TotalProcessorTime : new TimeSpan(Behind.Sum(server => server.Cpu!.Value.Ticks));

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

    public static ServerProcess Attach(Target target, int? pid) =>
        new("server", target, pid is { } id ? Process.GetProcessById(id) : null, child: false);

    public static ServerProcess Start(
        string name,
        string? key,
        ServerStart start,
        params IReadOnlyList<ServerProcess> behind
    )
    {
        var server = new ServerProcess(
            name,
            new(new Uri($"http://{start.EndPoint}"), key),
            new Process { StartInfo = start.Info },
            child: true,
            start.Counters
        )
        {
            LegacyOnly = start.LegacyOnly,
            Behind = behind,
        };
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
        for (
            var waited = Stopwatch.StartNew();
            waited.Elapsed < (child ? StartLimit : ReachLimit) && process is not { HasExited: true };
            await Task.Delay(2)
        )
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
            catch (Exception e) when (e is SocketException or IOException)
            {
                last = e.Message;
            }
        }
        throw new IOException(
            $"{Name} at {Target.Url} does not answer {call.Method} {call.Path} ({call.Name}) as it should: "
                + $"{last}\n{string.Join('\n', output)}"
        );
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

    // Nothing here may block: this can run on the thread that completes the work of all sockets and pipes (see
    // RuntimeSettings).
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
            process!.Kill(entireProcessTree: true); // nginx has workers
        }
        catch (InvalidOperationException) { } // ended and disposed before
    }
}
