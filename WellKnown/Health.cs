using MinimalMcp.Configuration;
using MinimalMcp.Storage;
using MinimalMcp.Tools;

namespace MinimalMcp.WellKnown;

/// <summary>Health endpoints: liveness, readiness, and the status of the server.</summary>
internal static class Health
{
    public static Task GetAsync(HttpContext http) =>
        http.Response.WriteAsJsonAsync(
            new
            {
                status = "healthy",
                service = ServerIdentity.Name(Of<IConfiguration>(http)),
                version = ServerIdentity.VersionOf(Of<IConfiguration>(http)),
                timestamp = Of<TimeProvider>(http).GetUtcNow(),
                uptime_seconds = (long)Of<StartTime>(http).Uptime.TotalSeconds,
                tools = Of<ToolRegistry>(http).Current.All.Select(tool => tool.Name),
            }
        );

    // Liveness never depends on upstreams: a restart would not fix them.
    public static Task LiveAsync(HttpContext http) => http.Response.WriteAsJsonAsync(new { status = "alive" });

    public static async Task ReadyAsync(HttpContext http)
    {
        var status =
            Of<IHostApplicationLifetime>(http).ApplicationStopping.IsCancellationRequested ? "stopping"
            : await CanStoreAsync(http) ? "ready"
            : "the store cannot be written";
        http.Response.StatusCode =
            status == "ready" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await http.Response.WriteAsJsonAsync(new { status });
    }

    private static async Task<bool> CanStoreAsync(HttpContext http)
    {
        try
        {
            await Of<Store>(http).CheckAsync(http.RequestAborted);
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    public static Task StatusAsync(HttpContext http)
    {
        var configuration = Of<IConfiguration>(http);
        var tools = Of<ToolRegistry>(http).Current.All;
        var status = new Dictionary<string, object>
        {
            ["status"] = "running",
            ["service"] = ServerIdentity.Name(configuration),
            ["version"] = ServerIdentity.VersionOf(configuration),
            ["protocol"] = "2026-07-28",
            ["protocols"] = (string[])["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
            ["mode"] = configuration["mode"] ?? "all",
            ["auth"] = (configuration["Auth:Mode"] ?? "none").ToLowerInvariant(),
            ["uptime_seconds"] = (long)Of<StartTime>(http).Uptime.TotalSeconds,
            ["tools"] = tools.Count,
            ["families"] = tools
                .GroupBy(tool => tool.Family)
                .ToDictionary(family => family.Key, family => family.Count()),
        };
        foreach (var (name, value) in http.RequestServices.GetServices<IStatusFigures>().SelectMany(one => one.Read()))
        {
            status[name] = value;
        }

        status["memory_usage_mb"] = Math.Round(Environment.WorkingSet / (1024d * 1024d), 1);
        status["cpu_usage_percent"] = Of<CpuUsage>(http).Percent();
        return http.Response.WriteAsJsonAsync(status);
    }

    private static T Of<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();
}

/// <summary>The start time of the server.</summary>
internal sealed class StartTime(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    public TimeSpan Uptime => time.GetElapsedTime(_started);
}
