using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace MinimalMcp.Storage;

/// <summary>The operating system's own SQLite, which its vendor patches. A bundled one would stay at the version of its package.</summary>
internal static class SystemSqlite
{
    private static readonly Lazy<bool> Loaded = new(() =>
    {
        var provider = new SQLite3Provider_e_sqlite3();
        NativeLibrary.SetDllImportResolver(provider.GetType().Assembly, Resolve);
        raw.SetProvider(provider);

        // A connection is never used by two threads at once here, so it needs no lock around each of its calls; nor has anybody asked for its memory statistics.
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
        _ = raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
        return true;
    });

    public static void Load()
    {
        try
        {
            _ = Loaded.Value;
            _ = raw.sqlite3_libversion();
        }
        catch (Exception missing) when (missing is DllNotFoundException or TypeInitializationException)
        {
            throw new StorageException("SQLite is missing on this machine. Install it (Debian and Ubuntu: apt-get install libsqlite3-0), or set Storage:ConnectionString to a PostgreSQL database.", missing);
        }
    }

    private static IntPtr Resolve(string library, Assembly assembly, DllImportSearchPath? path) =>
        NativeLibrary.Load(OperatingSystem.IsWindows() ? "winsqlite3" : OperatingSystem.IsMacOS() ? "libsqlite3.dylib" : "libsqlite3.so.0", assembly, path);
}
