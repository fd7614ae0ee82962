using MinimalMcp.Tools;

namespace MinimalMcp.WellKnown;

/// <summary>Whether the server lives, can serve, and what it is.</summary>
internal static class Health
{
    public static Task GetAsync(HttpContext http) => http.Response.WriteAsJsonAsync(new
    {
        status = "healthy",
        service = Identity.Name(Of<IConfiguration>(http)),
        version = Identity.Version,
        timestamp = Of<TimeProvider>(http).GetUtcNow(),
        uptime_seconds = (long)Of<StartTime>(http).Uptime.TotalSeconds,
        tools = Of<ToolRegistry>(http).Current.All.Select(tool => tool.Name),
    });

    // Live never depends on other systems: a restart would not mend those.
    public static Task LiveAsync(HttpContext http) => http.Response.WriteAsJsonAsync(new { status = "alive" });

    public static Task ReadyAsync(HttpContext http)
    {
        var stopping = Of<IHostApplicationLifetime>(http).ApplicationStopping.IsCancellationRequested;
        http.Response.StatusCode = stopping ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        return http.Response.WriteAsJsonAsync(new { status = stopping ? "stopping" : "ready" });
    }

    public static Task StatusAsync(HttpContext http)
    {
        var configuration = Of<IConfiguration>(http);
        var tools = Of<ToolRegistry>(http).Current.All;
        return http.Response.WriteAsJsonAsync(new
        {
            status = "running",
            service = Identity.Name(configuration),
            version = Identity.Version,
            protocol = "2026-07-28",
            protocols = (string[])["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
            mode = configuration["mode"] ?? "all",
            auth = (configuration["Auth:Mode"] ?? "none").ToLowerInvariant(),
            uptime_seconds = (long)Of<StartTime>(http).Uptime.TotalSeconds,
            tools = tools.Count,
            families = tools.GroupBy(tool => tool.Family).ToDictionary(family => family.Key, family => family.Count()),
        });
    }

    private static T Of<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();
}

/// <summary>When the server came up.</summary>
internal sealed class StartTime(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    public TimeSpan Uptime => time.GetElapsedTime(_started);
}
