using System.Data.Common;
using System.Threading.Channels;
using Dapper;
using Microsoft.Data.Sqlite;

namespace MinimalMcp.Storage;

/// <summary>
/// SQLite with one writer. All writes go through one connection on one thread, which commits what has gathered meanwhile in one
/// transaction: many callers share one flush to the disk. Several writers would starve each other, and before 3.51.3 could corrupt the file
/// when two of them restart the write-ahead log (https://sqlite.org/wal.html#walresetbug).
/// </summary>
internal sealed class SqliteEngine : IEngine
{
    private const int MaxBatch = 256;

    private readonly string _path;
    private readonly string _readers;
    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(1024) { SingleReader = true });
    private readonly Thread _thread;
    private readonly List<Work> _batch = new(MaxBatch);
    private SqliteConnection? _writer;

    public SqliteEngine(string path)
    {
        _path = path;
        // One second, after which the caller is told: SQLite would otherwise block for thirty while another process holds the file.
        _readers = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 1, Pooling = true }.ToString();
        _thread = new Thread(Write) { IsBackground = true, Name = "SQLite writer" };
    }

    public string Description { get; private set; } = "SQLite";

    public Task OpenAsync(CancellationToken cancellationToken)
    {
        SystemSqlite.Load();
        Description = $"SQLite {SQLitePCL.raw.sqlite3_libversion().utf8_to_string()} in {_path}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            _writer = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _path, DefaultTimeout = 1, Pooling = false }.ToString());
            _writer.Open();
            if (_writer.ExecuteScalar<string>("pragma quick_check(1)") is var check and not "ok")
            {
                throw Damaged(check ?? "no answer", null);
            }

            _writer.Execute("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;");
            Schema.Apply(_writer, $"the file {_path}");
        }
        catch (SqliteException failure)
        {
            // 11 and 26: the file is not a database any more. Everything else may pass.
            throw failure.SqliteErrorCode is 11 or 26 ? Damaged(failure.Message, failure)
                : new StorageException($"The file {_path} cannot be opened ({failure.Message}). Check that this user may write there and that nothing else holds it, or set Storage:Path.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"The folder of {_path} cannot be made ({failure.Message}). Set Storage:Path to a place that this user may write to.", failure);
        }

        _thread.Start();
        return Task.CompletedTask;
    }

    public async Task<T> WriteAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        var item = new Work<T>(work);
        await _queue.Writer.WriteAsync(item, cancellationToken);
        return await item.Task; // once queued it happens; whoever stopped waiting would not know
    }

    public async Task<T> ReadAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new SqliteConnection(_readers);
            connection.Open();
            connection.Execute("pragma query_only = on; pragma wal_autocheckpoint = 0");
            await using var moment = connection.BeginTransaction(deferred: true);
            return await work(connection, moment);
        }
        catch (SqliteException failure)
        {
            throw Unavailable(failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        if (_thread.IsAlive)
        {
            await Task.Run(_thread.Join); // what is queued is written first
        }

        _writer?.Dispose();
        SqliteConnection.ClearPool(new SqliteConnection(_readers));
    }

    private void Write()
    {
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_batch.Count < MaxBatch && _queue.Reader.TryRead(out var work))
            {
                _batch.Add(work);
            }

            try
            {
                using var transaction = _writer!.BeginTransaction(deferred: false);
                foreach (var work in _batch)
                {
                    // One that fails takes back what it did, and nothing of the others.
                    transaction.Save("work");
                    if (!work.TryRun(_writer, transaction))
                    {
                        transaction.Rollback("work");
                    }

                    transaction.Release("work");
                }

                transaction.Commit();
                _batch.ForEach(work => work.Complete());
            }
            catch (Exception failure)
            {
                // Whoever queued meanwhile would only wait for the same answer.
                while (_queue.Reader.TryRead(out var work))
                {
                    _batch.Add(work);
                }

                var unavailable = Unavailable(failure);
                _batch.ForEach(work => work.Fail(unavailable));
            }

            _batch.Clear();
        }
    }

    private static StorageException Unavailable(Exception failure) => new($"The store is not available: {failure.Message}", failure);

    private StorageException Damaged(string finding, Exception? inner) => new(
        $"The file {_path} is damaged ({finding}). Nothing was changed. Restore a backup with: dotnet MinimalMcp.dll restore BACKUP", inner);

    private abstract class Work
    {
        public abstract bool TryRun(DbConnection connection, DbTransaction transaction);

        public abstract void Complete();

        public abstract void Fail(Exception failure);
    }

    private sealed class Work<T>(Func<DbConnection, DbTransaction, Task<T>> work) : Work
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _failure;

        public Task<T> Task => _done.Task;

        public override bool TryRun(DbConnection connection, DbTransaction transaction)
        {
            try
            {
                _result = work(connection, transaction).GetAwaiter().GetResult(); // SQLite does everything on the calling thread
                return true;
            }
            catch (SqliteException failure) when (failure.SqliteErrorCode is not 19) // a constraint concerns this work; a full disk all of them
            {
                throw;
            }
            catch (Exception failure)
            {
                _failure = failure;
                return false;
            }
        }

        public override void Complete()
        {
            if (_failure is null)
            {
                _done.TrySetResult(_result!);
            }
            else
            {
                _done.TrySetException(_failure);
            }
        }

        public override void Fail(Exception failure) => _done.TrySetException(_failure ?? failure);
    }
}
