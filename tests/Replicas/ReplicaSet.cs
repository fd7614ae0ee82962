using System.Diagnostics;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Storage;
using MinimalMcp.Tests.Tools;

namespace MinimalMcp.Tests.Replicas;

/// <summary>
/// What deploy/replicas starts, without containers: two processes, nginx with that folder's configuration, and one
/// PostgreSQL.
/// </summary>
internal sealed partial class ReplicaSet : IAsyncDisposable
{
    public static readonly string Deploy = Path.Combine(ClientProcess.Root, "deploy", "replicas");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("replicas");
    private readonly Dictionary<string, ServerProcess> _running = [];
    private readonly string _database;
    private readonly string? _upstream;
    private Process? _nginx;

    private ReplicaSet(string database, string? upstream) => (_database, _upstream) = (database, upstream);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string Folder => _folder.FullName;

    /// <summary>Where nginx listens.</summary>
    public string Url { get; } = $"http://127.0.0.1:{FreePort.Find()}";

    public IReadOnlyDictionary<string, string> Urls { get; } =
        new Dictionary<string, string>
        {
            ["replica-1"] = $"http://127.0.0.1:{FreePort.Find()}",
            ["replica-2"] = $"http://127.0.0.1:{FreePort.Find()}",
        };

    public HttpClient Http { get; } = new();

    /// <param name="upstream">Where the tool that asks a system asks; without it there is no such tool.</param>
    public static async Task<ReplicaSet> StartAsync(PostgresServer postgres, string? upstream = null)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        Needs.Nginx();
        var replicas = new ReplicaSet(await postgres.NewDatabaseAsync(), upstream);
        foreach (var name in replicas.Urls.Keys)
        {
            await replicas.StartAsync(name);
        }

        await replicas.StartNginxAsync(Load.Installed.Nginx()!);
        return replicas;
    }

    public async Task StartAsync(string name)
    {
        _running[name] = ServerProcess.Start(
            ["--urls", Urls[name]],
            new Dictionary<string, string>(_upstream is null ? ProgramTools.Notes : ProgramTools.NotesAnd(_upstream))
            {
                ["Storage__ConnectionString"] = _database,
                ["Governance__Confirm"] = "share_notes",
            }
        );
        await ServerProcess.ReadyAsync(Http, Urls[name]);
    }

    /// <summary>Callers at nginx, of whom 200 calls were answered already.</summary>
    public async Task<NotedCalls> LoadAsync(string name)
    {
        var load = NotedCalls.Start(Http, Url, name, goesOn: true);
        await load.MoreAsync(200);
        return load;
    }

    /// <summary>As an orchestrator does: asks it to end, and starts it again when it has.</summary>
    public async Task RestartAsync(string name)
    {
        Assert.Equal(0, await _running[name].TerminateAsync());
        await _running[name].DisposeAsync();
        await StartAsync(name);
    }

    public Task KillAsync(string name) => _running[name].KillAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _running.Values)
        {
            await replica.DisposeAsync();
        }

        if (_nginx is not null)
        {
            _nginx.Kill(entireProcessTree: true);
            await _nginx.WaitForExitAsync();
            _nginx.Dispose();
        }

        Http.Dispose();
        _folder.Delete(recursive: true);
    }

    // The configuration as it is, with the addresses and folders of this machine.
    private async Task StartNginxAsync(string nginx)
    {
        var configuration = await File.ReadAllTextAsync(Path.Combine(Deploy, "nginx.conf"), Stop);
        foreach (var (name, url) in Urls)
        {
            configuration = configuration.Replace($"{name}:3001", new Uri(url).Authority, StringComparison.Ordinal);
        }

        configuration = Listen()
            .Replace(configuration, $"listen {new Uri(Url).Authority};")
            .Replace(" /tmp/", $" {Folder}/", StringComparison.Ordinal)
            .Replace("/etc/nginx/", Folder + "/", StringComparison.Ordinal);
        var file = Path.Combine(Folder, "nginx.conf");
        await File.WriteAllTextAsync(file, configuration, Stop);
        Directory.CreateDirectory(Path.Combine(Folder, "down"));
        var user = Environment.UserName == "root" ? " user root;" : ""; // who else may not look into this folder
        _nginx = Process.Start(
            new ProcessStartInfo(nginx, ["-p", Folder, "-c", file, "-e", "stderr", "-g", "daemon off;" + user])
            {
                RedirectStandardError = true,
            }
        )!;
        _nginx.ErrorDataReceived += (_, line) => TestContext.Current.TestOutputHelper?.WriteLine($"nginx: {line.Data}");
        _nginx.BeginErrorReadLine();
        await ServerProcess.ReadyAsync(Http, Url);
    }

    [GeneratedRegex(@"listen \d+;")]
    private static partial Regex Listen();
}
