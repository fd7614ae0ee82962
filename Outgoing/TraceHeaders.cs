using System.Diagnostics;

namespace MinimalMcp.Outgoing;

/// <summary>
/// What an upstream learns of a trace: its ids (W3C Trace Context), and never the baggage, which any caller could fill
/// with what it likes.
/// </summary>
internal sealed class TraceHeaders : DistributedContextPropagator
{
    private static readonly DistributedContextPropagator Whole = CreateW3CPropagator();

    public override IReadOnlyCollection<string> Fields { get; } = ["traceparent", "tracestate"];

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) =>
        Whole.Inject(activity, carrier, (to, name, value) =>
        {
            if (Fields.Contains(name))
            {
                setter?.Invoke(to, name, value);
            }
        });

    public override void ExtractTraceIdAndState(
        object? carrier,
        PropagatorGetterCallback? getter,
        out string? traceId,
        out string? traceState
    ) => Whole.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(
        object? carrier,
        PropagatorGetterCallback? getter
    ) => null;
}
