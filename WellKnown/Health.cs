using MinimalMcp.Tools;

namespace MinimalMcp.WellKnown;

/// <summary>Whether the server lives, can serve, and what it is.</summary>
internal static class Health
{
    public static IResult Get(ToolRegistry registry, IConfiguration configuration, TimeProvider time, StartTime start) => Results.Json(new
    {
        status = "healthy",
        service = Identity.Name(configuration),
        version = Identity.Version,
        timestamp = time.GetUtcNow(),
        uptime_seconds = (long)start.Uptime.TotalSeconds,
        tools = registry.Current.All.Select(tool => tool.Name),
    });

    // Live never depends on other systems: a restart would not mend those.
    public static IResult Live() => Results.Json(new { status = "alive" });

    public static IResult Ready(IHostApplicationLifetime lifetime) => lifetime.ApplicationStopping.IsCancellationRequested
        ? Results.Json(new { status = "stopping" }, statusCode: StatusCodes.Status503ServiceUnavailable)
        : Results.Json(new { status = "ready" });

    public static IResult Status(ToolRegistry registry, IConfiguration configuration, StartTime start) => Results.Json(new
    {
        status = "running",
        service = Identity.Name(configuration),
        version = Identity.Version,
        protocol = "2026-07-28",
        protocols = (string[])["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        mode = configuration["mode"] ?? "all",
        auth = configuration["Auth:Mode"] ?? "none",
        uptime_seconds = (long)start.Uptime.TotalSeconds,
        tools = registry.Current.All.Count,
        families = registry.Current.All.GroupBy(tool => tool.Family).ToDictionary(family => family.Key, family => family.Count()),
    });
}

/// <summary>When the server came up.</summary>
internal sealed class StartTime(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    public TimeSpan Uptime => time.GetElapsedTime(_started);
}
