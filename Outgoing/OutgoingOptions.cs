using System.ComponentModel.DataAnnotations;

namespace MinimalMcp.Outgoing;

/// <summary>Limits of every request to another system; configuration section <c>Outgoing</c>. They count for each system on its own.</summary>
public sealed class OutgoingOptions : IValidatableObject
{
    /// <summary>Retries, waiting and the whole answer included. Below Tools:Deadline, so that the sentence names the system and not the tool.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>By the name of the system, for one that needs longer or less.</summary>
    public Dictionary<string, TimeSpan> Deadlines { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Of an answer, after decompression.</summary>
    public long MaxResponseBytes { get; set; } = 4L << 20;

    /// <summary>By the name of the system.</summary>
    public Dictionary<string, long> MaxResponseBytesOf { get; } = new(StringComparer.OrdinalIgnoreCase);

    public int MaxInFlight { get; set; } = 32;

    /// <summary>Requests that wait for their turn; further ones are refused at once.</summary>
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
            yield return new("Outgoing:MaxInFlight must be from 1 to 10000.");
        }

        if (MaxWaiting is < 0 or > 100_000)
        {
            yield return new("Outgoing:MaxWaiting must be from 0 to 100000.");
        }
    }

    private static bool IsDeadline(TimeSpan value) =>
        value >= TimeSpan.FromMilliseconds(100) && value <= TimeSpan.FromMinutes(30);

    private static bool IsSize(long bytes) => bytes is >= 1024 and <= 1L << 30;

    private static string DeadlineProblem(string setting) => $"{setting} must be from 00:00:00.1 to 00:30:00.";

    private static string SizeProblem(string setting) => $"{setting} must be from 1024 to 1073741824.";
}
