using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace MinimalMcp.Tests.Protocol;

/// <summary>
/// The program itself, as `dotnet MinimalMcp.dll` starts it, in a folder without .env and with nothing of our
/// environment that decides.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    public static readonly string Dll = Path.Combine(AppContext.BaseDirectory, "MinimalMcp.dll");

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly StringBuilder _written = new();

    private ServerProcess(Process process)
    {
        _process = process;
        _errors = ReadErrorsAsync();
    }

    public int Id => _process.Id;

    public Stream Input => _process.StandardInput.BaseStream;

    public long PeakMemory
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    public static ServerProcess Start(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? folder = null
    )
    {
        var start = new ProcessStartInfo("dotnet", [Dll, .. arguments])
        {
            WorkingDirectory = folder ?? AppContext.BaseDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (
            var name in start
                .Environment.Keys.Where(name =>
                    name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)
                    || name.StartsWith("DOTNET_ENV", StringComparison.Ordinal)
                    || name.StartsWith("MCP_", StringComparison.Ordinal)
                    || name.StartsWith("OTEL_", StringComparison.Ordinal)
                )
                .ToArray()
        )
        {
            start.Environment.Remove(name);
        }

        start.Environment["Storage__Path"] = TestStores.New();
        start.Environment["MCP_AUTH_MODE"] = "none"; // whatever the project's own settings say
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value.Length > 0 ? value : null; // without a value it is not set at all
        }

        return new(Process.Start(start)!);
    }

    /// <summary>Runs a program that is expected to end by itself.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? folder = null
    )
    {
        await using var server = Start(arguments, environment, folder);
        return await server.EndAsync();
    }

    /// <summary>Returns when the server at that address, without a slash at its end, is ready.</summary>
    public static async Task ReadyAsync(HttpClient http, string url)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Wait.Limit);
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(url + "/health/ready"), limit.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) { }

            await Task.Delay(10, limit.Token); // between two questions; it goes on when the answer is yes
        }
    }

    public async Task SendAsync(string line)
    {
        await Input.WriteAsync(Encoding.Latin1.GetBytes(line), TestContext.Current.CancellationToken);
        await Input.FlushAsync(TestContext.Current.CancellationToken);
    }

    public async Task<JsonElement> ReceiveAsync() =>
        JsonElement.Parse(
            await Wait.Soon(_process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask())
                ?? throw new EndOfStreamException(await _errors)
        );

    /// <summary>As `kill -9` does, or a machine that loses its power.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>As an orchestrator asks it to end; gives the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await Wait.Soon(_process.WaitForExitAsync(TestContext.Current.CancellationToken));
        return _process.ExitCode;
    }

    /// <summary>The same, with what was written.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> EndByTermAsync()
    {
        var exitCode = await TerminateAsync();
        return (
            exitCode,
            await _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            await _errors
        );
    }

    /// <summary>Waits until the server says where it listens, whatever the address, and ends it.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> EndWhenUpAsync()
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (!Written().Contains("in a browser", StringComparison.Ordinal) && !_process.HasExited)
        {
            await Task.Delay(20, limit.Token); // between two looks; it goes on when the banner is there
        }

        return await EndByTermAsync();
    }

    /// <summary>Closes the input and gives what is still written until the end.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> EndAsync()
    {
        _process.StandardInput.Close();
        var output = await Wait.Soon(_process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await Wait.Soon(_process.WaitForExitAsync(TestContext.Current.CancellationToken));
        return (_process.ExitCode, output, await _errors);
    }

    private async Task<string> ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_written)
            {
                _written.Append(line).Append('\n');
            }
        }

        return Written();
    }

    private string Written()
    {
        lock (_written)
        {
            return _written.ToString();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
