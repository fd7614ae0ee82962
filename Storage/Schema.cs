using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace MinimalMcp.Storage;

/// <summary>Creates and migrates the tables.</summary>
internal static class Schema
{
    public const int Version = 7;

    public static void Apply(DbConnection connection, string place)
    {
        var before = Found(connection);
        if (before == Version)
        {
            return; // do not lock needlessly: other replicas are working
        }

        using var resource = typeof(Schema).Assembly.GetManifestResourceStream("MinimalMcp.Storage.schema.sql")!;
        using var reader = new StreamReader(resource);
        using var transaction = connection.BeginTransaction();
        var tables = reader.ReadToEnd();
        if (before < 3)
        {
            // It has a column more; what was in it lives for ten minutes.
            connection.Run("drop table if exists oauth_tickets");
        }

        // In SQLite only INTEGER names the number that a row has anyhow
        // (https://sqlite.org/langcreatetable.html#rowid); any other type is a second tree to write.
        connection.RunLong(
            connection is SqliteConnection
                ? tables.Replace("bigint primary key", "integer primary key", StringComparison.Ordinal)
                : tables
        );
        connection.Run($"insert into meta (name, value) values ('schema', '{Version}') on conflict (name) do nothing");
        if (before is null)
        {
            connection.Run(
                $"""
                insert into meta (name, value) values ('{Store.Subjects}', '{Version}') on conflict (name) do nothing
                """
            );
        }

        // Not "on conflict": PostgreSQL would wait there for whoever appends, who may wait for the table that was
        // locked above.
        connection.Run(
            "insert into audit_head (id, seq, hash) select 1, 0, '' where not exists (select 1 from audit_head)"
        );
        var found = Found(connection);
        if (found < Version)
        {
            // Tables that came since were made above.
            if (found < 3)
            {
                connection.Run("alter table audit add column trace_id text");
            }

            if (found is 2 or 3) // the first version had no approvals
            {
                connection.Run("alter table approvals add column preview text");
            }

            connection.Run($"update meta set value = '{Version}' where name = 'schema'");
        }
        else if (found > Version)
        {
            throw new StorageException(
                $"{place} has schema version {found}, but this server supports version {Version}. Start the server "
                    + "version that wrote it, or restore a backup."
            );
        }

        transaction.Commit();
    }

    private static int? Found(DbConnection connection)
    {
        try
        {
            return connection.Run("select value from meta where name = 'schema'") is string found
                ? int.Parse(found, CultureInfo.InvariantCulture)
                : null;
        }
        catch (DbException absent) when (absent.SqlState == "42P01" || absent is SqliteException { SqliteErrorCode: 1 })
        {
            return null; // there is no such table: nothing was made yet
        }
    }

    /// <summary>
    /// Runs a statement without parameters and gives its first value. For the start: Dapper would have to be made ready
    /// first, which takes a tenth of a second.
    /// </summary>
    public static object? Run(this DbConnection connection, string statement)
    {
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        return command.ExecuteScalar();
    }

    // A new index of a large table takes longer than any other statement may.
    private static void RunLong(this DbConnection connection, string statements)
    {
        using var command = connection.CreateCommand();
        command.CommandText = statements;
        command.CommandTimeout = PostgresDatabase.Long;
        command.ExecuteNonQuery();
    }
}
