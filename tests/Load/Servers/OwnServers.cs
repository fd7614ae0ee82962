namespace MinimalMcp.Load;

/// <summary>The servers that a measurement starts, and the folder with their stores, which goes when they do.</summary>
internal sealed class OwnServers(Options options) : IAsyncDisposable
{
    private const string Key = "load-Tz8Qw4Lm1Rv7Xc5Nb2Kp9Hd3Jf6Gs0Ya",
        Unlimited = "1000000000/minute";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("load");
    private readonly List<IAsyncDisposable> _started = [];
    private int _stores;

    /// <summary>False where the start itself is measured: see <see cref="StartupHook"/>.</summary>
    public bool Hook { get; init; } = true;

    public string Folder => _folder.FullName;

    /// <summary>
    /// The options for the project as it is: with a tool that is lent to its servers, when it has not the sample one
    /// and none was named.
    /// </summary>
    public static async Task<Options> FitAsync(Options options)
    {
        if (options.Url is not null)
        {
            return options;
        }

        await using var own = new OwnServers(options);
        var server = own.Plain();
        await server.FirstAnswer(Call.List(Call.Legacy));
        var tools = await Mix.ToolsAsync(server.Target);
        return tools.Contains(options.Tool) ? options
            : options.Tool == Options.SampleTool
                ? options with
                {
                    Tool = MoreTools.Name(1),
                    Arguments = MoreTools.Arguments,
                }
            : throw new InvalidOperationException(
                $"--tool {options.Tool}: the server has no such tool; it has {string.Join(", ", tools.Take(20))}."
            );
    }

    /// <summary>No key, no record: the surfaces and the tool.</summary>
    public ServerProcess Plain(int tools = 0, string name = "server", params string[] settings) =>
        Keep(ServerProcess.Start(name, null, ServerStart.Dotnet(Dll, [.. Ungoverned(), .. settings], tools, Hook)));

    /// <summary>The arguments of the same over stdio.</summary>
    public string[] Stdio(params string[] settings) => [Dll, "--stdio", .. Ungoverned(), .. settings];

    /// <summary>A key, a budget that every call is counted against, and the record.</summary>
    public ServerProcess Governed(params string[] settings) => Governed("governed", [Store(), .. settings]);

    /// <summary>Governed servers with one PostgreSQL.</summary>
    public async Task<List<ServerProcess>> ReplicasAsync(int count)
    {
        var postgres = Keep(await Postgres.StartAsync());
        return
        [
            .. Enumerable
                .Range(1, count)
                .Select(number =>
                    Governed($"replica {number}", [$"--Storage:ConnectionString={postgres.ConnectionString}"])
                ),
        ];
    }

    /// <summary>nginx before governed servers.</summary>
    public ServerProcess Nginx(List<ServerProcess> servers) =>
        Keep(
            ServerProcess.Start(
                "nginx",
                Key,
                Load.Nginx.Before(servers, Path.Combine(Folder, $"nginx{servers.Count}")),
                servers
            )
        );

    private ServerProcess Governed(string name, string[] settings) =>
        Keep(
            ServerProcess.Start(
                name,
                Key,
                ServerStart.Dotnet(
                    Dll,
                    [
                        "--Auth:Mode=api-key",
                        $"--Auth:ApiKey={Key}",
                        .. new[] { "LOW", "MEDIUM", "HIGH" }.Select(level =>
                            $"--Governance:Levels:{level}={Unlimited}"
                        ),
                        .. settings,
                    ],
                    Lent
                )
            )
        );

    /// <param name="answerLengths">Of the server's answers, for Kestrel to send as many bytes.</param>
    public ServerProcess Bare(string answerLengths, string name = "bare") =>
        Keep(
            ServerProcess.Start(
                name,
                null,
                ServerStart.Dotnet(typeof(OwnServers).Assembly.Location, ["--bare", answerLengths], hook: Hook)
            )
        );

    public T Keep<T>(T server)
        where T : IAsyncDisposable
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

    private int Lent => options.Tool == MoreTools.Name(1) ? 1 : 0;

    private string Dll => Path.GetFullPath(options.Server);

    private string[] Ungoverned() => ["--Auth:Mode=none", "--Governance:Audit=false", Store()];

    private string Store() => $"--Storage:Path={Folder}/{++_stores}.db";
}
