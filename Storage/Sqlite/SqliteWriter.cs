using System.Data.Common;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace MinimalMcp.Storage;

/// <summary>
/// All writes go through one connection on one thread, which commits what has gathered meanwhile in one transaction:
/// many callers share one flush to the disk. Several writers would starve each other, and before 3.51.3 could corrupt
/// the file when two of them restart the write-ahead log (https://sqlite.org/wal.html#walresetbug).
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MaxBatch = 256;

    private readonly Channel<SqliteWrite> _queue = Channel.CreateBounded<SqliteWrite>(
        new BoundedChannelOptions(1024) { SingleReader = true }
    );
    private readonly List<SqliteWrite> _batch = new(MaxBatch);
    private readonly SqliteConnection _connection;
    private readonly Thread _thread;

    /// <param name="connection">Belongs to this from now on; opened before the start.</param>
    public SqliteWriter(SqliteConnection connection)
    {
        _connection = connection;
        _thread = new Thread(Write) { IsBackground = true, Name = "SQLite writer" };
    }

    public void Start() => _thread.Start();

    public async Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        var item = new SqliteWrite<T>(work);
        try
        {
            await _queue.Writer.WriteAsync(item, cancellationToken);
        }
        catch (ChannelClosedException closed)
        {
            throw new StorageException("The store is closed, because the server ends.", closed);
        }

        return await item.Task; // once queued it happens; whoever stopped waiting would not know
    }

    /// <summary>What is queued is written first.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        if (_thread.IsAlive)
        {
            await Task.Run(_thread.Join);
        }

        await _connection.DisposeAsync();
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
                _connection.Run("begin immediate");
                foreach (var work in _batch)
                {
                    // One that fails takes back what it did, and nothing of the others.
                    _connection.Run("savepoint work");
                    if (!work.TryRun(_connection))
                    {
                        _connection.Run("rollback to work");
                    }

                    _connection.Run("release work");
                }

                _connection.Run("commit transaction");
                _batch.ForEach(work => work.Complete());
            }
            catch (Exception failure)
            {
                TryRollBack();

                // Whoever queued meanwhile would only wait for the same answer.
                while (_queue.Reader.TryRead(out var work))
                {
                    _batch.Add(work);
                }

                var unavailable = new StorageException($"The store is not available: {failure.Message}", failure);
                _batch.ForEach(work => work.Fail(unavailable));
            }

            _batch.Clear();
        }
    }

    // SQLite has done it already after some errors, a full disk among them.
    private void TryRollBack()
    {
        try
        {
            _connection.Run("rollback transaction");
        }
        catch (SqliteException) { }
    }
}
