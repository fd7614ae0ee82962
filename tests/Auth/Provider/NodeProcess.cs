using System.Diagnostics;
using System.Text.Json;
using MinimalMcp.Tests.Clients;

namespace MinimalMcp.Tests.Auth.Provider;

/// <summary>
/// A script of tests/Clients that reads a line of JSON, answers with a line, and runs until its input ends.
/// </summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private readonly Process _process;
    private bool _ended;

    private NodeProcess(Process process) => _process = process;

    public JsonElement Answer { get; private set; }

    public static async Task<NodeProcess> StartAsync(string script, object said)
    {
        var process = Process.Start(
            new ProcessStartInfo(ClientProcess.Node, [script])
            {
                WorkingDirectory = ClientProcess.Folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync();
        var started = new NodeProcess(process);
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(said));
        await process.StandardInput.FlushAsync();
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Wait.Limit);
        started.Answer = line is null
            ? throw new InvalidOperationException($"{script} ended: {await errors}")
            : JsonElement.Parse(line);
        return started;
    }

    public async ValueTask DisposeAsync()
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        _process.StandardInput.Close();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
