using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using MinimalMcp.Storage;

namespace MinimalMcp.Governance;

/// <summary>
/// Audit entries of what happens beside calls: sessions, sign-ins, failures of servers. Callers can cause any number of
/// them, so only the first of a kind in each minute are written one by one, and the others as one entry with their
/// number. Whoever adds one never waits.
/// </summary>
internal sealed class EventLog(AuditLog audit, TimeProvider time) : BackgroundService
{
    /// <summary>The kinds, as the audit log's column <c>tool</c> has them.</summary>
    public const string SessionCreated = "sessions/create",
        SessionEnded = "sessions/end",
        SignIn = "sign_in",
        ServerError = "servers/error";

    private const int MaxWaiting = 1_000;

    private readonly Channel<AuditEntry> _queue = Channel.CreateBounded<AuditEntry>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true }
    );
    private readonly Dictionary<(string Kind, string Outcome), int> _counts = [];
    private readonly Lock _lock = new();
    private long _minute;

    /// <param name="about">Details by name. Untrusted texts are truncated here.</param>
    /// <param name="by">Whose action it was; null when it was the server's own.</param>
    /// <param name="outcome">One of few: each is counted by itself.</param>
    public void Add(
        string kind,
        string outcome,
        ReadOnlySpan<(string Name, string? Value)> about,
        (string Subject, string? Client)? by = null,
        string? address = null,
        string? detail = null
    )
    {
        if (!audit.IsOn)
        {
            return;
        }

        lock (_lock)
        {
            CountMinute();
            var count = _counts.GetValueOrDefault((kind, outcome)) + 1;
            _counts[(kind, outcome)] = count;
            if (count > LimitOf(outcome))
            {
                return;
            }
        }

        var json = new JsonObject();
        foreach (var (name, value) in about)
        {
            if (value is { Length: > 0 })
            {
                json[name] = TextLimit.Cut(value, TextLimit.Name);
            }
        }

        var entry = Entry(kind, outcome, json, detail is null ? null : TextLimit.Cut(detail, TextLimit.Detail));
        if (by is var (subject, client))
        {
            entry.Subject = TextLimit.Cut(subject, TextLimit.Name);
            entry.Client = client is null ? null : TextLimit.Cut(client, TextLimit.Name);
        }

        entry.Address = address;
        if (!_queue.Writer.TryWrite(entry))
        {
            LeaveOut(kind, outcome);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        var minutes = CountMinutesAsync(timer);
        try
        {
            await foreach (var entry in _queue.Reader.ReadAllAsync(stoppingToken))
            {
                await audit.WriteSoonAsync(entry);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops. What waits is written, as long as the audit log takes it.
            while (_queue.Reader.TryRead(out var entry))
            {
                await audit.WriteSoonAsync(entry);
            }
        }

        timer.Dispose();
        await minutes;
    }

    private async Task CountMinutesAsync(PeriodicTimer timer)
    {
        while (await timer.WaitForNextTickAsync())
        {
            lock (_lock)
            {
                CountMinute();
            }
        }
    }

    // Those that did not fit into the queue are reported with the others of their minute.
    private void LeaveOut(string kind, string outcome)
    {
        lock (_lock)
        {
            _counts[(kind, outcome)] = Math.Max(_counts.GetValueOrDefault((kind, outcome)), LimitOf(outcome)) + 1;
        }
    }

    // With the first event of a new minute, or at its end when there is none.
    private void CountMinute()
    {
        var minute = time.GetUtcNow().ToUnixTimeSeconds() / 60;
        if (minute == _minute)
        {
            return;
        }

        _minute = minute;
        foreach (var ((kind, outcome), count) in _counts)
        {
            var limit = LimitOf(outcome);
            if (count > limit)
            {
                var number = (count - limit).ToString(CultureInfo.InvariantCulture);
                _queue.Writer.TryWrite(
                    Entry(kind, outcome, new() { ["count"] = number }, $"{number} more in the minute before")
                );
            }
        }

        _counts.Clear();
    }

    // Anybody can send a wrong credential, and one of them says as much as sixty.
    private static int LimitOf(string outcome) => outcome.StartsWith("refused", StringComparison.Ordinal) ? 1 : 60;

    private AuditEntry Entry(string kind, string outcome, JsonObject about, string? detail) =>
        new()
        {
            At = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Phase = "done",
            CallId = "",
            Surface = Store.ServerSurface,
            Tool = kind,
            Level = nameof(RiskLevel.Low).ToUpperInvariant(),
            Arguments = about.ToJsonString(),
            Outcome = outcome,
            Detail = detail,
        };
}
