using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace MinimalMcp.Load;

/// <summary>A server over stdio that is asked directly; calls run at the same time, as over HTTP.</summary>
internal sealed class StdioClient : IAsyncDisposable
{
    private const string Id = "\"id\":";

    private readonly Process _process;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<string>> _waiting = new();
    private long _last;

    private StdioClient(Process process)
    {
        _process = process;
        _ = ReadAsync();
    }

    public static async Task<StdioClient> StartAsync(IEnumerable<string> arguments)
    {
        var start = ServerStart.Prepared(new ProcessStartInfo("dotnet", arguments));
        start.RedirectStandardInput = true;
        var process = Process.Start(start)!;
        process.BeginErrorReadLine();
        var client = new StdioClient(process);
        await client.AskAsync(
            "initialize",
            $$$"""
            {"protocolVersion":"{{{Call.Legacy}}}","capabilities":{},"clientInfo":{"name":"load","version":"1"}}
            """
        );
        client.Write("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        return client;
    }

    public async ValueTask<Response> CallAsync(string tool, string arguments)
    {
        var answer = await AskAsync("tools/call", $$"""{"name":"{{tool}}","arguments":{{arguments}}}""");
        return
            answer.Contains("\"result\":", StringComparison.Ordinal)
            && !answer.Contains("\"isError\":true", StringComparison.Ordinal)
            ? Response.Ok(answer.Length)
            : Response.Fail(answer[..Math.Min(answer.Length, 120)]);
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private Task<string> AskAsync(string method, string parameters)
    {
        var id = Interlocked.Increment(ref _last);
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        Write($$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}","params":{{parameters.Trim()}}}""");
        return answer.Task;
    }

    private void Write(string line)
    {
        lock (_process)
        {
            _process.StandardInput.Write(line + "\n");
            _process.StandardInput.Flush();
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var digits = line.AsSpan(line.IndexOf(Id, StringComparison.Ordinal) + Id.Length);
            digits = digits[..Math.Max(0, digits.IndexOfAnyExceptInRange('0', '9'))];
            if (
                long.TryParse(digits, CultureInfo.InvariantCulture, out var id)
                && _waiting.TryRemove(id, out var waiting)
            )
            {
                waiting.SetResult(line);
            }
        }
    }
}
