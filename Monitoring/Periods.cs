namespace MinimalMcp.Monitoring;

/// <summary>Time in equal parts since 1970 UTC.</summary>
internal static class Periods
{
    public static readonly TimeSpan Minute = TimeSpan.FromMinutes(1),
        TenMinutes = TimeSpan.FromMinutes(10);

    /// <summary>When the part began that the time is in.</summary>
    public static DateTimeOffset Floor(this DateTimeOffset time, TimeSpan part) =>
        new(time.UtcTicks - (time.UtcTicks % part.Ticks), TimeSpan.Zero);
}
