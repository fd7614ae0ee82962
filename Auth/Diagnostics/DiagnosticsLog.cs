using System.Collections.Concurrent;
using System.Text.Json;

namespace MinimalMcp.Auth.Diagnostics;

/// <summary>
/// A recorded request and its response. Holds no credential and no body, and only harmless query parameters.
/// </summary>
/// <param name="Client">The client's User-Agent, which is not verified.</param>
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

/// <summary>The latest <c>initialize</c> of a client.</summary>
internal sealed record InitializedClient(DateTimeOffset Time, string Client, string Revision, string Address);

/// <summary>The latest requests for discovery and authorization, and refused MCP requests.</summary>
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

    /// <summary>Records an <c>initialize</c> request.</summary>
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
