using System.Diagnostics.Metrics;

namespace MinimalMcp.Outgoing;

/// <summary>
/// Metrics and log lines of upstream requests: one measurement per attempt or refusal, and a line per failure. Never a
/// query, a header or a body.
/// </summary>
internal sealed partial class OutgoingLog
{
    private readonly Histogram<double> _duration;
    private readonly ILogger<OutgoingLog> _logger;

    public OutgoingLog(IMeterFactory meters, ILogger<OutgoingLog> logger)
    {
        _logger = logger;
        _duration = meters
            .Create("MinimalMcp.Outgoing")
            .CreateHistogram<double>(
                "mcp_upstream_duration_seconds",
                "s",
                "The duration of upstream requests, by upstream and outcome."
            );
    }

    /// <param name="outcome">The status code, or the kind of failure.</param>
    public void Write(
        string upstream,
        string method,
        string path,
        int attempt,
        string outcome,
        TimeSpan took,
        bool failed
    )
    {
        _duration.Record(
            took.TotalSeconds,
            new KeyValuePair<string, object?>("upstream", upstream),
            new KeyValuePair<string, object?>("outcome", outcome)
        );
        if (failed)
        {
            LogFailed(upstream, method, path, outcome, (long)took.TotalMilliseconds, attempt);
        }
        else
        {
            LogAnswered(upstream, method, path, outcome, took.TotalMilliseconds, attempt);
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Upstream request failed {Upstream} {Method} {Path} {Outcome} {ElapsedMs} {Attempt}"
    )]
    private partial void LogFailed(
        string upstream,
        string method,
        string path,
        string outcome,
        long elapsedMs,
        int attempt
    );

    [LoggerMessage(LogLevel.Debug, "Upstream request ended {Upstream} {Method} {Path} {Outcome} {ElapsedMs} {Attempt}")]
    private partial void LogAnswered(
        string upstream,
        string method,
        string path,
        string outcome,
        double elapsedMs,
        int attempt
    );

    [LoggerMessage(LogLevel.Warning, "Circuit breaker opened {Upstream} {BreakSeconds}")]
    public partial void Opened(string upstream, double breakSeconds);

    [LoggerMessage(
        LogLevel.Warning,
        "{Upstream}: any certificate is accepted, so that others can read and change what is sent. Set"
            + " {Upstream}:Certificate to the SHA-256 fingerprint of the right one"
    )]
    public partial void AnyCertificate(string upstream);

    [LoggerMessage(LogLevel.Information, "Circuit breaker closed {Upstream}")]
    public partial void Closed(string upstream);
}
