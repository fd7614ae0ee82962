using System.Data.Common;

namespace MinimalMcp.Storage;

/// <summary>
/// A database for the store's statements. A write runs in one transaction: all of it is durable when the task
/// completes, or none of it.
/// </summary>
internal interface IDatabase : IAsyncDisposable
{
    /// <summary>The database and its version, for logs.</summary>
    string Description { get; }

    /// <summary>
    /// Creates missing tables. Throws <see cref="StorageException"/> when the database is damaged or of a newer
    /// version.
    /// </summary>
    Task OpenAsync(CancellationToken cancellationToken);

    Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken);

    /// <summary>
    /// Inserts many rows within a write, as fast as the database can: audit entries are most of the store's work.
    /// </summary>
    /// <param name="rows">Strings, longs and nulls in the order of the columns.</param>
    Task InsertAsync(DbConnection connection, string table, string[] columns, IEnumerable<object?[]> rows);

    /// <summary>Reads from one consistent snapshot.</summary>
    Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken);
}
