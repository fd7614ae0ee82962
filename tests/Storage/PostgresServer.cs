using System.Diagnostics;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Storage;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace MinimalMcp.Tests.Storage;

/// <summary>A PostgreSQL of the tests' own on a private port, made when the first test asks for a database and gone with the last.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly Lazy<Task<string>> _connection;
    private string? _folder;
    private Process? _process;
    private string _programs = "";
    private int _port;

    public PostgresServer() => _connection = new(StartAsync);

    /// <summary>The connection string of a new, empty database.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var server = new NpgsqlConnectionStringBuilder(await _connection.Value);
        var name = $"d{Guid.NewGuid():N}";
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand($"create database {name}");
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        server.Database = name;
        return server.ConnectionString;
    }

    /// <summary>Ends it as a crash would, all connections with it, and starts it again on the same port.</summary>
    public async Task RestartAsync()
    {
        using (Process.Start("kill", ["-QUIT", $"{_process!.Id}"]))
        {
            await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        _process.Dispose();
        await LaunchAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
            Directory.Delete(_folder!, recursive: true);
        }
    }

    private async Task<string> StartAsync()
    {
        var programs = Needs.Postgres();
        _folder = Directory.CreateTempSubdirectory("postgres").FullName;
        var data = Path.Combine(_folder, "data");
        if (Environment.UserName == "root")
        {
            await RunAsync(new("chown", ["postgres", _folder])); // PostgreSQL refuses to run as root
        }

        await RunAsync(AsUser(Path.Combine(programs, "initdb"), "--pgdata", data, "--auth", "trust", "--username", "postgres", "--encoding", "UTF8", "--no-sync"));
        (_programs, _port) = (programs, FreePort.Find());
        await LaunchAsync();
        return $"Host=127.0.0.1;Port={_port};Username=postgres;Database=postgres;Maximum Pool Size=40";
    }

    private async Task LaunchAsync()
    {
        _process = Process.Start(Quiet(AsUser(Path.Combine(_programs, "postgres"), "-D", Path.Combine(_folder!, "data"), "-p", $"{_port}", "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={_folder}", "-c", "max_connections=200")))!;
        var said = new List<string>();
        while (await _process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            said.Add(line);
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                _ = _process.StandardError.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"PostgreSQL did not start:\n{string.Join('\n', said)}");
    }

    private static ProcessStartInfo AsUser(string program, params string[] arguments) =>
        Environment.UserName == "root" ? new("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, .. arguments]) : new(program, arguments);

    private static ProcessStartInfo Quiet(ProcessStartInfo start)
    {
        start.RedirectStandardError = true;
        return start;
    }

    private static async Task RunAsync(ProcessStartInfo start)
    {
        start.WorkingDirectory = "/";
        var (exitCode, output, errors) = await ClientProcess.RunAsync(start);
        Assert.True(exitCode == 0, output + errors);
    }
}
