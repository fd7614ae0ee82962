namespace MinimalMcp.Load;

/// <summary>The servers that a measurement starts, and the folder with their stores, which goes when they do.</summary>
internal sealed class OwnServers(Options options) : IAsyncDisposable
{
    private const string Key = "load-Tz8Qw4Lm1Rv7Xc5Nb2Kp9Hd3Jf6Gs0Ya", Unlimited = "1000000000/minute";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("load");
    private readonly List<IAsyncDisposable> _started = [];
    private int _stores;

    /// <summary>False where the start itself is measured: see <see cref="StartupHook"/>.</summary>
    public bool Hook { get; init; } = true;

    public string Folder => _folder.FullName;

    /// <summary>No key, no record: the surfaces and the tool.</summary>
    public ServerProcess Plain(int tools = 0) => Keep(ServerProcess.Start("server", null, ServerStart.Dotnet(Dll, ["--Auth:Mode=none", "--Governance:Audit=false", Store()], tools, Hook)));

    /// <summary>A key, a budget that every call is counted against, and the record.</summary>
    public ServerProcess Governed(params string[] settings) => Keep(ServerProcess.Start("governed", Key, ServerStart.Dotnet(Dll,
        ["--Auth:Mode=api-key", $"--Auth:ApiKey={Key}", .. new[] { "LOW", "MEDIUM", "HIGH" }.Select(level => $"--Governance:Levels:{level}={Unlimited}"), Store(), .. settings])));

    /// <param name="answerLengths">Of the server's answers, for Kestrel to send as many bytes.</param>
    public ServerProcess Bare(string answerLengths) => Keep(ServerProcess.Start("bare", null, ServerStart.Dotnet(typeof(OwnServers).Assembly.Location, ["--bare", answerLengths], hook: Hook)));

    public T Keep<T>(T server) where T : IAsyncDisposable
    {
        _started.Add(server);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Enumerable.Reverse(_started))
        {
            await server.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private string Dll => Path.GetFullPath(options.Server);

    private string Store() => $"--Storage:Path={Folder}/{++_stores}.db";
}
