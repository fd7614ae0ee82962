using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Hub;

/// <summary>How long other servers take to answer calls.</summary>
internal sealed class HubMetrics(IMeterFactory meters)
{
    public const string MeterName = "MinimalMcp.Hub";

    // Names of servers that were deleted stay series until the next start.
    private const int MaxServers = 1000;

    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Histogram<double> _duration = meters
        .Create(MeterName)
        .CreateHistogram<double>(
            "mcp_hub_request_duration_seconds",
            "s",
            "How long calls of tools of other servers took, by server and outcome."
        );

    /// <summary>The call with its duration recorded.</summary>
    public UpstreamCall Measured(string server, UpstreamCall call) =>
        async (tool, arguments, progress, cancellationToken) =>
        {
            var (started, outcome) = (Stopwatch.GetTimestamp(), "error");
            try
            {
                CallToolResult result = await call(tool, arguments, progress, cancellationToken);
                outcome = result.IsError is true ? "error" : "ok";
                return result;
            }
            catch (OperationCanceledException)
            {
                outcome = "cancelled";
                throw;
            }
            finally
            {
                _duration.Record(
                    Stopwatch.GetElapsedTime(started).TotalSeconds,
                    new("server", LabelOf(server)),
                    new KeyValuePair<string, object?>("outcome", outcome)
                );
            }
        };

    private string LabelOf(string server) =>
        _names.TryGetValue(server, out var known) ? known
        : _names.Count >= MaxServers ? "other"
        : _names.GetOrAdd(server, server);
}
