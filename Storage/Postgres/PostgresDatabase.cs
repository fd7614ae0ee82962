using System.Data.Common;
using System.Diagnostics;
using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace MinimalMcp.Storage;

/// <summary>PostgreSQL, for several replicas. Row locks make the statements exact across replicas.</summary>
internal sealed partial class PostgresDatabase(string connectionString, ILogger logger) : IDatabase
{
    // At the start the database may be starting too, or the machine have much to do.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30),
        Pause = TimeSpan.FromSeconds(1);

    // Two replicas that start at once must not both make the tables. The number is ours; any would do.
    private const long SchemaLock = 4_815_162_342;

    // More at once would only wait for each other's rows, and for connections, as long as the limits allow.
    private const int MaxWrites = 8;
    private static readonly TimeSpan LongestQueue = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _room = new(MaxWrites);
    private readonly NpgsqlDataSource _source = Source(WithLimits(connectionString));

    // Our statements take milliseconds. What is not answered in seconds is on the other side of a broken network, and
    // whoever calls is told so; by themselves the limits would be half a minute. The first call takes the limit of a
    // command and twice that of a connection, for the attempt to cancel; then the pool is empty and each takes that of
    // a connection. What the operator's own string says stands.
    private static readonly (string Name, object Value)[] Limits =
    [
        ("Timeout", 2),
        ("Command Timeout", 3),
        ("Cancellation Timeout", 500),
        ("Keepalive", 10),
    ];

    // A replica that lost its power within a transaction would hold its rows, the end of the audit's chain among them,
    // until TCP notices: after two hours.
    private const string Impatient = "set local idle_in_transaction_session_timeout = 5000";

    /// <summary>For the few statements that go over many rows, in seconds.</summary>
    public const int Long = 300;

    public string Description { get; private set; } = "PostgreSQL";

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await ConnectAsync(cancellationToken);
            Description =
                $"PostgreSQL {connection.PostgreSqlVersion} at "
                + $"{connection.Host}:{connection.Port}/{connection.Database}";
            await connection.ExecuteAsync("select pg_advisory_lock(@SchemaLock)", new { SchemaLock });
            try
            {
                Schema.Apply(connection, $"The database {connection.Database}");
            }
            finally
            {
                await connection.ExecuteAsync("select pg_advisory_unlock(@SchemaLock)", new { SchemaLock });
            }
        }
        catch (Exception failure) when (PostgresFailure.Explain(failure) is { } sentence)
        {
            throw new StorageException(sentence, failure);
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await _source.OpenConnectionAsync(cancellationToken);
            }
            catch (Exception failure)
                when (PostgresFailure.MayPass(failure) && Stopwatch.GetElapsedTime(started) < Patience)
            {
                if (attempt == 1)
                {
                    LogWaits((int)Patience.TotalSeconds, failure.Message);
                }

                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Database of Storage:ConnectionString unavailable, retrying {Seconds} {Reason}")]
    private partial void LogWaits(int seconds, string reason);

    public async Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        if (!await _room.WaitAsync(LongestQueue, cancellationToken))
        {
            throw new StorageException("The store is overloaded: too many writes are queued.");
        }

        try
        {
            await using var connection = await _source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteAsync(Impatient);
            var result = await work(connection);
            await transaction.CommitAsync(CancellationToken.None);
            return result;
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw new StorageException($"The store is not available: {failure.Message}", failure);
        }
        finally
        {
            _room.Release();
        }
    }

    public async Task InsertAsync(DbConnection connection, string table, string[] columns, IEnumerable<object?[]> rows)
    {
        await using var import = await ((NpgsqlConnection)connection).BeginBinaryImportAsync(
            $"copy {table} ({string.Join(", ", columns)}) from stdin (format binary)"
        );
        foreach (var row in rows)
        {
            await import.StartRowAsync();
            foreach (var value in row)
            {
                switch (value)
                {
                    case null:
                        await import.WriteNullAsync();
                        break;
                    case long number:
                        await import.WriteAsync(number, NpgsqlDbType.Bigint);
                        break;
                    default:
                        await import.WriteAsync((string)value, NpgsqlDbType.Text);
                        break;
                }
            }
        }

        await import.CompleteAsync();
    }

    public async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync(cancellationToken);
            await using var moment = await connection.BeginTransactionAsync(
                System.Data.IsolationLevel.RepeatableRead,
                cancellationToken
            );
            return await work(connection);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw new StorageException($"The store is not available: {failure.Message}", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        _room.Dispose();
    }

    // Npgsql's spans belong below one of ours. What the server does by itself would be a trace of its own many times a
    // second.
    private static NpgsqlDataSource Source(string connectionString) =>
        new NpgsqlDataSourceBuilder(connectionString)
            .ConfigureTracing(tracing =>
                tracing
                    .ConfigureCommandFilter(_ => Activity.Current is not null)
                    .ConfigureBatchFilter(_ => Activity.Current is not null)
                    .ConfigureCopyOperationFilter(_ => Activity.Current is not null)
            )
            .Build();

    private static string WithLimits(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        var given = builder.Keys.Cast<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in Limits.Where(limit => !given.Contains(limit.Name)))
        {
            builder[name] = value;
        }

        return builder.ConnectionString;
    }
}
