using System.Diagnostics;

namespace MinimalMcp.Load;

/// <summary>
/// A PostgreSQL of its own on a private port, as durable as PostgreSQL is by default, and gone with its files when it
/// is disposed.
/// </summary>
internal sealed class Postgres : IAsyncDisposable
{
    private readonly string _programs = Installed.Postgres()
        ?? throw new InvalidOperationException($"PostgreSQL is missing: install {Installed.WantedPostgres}.");
    private readonly string _folder = Directory.CreateTempSubdirectory("postgres").FullName;
    private readonly int _port = ServerStart.FreePort().Port;
    private Process? _process;
    private string[] _tls = [];

    private Postgres() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Kill();

    public string ConnectionString =>
        $"Host=127.0.0.1;Port={_port};Username=postgres;Database=postgres;Maximum Pool Size=40";

    public static async Task<Postgres> StartAsync(CancellationToken cancellationToken = default)
    {
        var server = new Postgres();
        try
        {
            if (Environment.UserName == "root")
            {
                // PostgreSQL refuses to run as root
                await RunAsync(new("chown", ["postgres", server._folder]), cancellationToken);
            }

            await RunAsync(
                server.AsUser(
                    "initdb",
                    "--pgdata",
                    server.Data,
                    "--auth",
                    "trust",
                    "--username",
                    "postgres",
                    "--encoding",
                    "UTF8",
                    "--no-sync"
                ),
                cancellationToken
            );
            await server.LaunchAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>From the next start on it takes TLS as well, with this certificate (PEM).</summary>
    public async Task UseTlsAsync(string certificate, string key, CancellationToken cancellationToken)
    {
        foreach (var (name, from) in ((string, string)[])[("server.crt", certificate), ("server.key", key)])
        {
            var file = Path.Combine(Data, name);
            File.Copy(from, file);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            if (Environment.UserName == "root")
            {
                await RunAsync(new("chown", ["postgres", file]), cancellationToken);
            }
        }

        _tls = ["-c", "ssl=on"];
    }

    /// <summary>Ends it as a crash would.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using (Process.Start("kill", ["-QUIT", $"{_process!.Id}"]))
        {
            await _process.WaitForExitAsync(cancellationToken);
        }

        _process.Dispose();
        _process = null;
    }

    public Task StartAgainAsync(CancellationToken cancellationToken) => LaunchAsync(cancellationToken);

    /// <summary>Ends it as a crash would, all connections with it, and starts it again on the same port.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await StopAsync(cancellationToken);
        await LaunchAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _process, null) is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Data => Path.Combine(_folder, "data");

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            "-D",
            Data,
            "-p",
            $"{_port}",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            $"unix_socket_directories={_folder}",
            "-c",
            "max_connections=200",
            .. _tls,
        ];
        var start = AsUser("postgres", arguments);
        start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        var said = new List<string>();
        while (await _process.StandardError.ReadLineAsync(cancellationToken) is { } line)
        {
            said.Add(line);
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                _ = _process.StandardError.ReadToEndAsync(CancellationToken.None);
                return;
            }
        }

        throw new InvalidOperationException($"PostgreSQL did not start:\n{string.Join('\n', said)}");
    }

    private ProcessStartInfo AsUser(string program, params string[] arguments)
    {
        program = Path.Combine(_programs, program);
        return Environment.UserName == "root"
            ? new("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, .. arguments])
            : new(program, arguments);
    }

    private static async Task RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = ("/", true, true);
        using var process = Process.Start(start)!;
        var (output, errors) = (
            process.StandardOutput.ReadToEndAsync(cancellationToken),
            process.StandardError.ReadToEndAsync(cancellationToken)
        );
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{start.FileName} ended with {process.ExitCode}:\n{await output}{await errors}"
            );
        }
    }

    private void Kill()
    {
        try
        {
            _process?.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException) { } // ended and disposed before
    }
}
