using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MinimalMcp.Storage;

/// <summary>An audit entry as it is stored. Times are milliseconds since 1970 UTC, durations microseconds.</summary>
internal sealed class AuditEntry
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

    /// <summary>
    /// The trace of the call (W3C Trace Context). The caller may choose it, and use it for many calls.
    /// </summary>
    public string? TraceId { get; set; }

    /// <summary>The caller's name and email, if known; only in lists, and not part of the entry.</summary>
    [JsonIgnore]
    public string? Person { get; set; }

    /// <summary>Which kind of event the entry is; only where events are read, and not part of the entry.</summary>
    [JsonIgnore]
    public string? Kind { get; set; }

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

    /// <summary>The values, in the order of <see cref="Columns"/>: strings, longs or nulls.</summary>
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

    /// <summary>
    /// The hash of the previous hash and all values. As a JSON array, no two entries serialize equally.
    /// </summary>
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
            // entries before schema version 3 have none, and their hashes must not change
            writer.WriteStringValue(TraceId);
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

/// <summary>Selects entries: newest first, below <paramref name="Before"/> when it is given.</summary>
internal sealed record AuditFilter(
    string? Subject = null,
    string? Tool = null,
    string? Outcome = null,
    string? CallId = null,
    long? From = null,
    long? To = null,
    long? Before = null,
    int Limit = 100,
    string? TraceId = null,
    string? Surface = null,
    string? Level = null
)
{
    /// <summary>Only entries above this number, the oldest of them; still newest first.</summary>
    public long? After { get; init; }

    /// <summary>Only entries that are events of this kind: any, or one of <see cref="Store.ActivityKinds"/>.</summary>
    public string? Kind { get; init; }

    /// <summary>Only entries about the registered server of this name.</summary>
    public string? Server { get; init; }

    /// <summary>The id of that server, where an entry has only it.</summary>
    public string? ServerId { get; init; }
}

/// <summary>The result of verifying the chain.</summary>
/// <param name="Problem">Null when the chain is intact.</param>
internal sealed record AuditVerification(long Rows, long Seq, string Hash, string? Problem);
