using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Outgoing;

/// <summary>
/// Limits of requests to upstream systems. Configuration section <c>Outgoing</c>. They apply to each upstream
/// separately.
/// </summary>
internal sealed class OutgoingOptions : IValidatableObject
{
    /// <summary>
    /// The timeout of a request, including retries, queueing and the body. Less than Tools:Deadline, so that the error
    /// names the upstream and not the tool.
    /// </summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Timeouts by upstream name.</summary>
    public Dictionary<string, TimeSpan> Deadlines { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The maximum response size after decompression.</summary>
    public long MaxResponseBytes { get; set; } = 4L << 20;

    /// <summary>Maximum response sizes by upstream name.</summary>
    public Dictionary<string, long> MaxResponseBytesOf { get; } = new(StringComparer.OrdinalIgnoreCase);

    public int MaxInFlight { get; set; } = 32;

    /// <summary>Requests that may wait in the queue; further ones are refused at once.</summary>
    public int MaxWaiting { get; set; } = 64;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IsDeadline(Deadline))
        {
            yield return new(DeadlineProblem("Outgoing:Deadline"));
        }

        foreach (var (name, deadline) in Deadlines)
        {
            if (!IsDeadline(deadline))
            {
                yield return new(DeadlineProblem($"Outgoing:Deadlines:{name}"));
            }
        }

        if (!IsSize(MaxResponseBytes))
        {
            yield return new(SizeProblem("Outgoing:MaxResponseBytes"));
        }

        foreach (var (name, bytes) in MaxResponseBytesOf)
        {
            if (!IsSize(bytes))
            {
                yield return new(SizeProblem($"Outgoing:MaxResponseBytesOf:{name}"));
            }
        }

        if (MaxInFlight is < 1 or > 10_000)
        {
            yield return new("Outgoing:MaxInFlight must be between 1 and 10000.");
        }

        if (MaxWaiting is < 0 or > 100_000)
        {
            yield return new("Outgoing:MaxWaiting must be between 0 and 100000.");
        }
    }

    private static bool IsDeadline(TimeSpan value) =>
        value >= TimeSpan.FromMilliseconds(100) && value <= TimeSpan.FromMinutes(30);

    private static bool IsSize(long bytes) => bytes is >= 1024 and <= 1L << 30;

    private static string DeadlineProblem(string setting) => $"{setting} must be between 00:00:00.1 and 00:30:00.";

    private static string SizeProblem(string setting) => $"{setting} must be between 1024 and 1073741824.";
}
