using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>
/// A container of an image, started through the docker command and removed afterwards. Only this machine can reach it.
/// </summary>
internal sealed class Container : IAsyncDisposable
{
    public const string Key = "load-container-Vb4Nc8Mx2Zq6Lw0Kp5Jd9Hs3Gf7";

    private readonly string _id;

    private Container(string id, Uri url) => (_id, Url) = (id, url);

    public Uri Url { get; }

    public static async Task<Container> StartAsync(string image, string? network)
    {
        string[] joined = network is null ? [] : ["--network", network];
        var id = (
            await DockerAsync([
                "run",
                "--detach",
                .. joined,
                "--publish",
                "127.0.0.1::3001",
                "--env",
                "MCP_AUTH_MODE=api-key",
                "--env",
                $"MCP_API_KEY={Key}",
                image,
            ])
        ).Trim();
        try
        {
            var address = (await DockerAsync("port", id, "3001/tcp")).Split('\n')[0].Trim();
            return new(id, new($"http://{address}"));
        }
        catch (InvalidOperationException)
        {
            await DockerAsync("rm", "--force", id);
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await DockerAsync("rm", "--force", "--volumes", _id);

    private static async Task<string> DockerAsync(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("docker", arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"docker {arguments[0]}: {(await errors).Trim()}");
    }
}
