using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Prometheus;

internal sealed class PrometheusParity : FamilyCalls
{
    private Upstream? _prometheus;

    /// <summary>The range that answers.json was recorded for.</summary>
    public const string Recorded = "\"start\":\"1795170260\",\"end\":\"2026-11-20T10:25:00Z\",\"step\":\"10s\"";

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("prometheus_query", "{}", FailureKind.Arguments),
        ("prometheus_query", """{"query":"up","at":"now"}""", FailureKind.Arguments),
        ("prometheus_query", """{"query":"up","time":"some day"}""", FailureKind.Tool),
        ("prometheus_query_range", """{"query":"up"}""", FailureKind.Arguments),
        ("prometheus_query_range", """{"query":"up","start":"2026-11-20","end":"2026-11-19"}""", FailureKind.Tool),
        ("prometheus_list_targets", """{"health":"ill"}""", FailureKind.Arguments),
        ("prometheus_query", """{"query":"up"}""", null),
        ("prometheus_query", """{"query":"scalar(vector(42))"}""", null),
        ("prometheus_query", """{"query":"nan","limit":2}""", null),
        ("prometheus_query_range", $$"""{"query":"up",{{Recorded}}}""", null),
        ("prometheus_query_range", $$"""{"query":"up",{{Recorded}},"chart":true}""", null),
        ("prometheus_list_metrics", """{"search":"load"}""", null),
        ("prometheus_list_label_names", "{}", null),
        ("prometheus_list_label_values", """{"label":"job"}""", null),
        ("prometheus_find_series", """{"match":"up"}""", null),
        ("prometheus_list_targets", """{"health":"down"}""", null),
        ("prometheus_get_metadata", """{"limit":1}""", null),
        ("prometheus_list_alerts", "{}", null),
        ("prometheus_list_rules", "{}", null),
    ];

    public override async Task<(string Key, string Value)[]> StartAsync()
    {
        _prometheus = await Upstream.StartAsync("answers.json");
        return [("Prometheus:Url", _prometheus.Url)];
    }

    public override async ValueTask DisposeAsync()
    {
        await _prometheus!.DisposeAsync();
        await base.DisposeAsync();
    }
}
