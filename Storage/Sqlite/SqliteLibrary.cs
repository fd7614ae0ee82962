using System.Runtime.InteropServices;
using SQLitePCL;

namespace MinimalMcp.Storage;

/// <summary>SQLite itself, which Microsoft.Data.Sqlite brings for each platform.</summary>
internal static class SqliteLibrary
{
    private static readonly Lazy<string> Loaded = new(() =>
    {
        Batteries_V2.Init();

        // A connection is never used by two threads at once here, so it needs no lock around each of its calls.
        // Nobody reads its memory statistics. SQLite takes both settings only before its first connection
        // (sqlite.org/c3ref/config.html).
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
        return raw.sqlite3_libversion().utf8_to_string();
    });

    /// <summary>Loads the library, once in a process, and returns its version.</summary>
    public static string Load()
    {
        try
        {
            return Loaded.Value;
        }
        catch (Exception missing) when (missing is DllNotFoundException or TypeInitializationException)
        {
            var platform = RuntimeInformation.RuntimeIdentifier;
            throw new StorageException(
                $"SQLite's library for {platform} is not beside the server, which was published for another platform. "
                    + $"Publish it with --runtime {platform}, or set Storage:ConnectionString to a PostgreSQL "
                    + "database.",
                missing
            );
        }
    }
}
