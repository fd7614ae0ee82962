using System.Diagnostics;
using System.Text.Json.Nodes;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Surfaces;

/// <summary>
/// The server as a host would start it, in a process of its own: one message a line, one answer a line.
/// </summary>
internal sealed class StdioClient : IDisposable
{
    private readonly Process _process;

    private StdioClient(Process process) => _process = process;

    /// <param name="environment">For example <see cref="ProgramTools.Notes"/>.</param>
    public static StdioClient Start(IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet", [ServerProcess.Dll, "--stdio"])
        {
            WorkingDirectory = AppContext.BaseDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true, // its banner would end up among what the tests print
            Environment =
            {
                ["LOG_LEVEL"] = "None",
                ["MCP_AUTH_MODE"] = "none",
                ["Storage__Path"] = TestStores.New(),
            },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.BeginErrorReadLine(); // read, so that it never waits for us
        return new(process);
    }

    public async Task<JsonNode> AskAsync(string method, JsonObject parameters)
    {
        await _process.StandardInput.WriteLineAsync(
            new JsonObject
            {
                ["jsonrpc"] = "2.0",
                ["id"] = 1,
                ["method"] = method,
                ["params"] = parameters,
            }.ToJsonString()
        );
        await _process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        return JsonNode.Parse((await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!)!;
    }

    /// <summary>Closes its input, waits for its end, and gives the exit code.</summary>
    public async Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
