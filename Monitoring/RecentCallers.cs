using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using MinimalMcp.Auth;
using MinimalMcp.Governance;

namespace MinimalMcp.Monitoring;

/// <summary>
/// Callers without a session: those of the revision that has none, and of REST and function calling. Kept for 30
/// minutes after their last call, and never more than <see cref="Most"/>: then the oldest go.
/// </summary>
internal sealed class RecentCallers(TimeProvider time)
{
    public const int Most = 10_000;

    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(30);

    private readonly ConcurrentDictionary<Key, RecentCaller> _callers = new();
    private readonly Lock _adding = new();

    public IReadOnlyList<RecentCaller> Read()
    {
        Forget(time.GetUtcNow() - Kept);
        return [.. _callers.Values];
    }

    /// <summary>On the path of each call.</summary>
    public void Seen(in EndedCall ended)
    {
        var call = ended.Call;
        if (IsInSession(call))
        {
            return;
        }

        var key = new Key(call.Caller.Subject, call.Caller.Client, call.Surface, call.ProtocolVersion);
        (_callers.TryGetValue(key, out var known) ? known : Add(key, ended)).Count(ended);
    }

    // Requests of older revisions that name a session have one, or were refused.
    private static bool IsInSession(ToolCall call) =>
        call.Surface is "sse"
        || (call.Origin.HasSession && call.Surface is "http" or "mcp" && call.ProtocolVersion is not "2026-07-28");

    private RecentCaller Add(Key key, in EndedCall ended)
    {
        var caller = new RecentCaller(key.Id(), ended);
        lock (_adding)
        {
            if (_callers.Count >= Most)
            {
                // A tenth at once, so that the next ones cost nothing.
                var times = _callers.Values.Select(one => one.Last).Order().ToArray();
                Forget(DateTimeOffset.FromUnixTimeMilliseconds(times[times.Length / 10]));
            }

            return _callers.GetOrAdd(key, caller);
        }
    }

    private void Forget(DateTimeOffset until)
    {
        foreach (var (key, caller) in _callers)
        {
            if (caller.Last <= until.ToUnixTimeMilliseconds())
            {
                _callers.TryRemove(key, out _);
            }
        }
    }

    private readonly record struct Key(string Subject, string? Client, string Surface, string? Revision)
    {
        /// <summary>The same on each replica and after each start.</summary>
        public string Id() =>
            "caller-"
            + Convert.ToHexStringLower(
                SHA256.HashData(Encoding.UTF8.GetBytes($"{Subject}\n{Client}\n{Surface}\n{Revision}")).AsSpan(0, 8)
            );
    }
}

/// <summary>A caller without a session.</summary>
internal sealed class RecentCaller
{
    private long _last;
    private long _calls;
    private volatile bool _isChatGpt;

    public RecentCaller(string id, in EndedCall call)
    {
        var made = call.Call;
        (Id, Caller, Surface, Revision, First) = (id, made.Caller, made.Surface, made.ProtocolVersion, call.At);
        (_last, ClientInfo) = (call.At, made.ClientInfo);
    }

    public string Id { get; }

    public Caller Caller { get; }

    public string Surface { get; }

    public string? Revision { get; }

    public (string Name, string Version)? ClientInfo { get; }

    /// <summary>In milliseconds since 1970 UTC.</summary>
    public long First { get; }

    public long Last => Volatile.Read(ref _last);

    public long Calls => Volatile.Read(ref _calls);

    /// <summary>A call had ChatGPT's ids of its user or conversation.</summary>
    public bool IsChatGpt => _isChatGpt;

    public void Count(in EndedCall call)
    {
        Interlocked.Increment(ref _calls);
        Volatile.Write(ref _last, call.At);
        if (!_isChatGpt && (call.Call.OpenAiSubject ?? call.Call.OpenAiSession) is not null)
        {
            _isChatGpt = true;
        }
    }
}
