using System.Security.Cryptography;
using System.Text.Json;

namespace MinimalMcp.Storage;

/// <summary>One row of the audit, as it is stored. Times are milliseconds since 1970 UTC, durations microseconds.</summary>
public sealed class AuditRow
{
    public long Seq { get; set; }

    public long At { get; set; }

    /// <summary>intent, outcome or done.</summary>
    public string Phase { get; set; } = "";

    public string CallId { get; set; } = "";

    public string Subject { get; set; } = "";

    public string? Client { get; set; }

    public string? Address { get; set; }

    public string Surface { get; set; } = "";

    public string Tool { get; set; } = "";

    public string Level { get; set; } = "";

    public string? Arguments { get; set; }

    public string Outcome { get; set; } = "";

    public string? Detail { get; set; }

    public long? DurationUs { get; set; }

    public string? OpenaiSubject { get; set; }

    public string? OpenaiSession { get; set; }

    public string Hash { get; set; } = "";

    /// <summary>The hash of the row before and of everything that this row says. As a JSON array no two rows are written alike.</summary>
    internal string HashAfter(string previous) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new object?[]
    {
        previous, Seq, At, Phase, CallId, Subject, Client, Address, Surface, Tool, Level, Arguments, Outcome, Detail, DurationUs, OpenaiSubject, OpenaiSession,
    })));
}

/// <summary>Which rows to read: newest first, below <paramref name="Before"/> when it is given.</summary>
public sealed record AuditFilter(string? Subject = null, string? Tool = null, string? Outcome = null, string? CallId = null, long? From = null, long? To = null, long? Before = null, int Limit = 100);

/// <summary>What a check of the chain found.</summary>
/// <param name="Problem">Null when every row is as it was written.</param>
public sealed record AuditVerdict(long Rows, long Seq, string Hash, string? Problem);
