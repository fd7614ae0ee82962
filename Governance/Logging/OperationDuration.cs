using System.Diagnostics.Metrics;

namespace MinimalMcp.Governance;

internal static class OperationDuration
{
    /// <summary>
    /// The histogram <c>mcp.server.operation.duration</c> with the buckets of OpenTelemetry's conventions for MCP. It
    /// is recorded only while somebody listens: <c>/metrics</c> has its own numbers.
    /// </summary>
    public static Histogram<double> CreateServerOperationDuration(this Meter meter) =>
        meter.CreateHistogram(
            "mcp.server.operation.duration",
            "s",
            "The duration of the MCP request as it was seen by the server.",
            tags: null,
            new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
            }
        );
}
