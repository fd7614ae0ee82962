using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace MinimalMcp.Storage;

/// <summary>Something to write in a transaction that others share, and whoever waits for it.</summary>
internal abstract class SqliteWrite
{
    public abstract bool TryRun(DbConnection connection);

    public abstract void Complete();

    public abstract void Fail(Exception failure);
}

internal sealed class SqliteWrite<T>(Func<DbConnection, Task<T>> work) : SqliteWrite
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private Exception? _failure;

    public Task<T> Task => _done.Task;

    public override bool TryRun(DbConnection connection)
    {
        try
        {
            _result = work(connection).GetAwaiter().GetResult(); // SQLite does everything on the calling thread
            return true;
        }
        // a constraint concerns this work; a full disk all of them
        catch (SqliteException failure) when (failure.SqliteErrorCode is not 19)
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
