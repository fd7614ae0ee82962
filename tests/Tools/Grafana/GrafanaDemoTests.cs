using MinimalMcp.Tests.EndToEnd;
using static MinimalMcp.Tests.EndToEnd.Conversation;

namespace MinimalMcp.Tests.Tools.Grafana;

/// <summary>
/// What people ask about dashboards. In the collection of the others, so that their words do not mix.
/// <c>scripts/demo-ops</c> shows it.
/// </summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class GrafanaDemoTests
{
    [Fact]
    public async Task Dashboards_are_looked_through()
    {
        await using var grafana = await FakeGrafana.StartAsync();
        await using var talk = Conversation.Start(
            "Dashboards of a stand-in for Grafana",
            ("Grafana:Url", grafana.System.Url),
            ("Grafana:Token", FakeGrafana.Token)
        );

        talk.Ask("Show me all monitoring dashboards and tell me which ones are related to nodes.");
        var all = (await talk.CallAsync("grafana_list_dashboards", new { }))
            .GetProperty("dashboards")
            .EnumerateArray()
            .ToArray();
        var ofNodes = all.Where(one =>
                one.TryGetProperty("tags", out var tags) && tags.EnumerateArray().Any(tag => tag.GetString() == "nodes")
            )
            .ToArray();
        talk.Answer([
            .. all.Select(one =>
                (FormattableString)
                    $"{Text(one, "title")}: {Text(one, "url")}{(ofNodes.Contains(one) ? " (nodes)" : "")}"
            ),
        ]);

        talk.Ask("What does it show?");
        var dashboard = await talk.CallAsync("grafana_get_dashboard", new { uid = Text(ofNodes.Single(), "uid") });
        talk.Answer([
            .. dashboard
                .GetProperty("panels")
                .EnumerateArray()
                .Select(panel =>
                    (FormattableString)$"{Text(panel, "title")}: {panel.GetProperty("queries")[0].GetString()}"
                ),
        ]);

        talk.Ask("Mark that we restarted the worker.");
        var marked = await talk.CallAsync(
            "grafana_create_annotation",
            new
            {
                text = "The worker was restarted",
                tags = (string[])["incident"],
                dashboard_uid = Text(dashboard, "uid"),
            }
        );
        talk.Answer($"\"{Text(marked, "text")}\" at {Text(marked, "time")}");

        talk.HasAnswers(
            ["Node exporter: /d/infra (nodes)", "From a file: /d/fromfile"],
            ["CPU: rate(node_cpu_seconds_total", "Up: up"],
            ["\"The worker was restarted\" at 20"]
        );
    }
}
