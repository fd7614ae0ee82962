using System.Data.Common;

namespace MinimalMcp.Storage;

/// <summary>
/// A database that runs our statements. What it is handed runs in one transaction: all of it is durable when the task
/// ends, or none of it.
/// </summary>
internal interface IDatabase : IAsyncDisposable
{
    /// <summary>For logs: which engine and version.</summary>
    string Description { get; }

    /// <summary>
    /// Makes what is missing. Throws <see cref="StorageException"/> when what is there is damaged or of a newer
    /// version.
    /// </summary>
    Task OpenAsync(CancellationToken cancellationToken);

    Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken);

    /// <summary>
    /// Inserts many rows, within a write, as fast as the engine can: every call of every tool is recorded, so this is
    /// most of what the store does.
    /// </summary>
    /// <param name="rows">Strings, longs and nulls in the order of the columns.</param>
    Task InsertAsync(DbConnection connection, string table, string[] columns, IEnumerable<object?[]> rows);

    /// <summary>All that the work reads is of one moment.</summary>
    Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken);
}
