using Microsoft.Data.Sqlite;

namespace MinimalMcp.Storage;

/// <summary>Writes a consistent copy of a SQLite file while others write to it.</summary>
internal static class SqliteBackup
{
    /// <summary>The target appears when it is complete, verified and flushed to disk.</summary>
    public static void Write(string path, string target)
    {
        var part = target + ".part";
        File.Delete(part);
        try
        {
            using (var connection = Open(path, SqliteOpenMode.ReadWrite))
            {
                using var command = connection.CreateCommand();
                command.CommandText = "vacuum into $part";
                command.Parameters.AddWithValue("$part", part);
                command.ExecuteNonQuery();
            }

            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(part, File.GetUnixFileMode(path)); // it has the same secrets
            }

            using (var copy = Open(part, SqliteOpenMode.ReadOnly))
            {
                if (copy.Run("pragma quick_check(1)") is var check and not "ok")
                {
                    throw new StorageException(
                        $"The backup of {path} is damaged ({check}), and perhaps the store is: restart the server, "
                            + "which checks it."
                    );
                }
            }

            using (var file = File.Open(part, FileMode.Open, FileAccess.ReadWrite))
            {
                file.Flush(flushToDisk: true);
            }

            File.Move(part, target);
        }
        finally
        {
            File.Delete(part);
        }
    }

    public static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        _ = SqliteLibrary.Load();
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = mode,
                Pooling = false,
                DefaultTimeout = 1,
            }.ToString()
        );
        connection.Open();
        return connection;
    }
}
