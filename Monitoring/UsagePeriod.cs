using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using MinimalMcp.Governance;

namespace MinimalMcp.Monitoring;

/// <summary>
/// The figures of one period: calls by tool and by client, sign-ins by outcome, and what the process used.
/// </summary>
internal sealed class UsagePeriod(DateTimeOffset at)
{
    private const int MaxTools = 300,
        MaxClients = 100;

    /// <summary>When it began.</summary>
    public DateTimeOffset At => at;

    public UsageTable Tools { get; } = new(MaxTools);

    public UsageTable Clients { get; } = new(MaxClients);

    /// <summary>By the outcome in <c>mcp_auth_attempts_total</c>.</summary>
    public Dictionary<string, long> SignIns { get; } = new(StringComparer.Ordinal);

    public ProcessUse? Process { get; set; }

    public void Add(UsagePeriod other)
    {
        Tools.Add(other.Tools);
        Clients.Add(other.Clients);
        foreach (var (outcome, count) in other.SignIns)
        {
            SignIns[outcome] = SignIns.GetValueOrDefault(outcome) + count;
        }

        Process = other.Process ?? Process;
    }

    public string ToJson() =>
        new JsonObject
        {
            ["tools"] = Tools.ToJson(),
            ["clients"] = Clients.ToJson(),
            ["sign_ins"] = new JsonObject(
                SignIns.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value)))
            ),
            ["process"] = Process is { } use
                ? new JsonArray(use.MemoryBytes, use.CpuPercent, use.Threads, use.Sessions)
                : null,
        }.ToJsonString();

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    public static UsagePeriod Parse(DateTimeOffset at, string json)
    {
        var period = new UsagePeriod(at);
        var root = JsonElement.Parse(json);
        period.Tools.Add(root.GetProperty("tools"u8));
        period.Clients.Add(root.GetProperty("clients"u8));
        foreach (var outcome in root.GetProperty("sign_ins"u8).EnumerateObject())
        {
            period.SignIns[outcome.Name] = outcome.Value.GetInt64();
        }

        var use = root.GetProperty("process"u8);
        if (use.ValueKind is JsonValueKind.Array)
        {
            period.Process = new(use[0].GetInt64(), use[1].GetDouble(), use[2].GetInt32(), use[3].GetInt64());
        }

        return period;
    }
}

/// <param name="CpuPercent">Of all processors, since the report before.</param>
internal sealed record ProcessUse(long MemoryBytes, double CpuPercent, int Threads, long Sessions);

/// <summary>
/// Counts of calls by name. Names come from callers and other servers, so there are only so many; the rest are counted
/// as <see cref="Other"/>.
/// </summary>
internal sealed class UsageTable(int max)
{
    public const string Other = "other";

    private readonly ConcurrentDictionary<string, UsageCount> _counts = new(StringComparer.Ordinal);

    public IEnumerable<KeyValuePair<string, UsageCount>> All => _counts;

    /// <summary>On the path of each call.</summary>
    public UsageCount Of(string name, string family = "", string server = "") =>
        _counts.TryGetValue(name, out var known) ? known : Add(name, family, server);

    public void Add(UsageTable other)
    {
        foreach (var (name, count) in other._counts)
        {
            Of(name, count.Family, count.Server).Add(count);
        }
    }

    public JsonArray ToJson() =>
        new([
            .. _counts.Select(pair => new JsonArray(
                pair.Key,
                pair.Value.Family,
                pair.Value.Server,
                pair.Value.Errors,
                pair.Value.Refusals,
                pair.Value.Durations.ToString()
            )),
        ]);

    public void Add(JsonElement rows)
    {
        foreach (var row in rows.EnumerateArray())
        {
            Of(row[0].GetString()!, row[1].GetString()!, row[2].GetString()!)
                .Add(row[3].GetInt64(), row[4].GetInt64(), row[5].GetString());
        }
    }

    private UsageCount Add(string name, string family, string server) =>
        _counts.Count < max || name == Other
            ? _counts.GetOrAdd(TextLimit.Cut(name, TextLimit.Name), _ => new(family, server))
            : _counts.GetOrAdd(Other, _ => new("", ""));
}

/// <summary>Calls, and how long they took.</summary>
internal sealed class UsageCount(string family, string server)
{
    private long _errors;
    private long _refusals;

    public string Family => family;

    public string Server => server;

    public long Calls => Durations.Count;

    public long Errors => Volatile.Read(ref _errors);

    public long Refusals => Volatile.Read(ref _refusals);

    public DurationHistogram Durations { get; } = new();

    /// <summary>On the path of each call.</summary>
    /// <param name="outcome">The outcome in the audit log.</param>
    public void Record(string outcome, long microseconds)
    {
        Durations.Record(microseconds);
        if (outcome is "failed" or "cancelled")
        {
            Interlocked.Increment(ref _errors);
        }
        else if (outcome.StartsWith("refused", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _refusals);
        }
    }

    public void Add(UsageCount other)
    {
        _errors += other.Errors;
        _refusals += other.Refusals;
        Durations.Add(other.Durations);
    }

    public void Add(long errors, long refusals, ReadOnlySpan<char> durations)
    {
        _errors += errors;
        _refusals += refusals;
        Durations.Add(durations);
    }
}
