namespace MinimalMcp.Tests.Auth.Server;

/// <summary>The real clock, set forward when a test says so.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Volatile.Read(ref _ticks));

    public override long GetTimestamp() =>
        base.GetTimestamp() + (Volatile.Read(ref _ticks) * (TimestampFrequency / TimeSpan.TicksPerSecond));

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
