using MinimalMcp.Tests.Storage;

namespace MinimalMcp.Tests.Monitoring;

/// <summary>Where a server of a test keeps its data.</summary>
public enum Engine
{
    Sqlite,
    Postgres,
}

internal static class Engines
{
    public static async Task<(string, string)[]> SettingsAsync(this Engine engine, PostgresServer postgres) =>
        engine is Engine.Postgres
            ?
            [
                ("Storage:ConnectionString", await postgres.NewDatabaseAsync()),
                ("Auth:Server:SecretKey", "kR4uW8zC2vN6qT0yB5xH9mJ3fL7pD1sG"),
            ]
            : [];
}
