using MinimalMcp.Tests.Surfaces;
using MinimalMcp.Tools;

namespace MinimalMcp.Tests.Tools.Grafana;

internal sealed class GrafanaParity : FamilyCalls
{
    private FakeGrafana? _grafana;

    private const string Window = "\"start\":\"2026-11-20T10:00:00Z\",\"end\":\"2026-11-20T11:00:00Z\"";

    public override IReadOnlyList<(string Tool, string Arguments, FailureKind? Failure)> Calls { get; } =
    [
        ("grafana_get_dashboard", "{}", FailureKind.Arguments),
        ("grafana_get_dashboard", """{"uid":"no-such"}""", FailureKind.Tool),
        ("grafana_get_dashboard", """{"uid":"../admin"}""", FailureKind.Tool),
        ("grafana_create_dashboard", """{"title":"x","dashboard":[]}""", FailureKind.Arguments),
        ("grafana_create_dashboard", """{"title":"Mine","dashboard":{"uid":"infra"}}""", FailureKind.Tool),
        (
            "grafana_update_dashboard",
            """{"uid":"infra","version":1,"dashboard":{"panels":[{"id":1}]}}""",
            FailureKind.Tool
        ),
        ("grafana_query_datasource", """{"datasource_uid":"prom1","query":"up{"}""", FailureKind.Tool),
        ("grafana_create_datasource", """{"name":"x","type":"loki","url":"nowhere"}""", FailureKind.Tool),
        ("grafana_list_dashboards", """{"query":"node"}""", null),
        ("grafana_get_dashboard", """{"uid":"infra"}""", null),
        ("grafana_get_dashboard", """{"uid":"infra","full":true}""", null),
        ("grafana_list_folders", "{}", null),
        ("grafana_list_datasources", "{}", null),
        ("grafana_query_datasource", $$"""{"datasource_uid":"prom1","query":"up",{{Window}}}""", null),
        ("grafana_query_datasource", $$"""{"datasource_uid":"prom1","query":"up",{{Window}},"chart":true}""", null),
        ("grafana_query_datasource", $$"""{"datasource_uid":"loki1","query":"{app=\"web\"}",{{Window}}}""", null),
        ("grafana_list_alert_rules", """{"state":"firing"}""", null),
        ("grafana_list_annotations", $$"""{{{Window}}}""", null),
        ("grafana_get_health", "{}", null),
        ("grafana_update_dashboard", """{"uid":"same","version":7,"dashboard":{"panels":[{"id":1}]}}""", null),
        ("grafana_create_dashboard", """{"title":"Made"}""", null),
        ("grafana_create_datasource", """{"name":"Made","type":"loki","url":"http://loki:3100"}""", null),
        ("grafana_create_annotation", """{"text":"deployed","tags":["deploy"],"time":"2026-11-20T12:00:00Z"}""", null),
        ("grafana_delete_dashboard", """{"uid":"same"}""", null),
    ];

    public override async Task<(string Key, string Value)[]> StartAsync()
    {
        // The calls are made on every surface, and must find the same each time: nothing that is changed stays changed.
        _grafana = await FakeGrafana.StartAsync();
        _grafana.KeepNothing();
        return [("Grafana:Url", _grafana.System.Url), ("Grafana:Token", FakeGrafana.Token)];
    }

    public override async ValueTask DisposeAsync()
    {
        await _grafana!.DisposeAsync();
        await base.DisposeAsync();
    }
}
