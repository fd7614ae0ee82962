using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace MinimalMcp.Storage;

/// <summary>A SQLite file: one writer, and readers beside it that see what was committed when they began.</summary>
internal sealed class SqliteDatabase : IDatabase
{
    private readonly string _path;
    private readonly string _readers;
    private SqliteWriter? _writer;

    public SqliteDatabase(string path)
    {
        _path = path;
        // One second, after which the caller is told: SQLite would otherwise block for thirty while another process
        // holds the file.
        _readers = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            DefaultTimeout = 1,
            Pooling = true,
        }.ToString();
    }

    public string Description { get; private set; } = "SQLite";

    public Task OpenAsync(CancellationToken cancellationToken)
    {
        Description = $"SQLite {SqliteLibrary.Load()} in {_path}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            if (NetworkFileSystem.Of(_path) is { } type)
            {
                throw new StorageException(
                    $"The file {_path} lies on a network file system ({type}), where SQLite's locks do not hold and "
                        + "the file would be damaged sooner or later. "
                        + "Set Storage:Path to a disk of this machine, or Storage:ConnectionString to a PostgreSQL "
                        + "database."
                );
            }

            var connection = new SqliteConnection(
                new SqliteConnectionStringBuilder
                {
                    DataSource = _path,
                    DefaultTimeout = 1,
                    Pooling = false,
                }.ToString()
            );
            _writer = new(connection);
            CreateForOwner();
            connection.Open();
            if (connection.Run("pragma quick_check(1)") is var check and not "ok")
            {
                throw Damaged($"{check}", null);
            }

            connection.Run("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;");
            Schema.Apply(connection, $"The file {_path}");
        }
        catch (SqliteException failure)
        {
            // 11 and 26: the file is not a database any more. Everything else may pass.
            throw failure.SqliteErrorCode is 11 or 26
                ? Damaged(failure.Message, failure)
                : new StorageException(
                    $"The file {_path} cannot be opened ({failure.Message}). Check that this user may write there "
                        + "and that nothing else holds it, or set Storage:Path.",
                    failure
                );
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"The folder of {_path} cannot be made ({failure.Message}). Set Storage:Path to a place that this "
                    + "user may write to.",
                failure
            );
        }

        _writer.Start();
        return Task.CompletedTask;
    }

    public Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken) =>
        _writer!.WriteAsync(work, cancellationToken);

    public Task InsertAsync(DbConnection connection, string table, string[] columns, IEnumerable<object?[]> rows)
    {
        SqliteInsert.Run((SqliteConnection)connection, table, columns, rows);
        return Task.CompletedTask;
    }

    public async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new SqliteConnection(_readers);
            connection.Open();
            connection.Run("pragma query_only = on; pragma wal_autocheckpoint = 0");
            connection.Run("begin transaction");
            try
            {
                return await work(connection);
            }
            finally
            {
                connection.Run("rollback transaction");
            }
        }
        catch (SqliteException failure)
        {
            throw new StorageException($"The store is not available: {failure.Message}", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_writer is not null) // else it was never opened, and perhaps there is no library to ask
        {
            await _writer.DisposeAsync();
            SqliteConnection.ClearPool(new SqliteConnection(_readers));
        }
    }

    // Other users of this machine need not read it. SQLite gives the files beside it the same mode.
    private void CreateForOwner()
    {
        if (OperatingSystem.IsWindows() || File.Exists(_path))
        {
            return;
        }

        try
        {
            const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            new FileStream(
                _path,
                new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    UnixCreateMode = Owner,
                }
            ).Dispose();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // SQLite says why
        }
    }

    private StorageException Damaged(string finding, Exception? inner) =>
        new(
            $"The file {_path} is damaged ({finding}). Nothing was changed. Restore a backup with: dotnet "
                + $"{typeof(SqliteDatabase).Assembly.GetName().Name}.dll restore BACKUP",
            inner
        );
}
