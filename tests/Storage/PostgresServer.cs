using MinimalMcp.Load;
using MinimalMcp.Tests.Storage;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace MinimalMcp.Tests.Storage;

/// <summary>
/// A PostgreSQL of the tests' own, made when the first test asks for a database and gone with the last.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly Lazy<Task<Postgres>> _server = new(async () =>
    {
        Needs.Postgres();
        return await Postgres.StartAsync(TestContext.Current.CancellationToken);
    });

    /// <summary>The connection string of a new, empty database.</summary>
    /// <param name="patient">
    /// False leaves the limits of time to the server. Else a machine with much to do makes no test fail.
    /// </param>
    public async Task<string> NewDatabaseAsync(bool patient = true)
    {
        var server = new NpgsqlConnectionStringBuilder((await _server.Value).ConnectionString);
        var name = $"d{Guid.NewGuid():N}";
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand($"create database {name}");
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        server.Database = name;
        if (patient)
        {
            (server.Timeout, server.CommandTimeout) = (300, 300);
        }

        return server.ConnectionString;
    }

    /// <summary>Ends it as a crash would, all connections with it, and starts it again on the same port.</summary>
    public async Task RestartAsync() => await (await _server.Value).RestartAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await _server.Value).DisposeAsync();
        }
    }
}
