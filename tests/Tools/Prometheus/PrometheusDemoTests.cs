using System.Globalization;
using System.Text.Json;
using MinimalMcp.Tests.EndToEnd;
using static MinimalMcp.Tests.EndToEnd.Conversation;

namespace MinimalMcp.Tests.Tools.Prometheus;

/// <summary>What people ask about metrics, targets and alerts. <c>scripts/demo-ops</c> shows it.</summary>
[Collection(nameof(Lab))]
[Slow]
public sealed class PrometheusDemoTests(Lab lab)
{
    [Fact]
    public async Task Metrics_targets_and_alerts_are_looked_through()
    {
        await lab.StartMonitoringAsync();
        await using var talk = Conversation.Start(
            "A real Prometheus with node-exporter and Alertmanager",
            ("Prometheus:Url", lab.PrometheusUrl.ToString())
        );
        const string Busy = "sort_desc(100 * sum by (job) (rate(process_cpu_seconds_total[1m])))",
            Machine = "100 * (1 - avg(rate(node_cpu_seconds_total{mode=\"idle\"}[1m])))";
        await Lab.UntilAsync(
            () =>
                talk.Server.CallAsync(
                    "prometheus_query",
                    new
                    {
                        query = $"{Machine} and on() (count(rate(process_cpu_seconds_total[1m])) > 1) "
                            + "and on() ALERTS{alertname=\"TargetDown\"}",
                    }
                ),
            answer => answer.GetProperty("total").GetInt32() == 1,
            "there are two samples of each, and what is down was noticed"
        );

        talk.Ask("What's the current CPU usage across all services?");
        var busy = (await talk.CallAsync("prometheus_query", new { query = Busy }))
            .GetProperty("series")
            .EnumerateArray();
        talk.Answer([
            .. busy.Select(series =>
                (FormattableString)$"{Text(series.GetProperty("metric"), "job")}: {Number(series, "value"):0.0} %"
            ),
        ]);

        talk.Ask("And how busy was the machine itself in the last five minutes?");
        var machine = (await talk.CallAsync("prometheus_query_range", new { query = Machine, start = "5m" }))
            .GetProperty("series")[0]
            .GetProperty("summary");
        var (min, max, average) = (Number(machine, "min"), Number(machine, "max"), Number(machine, "average"));
        talk.Answer($"Between {min:0.0} % and {max:0.0} %, {average:0.0} % on average.");

        talk.Ask("Which targets are down, and why?");
        var down = (await talk.CallAsync("prometheus_list_targets", new { health = "down" }))
            .GetProperty("targets")
            .EnumerateArray();
        talk.Answer([
            .. down.Select(target =>
                (FormattableString)
                    $"⚠ {Text(target, "job")} at {Text(target, "scrapeUrl")}: {Text(target, "lastError")}"
            ),
        ]);

        talk.Ask("Are there any alerts?");
        var alerts = (await talk.CallAsync("prometheus_list_alerts", new { })).GetProperty("alerts").EnumerateArray();
        talk.Answer([
            .. from alert in alerts
            let summary = Text(alert.GetProperty("annotations"), "summary")
            select (FormattableString)$"⚠ {Text(alert, "name")} ({Text(alert, "state")}): {summary}",
        ]);

        talk.HasAnswers(
            ["prometheus: ", "node: "],
            ["% on average"],
            ["⚠ down at http://no-such-host:1/metrics: "],
            ["AlwaysFiring (firing): Fires all the time", "TargetDown (pending)"]
        );
    }

    private static double Number(JsonElement json, string name) =>
        double.Parse(json.GetProperty(name).ToString(), CultureInfo.InvariantCulture);
}
