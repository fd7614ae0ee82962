using System.Diagnostics;
using System.Diagnostics.Metrics;
using MinimalMcp.Governance;

namespace MinimalMcp.Surfaces;

/// <summary>Metrics of JSON-RPC requests, by method and transport.</summary>
internal sealed class JsonRpcMetrics(IMeterFactory meters)
{
    // The method comes from the caller: only known ones become labels, so that callers cannot create series.
    private static readonly HashSet<string> Known =
    [
        "initialize",
        "server/discover",
        "ping",
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "resources/subscribe",
        "resources/unsubscribe",
        "completion/complete",
        "logging/setLevel",
        "subscriptions/listen",
        "notifications/initialized",
        "notifications/cancelled",
    ];

    private readonly Meter _meter = meters.Create("MinimalMcp.Rpc");
    private Histogram<double>? _duration;
    private Counter<long>? _errors;
    private Histogram<double>? _operation;

    public void Record(string? method, string transport, long started, int errorCode = 0)
    {
        _duration ??= _meter.CreateHistogram<double>(
            "mcp_rpc_request_duration_seconds",
            "s",
            "How long JSON-RPC requests took."
        );
        var label = method is not null && Known.Contains(method) ? method : "other";
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        _duration.Record(seconds, new("method", label), new KeyValuePair<string, object?>("transport", transport));
        RecordOperation(label, transport, seconds, errorCode);
        if (errorCode != 0)
        {
            _errors ??= _meter.CreateCounter<long>(
                "mcp_rpc_errors_total",
                null,
                "JSON-RPC requests that were answered with an error."
            );
            _errors.Add(
                1,
                new("method", label),
                new("error_code", errorCode.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                new KeyValuePair<string, object?>("transport", transport)
            );
        }
    }

    // OpenTelemetry's conventions for MCP. Tool calls are measured in governance, with the tool's name.
    private void RecordOperation(string method, string transport, double seconds, int errorCode)
    {
        _operation ??= _meter.CreateServerOperationDuration();
        if (!_operation.Enabled || method == "tools/call")
        {
            return;
        }

        var tags = new TagList
        {
            { "mcp.method.name", method },
            { "network.transport", transport == "stdio" ? "pipe" : "tcp" },
        };
        if (errorCode != 0)
        {
            var code = errorCode.ToString(System.Globalization.CultureInfo.InvariantCulture);
            tags.Add("error.type", code);
            tags.Add("rpc.response.status_code", code);
        }

        _operation.Record(seconds, tags);
    }
}
