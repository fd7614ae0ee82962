using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Storage;

/// <summary>
/// Writes a daily backup of the SQLite file, after 3 a.m. local time or as soon as the server runs again, and keeps the
/// newest ones. The folder shows whether the day has one, so a restart creates no duplicate.
/// </summary>
internal sealed partial class NightlyBackup(
    Store store,
    IOptions<StorageOptions> options,
    IHostEnvironment environment,
    TimeProvider time,
    ILogger<NightlyBackup> logger
) : BackgroundService
{
    private static readonly TimeSpan Night = TimeSpan.FromHours(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(30), time);
        do
        {
            try
            {
                await store.CheckAsync(stoppingToken); // the store may not be open yet
                await Task.Run(BackUp, stoppingToken);
            }
            catch (Exception failure)
                when (failure is StorageException or SqliteException or IOException or UnauthorizedAccessException)
            {
                LogFailed(logger, failure, options.Value.BackupPath!);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void BackUp()
    {
        var path = options.Value.FullPath(environment);
        var folder = Directory.CreateDirectory(Path.Combine(environment.ContentRootPath, options.Value.BackupPath!));
        var name = Path.GetFileNameWithoutExtension(path);
        var target = Path.Combine(
            folder.FullName,
            $"{name}-{(time.GetLocalNow() - Night).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.db"
        );
        if (File.Exists(target))
        {
            return;
        }

        SqliteBackup.Write(path, target);
        LogMade(logger, target);
        foreach (
            var old in folder
                .GetFiles($"{name}-????-??-??.db")
                .OrderByDescending(file => file.Name, StringComparer.Ordinal)
                .Skip(options.Value.BackupKeep)
        )
        {
            old.Delete();
        }
    }

    [LoggerMessage(LogLevel.Information, "Store backed up {File}")]
    private static partial void LogMade(ILogger logger, string file);

    [LoggerMessage(LogLevel.Error, "Store backup failed and will be retried in half an hour {Folder}")]
    private static partial void LogFailed(ILogger logger, Exception failure, string folder);
}
