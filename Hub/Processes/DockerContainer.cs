using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace MinimalMcp.Hub.Processes;

/// <summary>
/// The container of a server. It is Docker's process, not a descendant of ours: it is found by its name and its label,
/// and removed by Docker.
/// </summary>
internal sealed class DockerContainer(string server, string marker, LogRing log)
{
    /// <summary>The label whose value names the store and the process that started the container.</summary>
    public const string Label = "minimal-mcp.hub";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    // Where the Docker Engine is. A server's definition cannot set these.
    private static readonly string[] EngineVariables =
    [
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "DOCKER_CERT_PATH",
        "DOCKER_TLS_VERIFY",
        "XDG_RUNTIME_DIR",
        "HOME",
    ];

    public string Name { get; } = $"minimal-mcp-{server}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";

    /// <summary>The variables of our own environment that say where the Docker Engine is.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Engine() =>
        EngineVariables
            .Select(name => KeyValuePair.Create(name, Environment.GetEnvironmentVariable(name) ?? ""))
            .Where(variable => variable.Value.Length > 0);

    public static Dictionary<string, string> Variables(IReadOnlyDictionary<string, string> own)
    {
        Dictionary<string, string> all = new(Engine(), StringComparer.Ordinal);
        foreach (var (name, value) in own)
        {
            all[name] = value;
        }

        return all;
    }

    public IReadOnlyList<string> Arguments(IReadOnlyList<string> args, HubOptions options)
    {
        var labels = new Dictionary<string, string> { [Label] = InstanceOf(marker), ["minimal-mcp.server"] = server };
        return DockerRun.Parse(args).Limited(options).ToArguments(Name, labels);
    }

    /// <summary>Removes the container, if it is still there. Never takes longer than 20 seconds.</summary>
    public async Task RemoveAsync()
    {
        var (exitCode, output) = await RunAsync(["rm", "--force", "--volumes", Name]);
        if (exitCode != 0 && !output.Contains("No such container", StringComparison.OrdinalIgnoreCase))
        {
            log.Add(Encoding.UTF8.GetBytes($"The container {Name} could not be removed: {output}"));
        }
    }

    /// <summary>Removes containers that earlier instances left, and returns their ids.</summary>
    public static async Task<IReadOnlyList<string>> SweepAsync(Func<string, bool> isLeft)
    {
        var (exitCode, output) = await RunAsync([
            "ps",
            "--all",
            "--filter",
            $"label={Label}",
            "--format",
            $$$"""{{.ID}} {{.Label "{{{Label}}}"}}""",
        ]);
        string[] left =
        [
            .. output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Trim().Split(' '))
                .Where(parts => parts is [_, var instance] && isLeft(instance))
                .Select(parts => parts[0]),
        ];
        if (exitCode != 0 || left.Length == 0)
        {
            return [];
        }

        await RunAsync(["rm", "--force", "--volumes", .. left]);
        return left;
    }

    // "store:process:server:" is the marker of a server.
    private static string InstanceOf(string marker) => string.Join(':', marker.Split(':').Take(2));

    private static async Task<(int? ExitCode, string Output)> RunAsync(string[] arguments)
    {
        var start = new ProcessStartInfo(ChildProcess.Find(DockerRun.Program, null) ?? DockerRun.Program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process? docker = null;
        try
        {
            docker = Process.Start(start)!;
            docker.StandardInput.Close();
            using var limit = new CancellationTokenSource(Limit);
            var output = ReadAsync(docker.StandardOutput, limit.Token);
            var errors = ReadAsync(docker.StandardError, limit.Token);
            await docker.WaitForExitAsync(limit.Token);
            return (docker.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            docker?.Kill();
            return (null, $"Docker did not answer within {Limit.TotalSeconds:0} s.");
        }
        catch (Exception failure) when (failure is Win32Exception or InvalidOperationException or IOException)
        {
            return (null, failure.Message);
        }
        finally
        {
            docker?.Dispose();
        }
    }

    // The rest is read too, or Docker would wait.
    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        const int Most = 256 << 10;
        var text = new StringBuilder();
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            text.Append(buffer, 0, Math.Min(read, Most - Math.Min(Most, text.Length)));
        }

        return text.ToString();
    }
}
