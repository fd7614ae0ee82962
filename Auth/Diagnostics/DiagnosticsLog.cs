using System.Collections.Concurrent;
using System.Text.Json;

namespace MinimalMcp.Auth.Diagnostics;

/// <summary>
/// One request and what became of it. Nothing in it opens anything: no credential, no body, and of the address only
/// what is harmless.
/// </summary>
/// <param name="Client">What the client calls itself; anybody can write it.</param>
internal sealed record DiagnosticsEntry(
    DateTimeOffset Time,
    string Method,
    string Path,
    int Status,
    double Milliseconds,
    string Client,
    string Address,
    string Verdict
);

/// <summary>The last time that a client said hello.</summary>
internal sealed record InitializedClient(DateTimeOffset Time, string Client, string Revision, string Address);

/// <summary>The last exchanges of discovery and authorization, and those of MCP that were refused.</summary>
internal sealed class DiagnosticsLog(TimeProvider time)
{
    public const int Size = 200;

    private const int MaxClients = 50;

    private readonly DiagnosticsEntry?[] _ring = new DiagnosticsEntry?[Size];
    private readonly ConcurrentDictionary<string, InitializedClient> _greetings = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _count;

    public void Add(DiagnosticsEntry exchange)
    {
        lock (_lock)
        {
            _ring[_count++ % Size] = exchange;
        }
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<DiagnosticsEntry> Entries
    {
        get
        {
            lock (_lock)
            {
                return
                [
                    .. Enumerable.Range(1, (int)Math.Min(_count, Size)).Select(back => _ring[(_count - back) % Size]!),
                ];
            }
        }
    }

    public IReadOnlyList<InitializedClient> InitializedClients =>
        [.. _greetings.Values.OrderByDescending(greeting => greeting.Time)];

    /// <summary>A client said <c>initialize</c>.</summary>
    public void RecordInitialize(HttpContext http, JsonElement clientInfo, string revision)
    {
        var client = RedactedRequest.Text(
            clientInfo.ValueKind is JsonValueKind.Object
                ? $"{Member(clientInfo, "name"u8)} {Member(clientInfo, "version"u8)}".Trim()
                : "",
            100
        );
        _greetings[client] = new(time.GetUtcNow(), client, revision, RedactedRequest.Address(http));
        if (_greetings.Count > MaxClients && _greetings.Values.MinBy(greeting => greeting.Time) is { } oldest)
        {
            _greetings.TryRemove(oldest.Client, out _);
        }
    }

    private static string? Member(JsonElement info, ReadOnlySpan<byte> name) =>
        info.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
