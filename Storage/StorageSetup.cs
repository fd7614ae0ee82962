using Microsoft.Extensions.Options;

namespace MinimalMcp.Storage;

public static class StorageSetup
{
    public static IHostApplicationBuilder AddStorage(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(services =>
        {
            var options = services.GetRequiredService<IOptions<StorageOptions>>().Value;
            return new Store(options.ConnectionString is { Length: > 0 } connection
                ? new PostgresEngine(connection)
                : new SqliteEngine(Path.Combine(builder.Environment.ContentRootPath, options.Path)));
        });
        return builder;
    }
}
