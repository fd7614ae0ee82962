using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MinimalMcp.Storage;

/// <summary>One row of the audit, as it is stored. Times are milliseconds since 1970 UTC, durations microseconds.</summary>
public sealed class AuditRow
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    [ThreadStatic]
    private static IncrementalHash? _sha256;

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

    /// <summary>The trace (W3C Trace Context) that the call belongs to. A caller may choose it, and use it for many calls.</summary>
    public string? TraceId { get; set; }

    /// <summary>What is known of the caller, beside the subject; only in lists, and no part of the row.</summary>
    [JsonIgnore]
    public string? Person { get; set; }

    internal static readonly string[] Columns =
    [
        "seq",
        "at",
        "phase",
        "call_id",
        "subject",
        "client",
        "address",
        "surface",
        "tool",
        "level",
        "arguments",
        "outcome",
        "detail",
        "duration_us",
        "openai_subject",
        "openai_session",
        "hash",
        "trace_id",
    ];

    /// <summary>Each a string, a long or null, in the order of <see cref="Columns"/>.</summary>
    internal object?[] Values() =>
        [
            Seq,
            At,
            Phase,
            CallId,
            Subject,
            Client,
            Address,
            Surface,
            Tool,
            Level,
            Arguments,
            Outcome,
            Detail,
            DurationUs,
            OpenaiSubject,
            OpenaiSession,
            Hash,
            TraceId,
        ];

    /// <summary>The hash of the row before and of everything that this row says. As a JSON array no two rows are written alike.</summary>
    internal string HashAfter(string previous)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>(1024);
        buffer.ResetWrittenCount();
        var writer = _writer ??= new Utf8JsonWriter(buffer);
        writer.Reset(buffer);
        writer.WriteStartArray();
        writer.WriteStringValue(previous);
        writer.WriteNumberValue(Seq);
        writer.WriteNumberValue(At);
        foreach (
            var text in (ReadOnlySpan<string?>)
                [Phase, CallId, Subject, Client, Address, Surface, Tool, Level, Arguments, Outcome, Detail]
        )
        {
            writer.WriteStringValue(text);
        }

        if (DurationUs is { } duration)
        {
            writer.WriteNumberValue(duration);
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteStringValue(OpenaiSubject);
        writer.WriteStringValue(OpenaiSession);
        if (TraceId is not null)
        {
            writer.WriteStringValue(TraceId); // rows of before version 3 have none, and their hash stays what it was
        }

        writer.WriteEndArray();
        writer.Flush();
        var sha256 = _sha256 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha256.AppendData(buffer.WrittenSpan);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        sha256.GetHashAndReset(hash);
        return Convert.ToHexStringLower(hash);
    }
}

/// <summary>Which rows to read: newest first, below <paramref name="Before"/> when it is given.</summary>
public sealed record AuditFilter(
    string? Subject = null,
    string? Tool = null,
    string? Outcome = null,
    string? CallId = null,
    long? From = null,
    long? To = null,
    long? Before = null,
    int Limit = 100,
    string? TraceId = null
);

/// <summary>What a check of the chain found.</summary>
/// <param name="Problem">Null when every row is as it was written.</param>
public sealed record AuditVerdict(long Rows, long Seq, string Hash, string? Problem);
