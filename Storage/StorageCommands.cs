using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Storage;

/// <summary>Commands for the store. Each exits with 0 on success.</summary>
internal static class StorageCommands
{
    /// <summary><c>backup FILE</c>: writes a consistent copy, also while the server runs.</summary>
    public static Task<int> BackupAsync(this WebApplication app, string[] args) =>
        ExplainAsync(async () =>
        {
            var (path, target) = Files(app, args, "backup FILE");
            if (!File.Exists(path))
            {
                throw new StorageException(
                    $"There is no store at {path}, so nothing was backed up. Check Storage:Path."
                );
            }

            if (File.Exists(target))
            {
                throw new StorageException(
                    $"{target} already exists, and a backup does not overwrite files. Choose " + "another name."
                );
            }

            await Task.Run(() => SqliteBackup.Write(path, target));
            Console.WriteLine(
                $"The store was backed up to {target} at {DateTimeOffset.UtcNow:yyyy-MM-dd HH:mm:ss} UTC "
                    + $"({new FileInfo(target).Length:N0} bytes)."
            );
        });

    /// <summary>
    /// <c>restore FILE</c>: replaces the store with a backup. The server must be stopped; the replaced store is kept
    /// beside it.
    /// </summary>
    public static Task<int> RestoreAsync(this WebApplication app, string[] args) =>
        ExplainAsync(async () =>
        {
            var (path, source) = Files(app, args, "restore FILE");
            if (!File.Exists(source))
            {
                throw new StorageException($"The file {source} does not exist.");
            }

            await using (var backup = SqliteBackup.Open(source, SqliteOpenMode.ReadOnly))
            {
                if (
                    await backup.ExecuteScalarAsync<string>("pragma quick_check(1)") is not "ok"
                    || await backup.ExecuteScalarAsync<string>("select value from meta where name = 'schema'") is null
                )
                {
                    throw new StorageException(
                        $"{source} is damaged, or is not a backup of this server. Nothing was changed."
                    );
                }
            }

            RequireUnused(path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var incoming = path + ".incoming";
            File.Copy(source, incoming, overwrite: true);
            var kept =
                $"{path}.replaced-{DateTimeOffset.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
            foreach (var part in (string[])["", "-wal", "-shm"])
            {
                if (File.Exists(path + part))
                {
                    File.Move(path + part, kept + part);
                }
            }

            File.Move(incoming, path);
            Console.WriteLine(
                $"{path} was restored from "
                    + $"{source}.{(File.Exists(kept) ? $" The replaced store is in {kept}." : "")}"
            );
        });

    /// <summary><c>verify-audit</c>: recomputes the hash chain of the audit log.</summary>
    public static Task<int> VerifyAuditAsync(this WebApplication app) =>
        ExplainAsync(async () =>
        {
            var store = app.Services.GetRequiredService<Store>();
            await store.OpenAsync(CancellationToken.None);
            var verdict = await store.VerifyAuditAsync(CancellationToken.None);
            Console.WriteLine(
                verdict is { Problem: null, Rows: 0 } ? "The audit log is empty: there is nothing to verify."
                : verdict.Problem is null
                    ? $"The audit log is intact: {verdict.Rows} entries; the last is {verdict.Seq} {verdict.Hash}. "
                        + "Keep this line elsewhere to compare it with a later check."
                : $"The audit log was modified: {verdict.Problem}. Entries up to {verdict.Seq} are intact."
            );
            return verdict.Problem is null ? 0 : 1;
        });

    private static (string Store, string File) Files(WebApplication app, string[] args, string usage)
    {
        var options = app.Services.GetRequiredService<IOptions<StorageOptions>>().Value;
        if (options.ConnectionString is { Length: > 0 })
        {
            throw new StorageException("The store is a PostgreSQL database: use pg_dump and pg_restore.");
        }

        return args is [_, var file, ..] && !file.StartsWith("--", StringComparison.Ordinal)
            ? (options.FullPath(app.Environment), Path.GetFullPath(file))
            : throw new StorageException(
                $"usage: dotnet {typeof(StorageCommands).Assembly.GetName().Name}.dll {usage}"
            );
    }

    // Leaving WAL mode requires exclusive access, and fails while another process has the file open.
    private static void RequireUnused(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        try
        {
            using var connection = SqliteBackup.Open(path, SqliteOpenMode.ReadWrite);
            connection.Execute("pragma journal_mode = delete");
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode is 5 or 6)
        {
            throw new StorageException($"{path} is in use. Stop the server first; nothing was changed.", failure);
        }
        catch (SqliteException)
        {
            // A damaged store may be the reason for the restore.
        }
    }

    private static Task<int> ExplainAsync(Func<Task> command) =>
        ExplainAsync(async () =>
        {
            await command();
            return 0;
        });

    private static async Task<int> ExplainAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (Exception failure)
            when (failure is StorageException or SqliteException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
    }
}
