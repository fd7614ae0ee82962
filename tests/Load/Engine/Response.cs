namespace MinimalMcp.Load;

/// <summary>What became of one call; NBomber's word. A failure has a reason, by which failures are counted.</summary>
internal readonly record struct Response(string? Failure, int SizeBytes, double? CustomLatencyMs)
{
    public bool IsError => Failure is not null;

    /// <param name="customLatencyMs">For a call whose latency is not its duration: a stream that is held open.</param>
    public static Response Ok(int sizeBytes = 0, double? customLatencyMs = null) =>
        new(null, sizeBytes, customLatencyMs);

    public static Response Fail(string reason) => new(reason, 0, null);
}
