using System.Threading.RateLimiting;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using MinimalMcp.Configuration;

namespace MinimalMcp.Storage;

/// <summary>Where the server keeps its data.</summary>
public static class StorageSetup
{
    /// <summary>Adds the store: SQLite, or PostgreSQL when <c>Storage:ConnectionString</c> is set.</summary>
    public static IHostApplicationBuilder AddStorage(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<StorageOptions>("Storage");
        builder.Services.AddHostedService<StorageStartup>();
        builder.Services.AddSingleton(services =>
        {
            var options = services.GetRequiredService<IOptions<StorageOptions>>().Value;
            return new Store(
                options.ConnectionString is { Length: > 0 } connection
                    ? new PostgresDatabase(connection, services.GetRequiredService<ILogger<Store>>())
                    : new SqliteDatabase(options.FullPath(builder.Environment))
            );
        });

        // Families know these by the framework's names only.
        builder.Services.AddSingleton<IDistributedCache, StoreCache>();
        if (builder.Configuration["Storage:ConnectionString"] is { Length: > 0 })
        {
            builder.Services.AddSingleton<PartitionedRateLimiter<string>, StoreLocks>();
        }

        if (builder.Configuration["Storage:BackupPath"] is { Length: > 0 })
        {
            builder.Services.AddHostedService<NightlyBackup>();
        }

        return builder;
    }
}
