using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Telemetry;
using YamlDotNet.Serialization;

namespace MinimalMcp.Tests.Container;

/// <summary>The dashboard and the alert rules of deploy/, with the real Prometheus and the real server.</summary>
[Slow]
public sealed partial class DashboardTests
{
    private const string Key = "uM3xkQ9TzR7vB1nW5cY8pL2dF6hJ4sGa",
        MetricsKey = "pR5mT8kW2xN7vC4bJ9hL3sD6fG1qZ0yA";

    private static readonly string Folder = Path.Combine(ClientProcess.Root, "deploy");

    // OTLP has no figure for these.
    private static readonly string[] OnlyScraped = ["up", "mcp_server_uptime_seconds"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_alert_rules_pass_promtool_and_fire_when_they_should()
    {
        var promtool = PrometheusProcess.Promtool();
        foreach (
            var arguments in (string[][])
                [
                    ["check", "rules", "prometheus-rules.yml"],
                    ["test", "rules", "prometheus-rules.test.yml"],
                ]
        )
        {
            var (exitCode, output, errors) = await ClientProcess.RunAsync(
                new ProcessStartInfo(promtool, arguments) { WorkingDirectory = Folder }
            );
            Assert.True(exitCode == 0, output + errors);
        }

        // No alert is without such a test.
        var tests = await File.ReadAllTextAsync(Path.Combine(Folder, "prometheus-rules.test.yml"), Stop);
        Assert.All(Alerts(), alert =>
            Assert.Contains($"alertname=\"{alert["alert"]}\"", tests, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Every_query_of_the_dashboard_and_of_the_rules_has_data_scraped_and_by_otlp()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var translated = await TranslatedMetrics.StartAsync(receiver);
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        await using var server = Start(url, receiver);
        using var http = new HttpClient { BaseAddress = new(url), Timeout = Wait.Limit };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        await ServerProcess.ReadyAsync(http, url);
        await UseAsync(http);
        await using var prometheus = await PrometheusProcess.StartAsync(
            await ConfigurationAsync(new Uri(url), translated.Url)
        );

        foreach (var job in (string[])["minimal-mcp", "otlp"])
        {
            foreach (var (query, labels) in Queries())
            {
                if (job == "otlp" && Names(query).Intersect(OnlyScraped).Any())
                {
                    continue;
                }

                await HasDataAsync(prometheus, query, labels, job);
            }
        }

        var known = await prometheus.MetricNamesAsync();
        var expressions = Alerts().Select(alert => (string)alert["expr"]).ToArray();
        Assert.NotEmpty(expressions);
        foreach (var expression in expressions)
        {
            await prometheus.QueryAsync(expression); // it is understood
            Assert.Empty(Names(expression).Except(known));
        }

        Assert.Equal(Alerts().Length, (await prometheus.RulesAsync()).Length);

        await server.KillAsync();
        await Wait.Until(async () =>
        {
            var rules = await prometheus.RulesAsync();
            Assert.All(rules, rule => Assert.NotEqual("err", rule.GetProperty("health").GetString()));
            return rules.Any(rule =>
                rule.GetProperty("name").ValueEquals("MinimalMcpDown")
                && rule.GetProperty("state").ValueEquals("pending")
            );
        });
    }

    private static ServerProcess Start(string url, OtlpReceiver receiver) =>
        ServerProcess.Start(
            ["--urls", url],
            TracedServer.Environment(
                receiver,
                new Dictionary<string, string>
                {
                    ["MCP_AUTH_MODE"] = "api-key",
                    ["MCP_API_KEY"] = Key,
                    ["Auth__ApiKeys__prometheus__Key"] = MetricsKey,
                    ["Auth__ApiKeys__prometheus__Scopes"] = "mcp:read",
                    ["Governance__Levels__HIGH"] = "1/hour",
                    ["Governance__Approve"] = "CRITICAL",
                    ["Prometheus__Url"] = "http://127.0.0.1:9", // nobody answers
                }
            )
        );

    // Something of each kind that is counted.
    private static async Task UseAsync(HttpClient http)
    {
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "/tools");
        wrong.Headers.Authorization = new("Bearer", "not-a-key-of-anybody-0123456789abcdef");
        using var refused = await http.SendAsync(wrong, Stop);
        Assert.Equal(401, (int)refused.StatusCode);
        await PostAsync("/tools/prometheus_query", new { query = "up" });
        foreach (var (name, kind) in ((string, string)[])[("good", "good"), ("dead", "dies")])
        {
            var made = await PostAsync(
                "/api/v1/servers",
                new
                {
                    name,
                    command = Path.GetFileName(Needs.Program("install Node.js", "node")),
                    args = (string[])[Path.Combine(ClientProcess.Root, "tests", "Hub", "stand-in.mjs"), kind],
                    max_restarts = kind == "dies" ? 0 : 3,
                    risk = "HIGH",
                }
            );
            Assert.Contains("\"id\":", made);
        }

        await Wait.Until(async () =>
        {
            var shown = await http.GetStringAsync(new Uri("/api/v1/servers/1", UriKind.Relative), Stop);
            Assert.DoesNotContain("\"status\":\"error\"", shown);
            return shown.Contains("\"status\":\"active\"", StringComparison.Ordinal);
        });
        await PostAsync("/tools/good_echo", new { text = "hi" });
        await PostAsync("/tools/good_echo", new { text = "hi" }); // over its budget
        await PostAsync(
            "/mcp",
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method = "tools/call",
                @params = new { name = "unknown" },
            }
        );

        async Task<string> PostAsync(string path, object body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = TestServer.Json(body) };
            request.Headers.Accept.ParseAdd("application/json, text/event-stream");
            using var answer = await http.SendAsync(request, Stop);
            return await answer.Content.ReadAsStringAsync(Stop);
        }
    }

    // The one of deploy/, with the addresses and the files of this test, and a second job.
    private static async Task<string> ConfigurationAsync(Uri server, Uri otlp)
    {
        var key = Path.Combine(Directory.CreateTempSubdirectory("metrics-key").FullName, "key");
        await File.WriteAllTextAsync(key, MetricsKey, Stop);
        var text =
            (await File.ReadAllTextAsync(Path.Combine(Folder, "prometheus.yml"), Stop))
            + $"""

                  - job_name: otlp
                    static_configs:
                      - targets: ["{otlp.Authority}"]

                """;
        foreach (
            var (deployed, here) in ((string, string)[])
                [
                    ("15s", "1s"),
                    ("/etc/prometheus/rules.yml", Path.Combine(Folder, "prometheus-rules.yml")),
                    ("/run/secrets/metrics_key", key),
                    ("minimal-mcp:3001", server.Authority),
                ]
        )
        {
            Assert.Contains(deployed, text, StringComparison.Ordinal);
            text = text.Replace(deployed, here, StringComparison.Ordinal);
        }

        return text;
    }

    // As Grafana fills in its variables. Each label of the legend is there.
    private static async Task HasDataAsync(PrometheusProcess prometheus, string query, string[] labels, string job)
    {
        var asked = query
            .Replace("$__rate_interval", "1m", StringComparison.Ordinal)
            .Replace("$job", job, StringComparison.Ordinal);
        Assert.DoesNotContain("$", asked);
        JsonElement[] found = [];
        try
        {
            await Wait.Until(async () => (found = await prometheus.QueryAsync(asked)).Length > 0);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"There is no data for {asked}");
        }

        Assert.All(found, series =>
            Assert.All(labels, label => Assert.True(series.GetProperty("metric").TryGetProperty(label, out _), asked))
        );
    }

    /// <summary>The queries of the dashboard, each with the labels that its legend shows.</summary>
    private static (string Query, string[] Labels)[] Queries()
    {
        var dashboard = JsonElement.Parse(
            File.ReadAllText(Path.Combine(Folder, "grafana", "dashboards", "minimal-mcp.json"))
        );
        var variable = dashboard.GetProperty("templating").GetProperty("list")[0].GetProperty("query").GetString()!;
        return
        [
            (Regex.Replace(variable, @"label_values\((\w+), job\)", "$1{job=~\"$$job\"}"), ["job"]),
            .. dashboard
                .GetProperty("panels")
                .EnumerateArray()
                .Where(panel => panel.TryGetProperty("targets", out _))
                .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
                .Select(target =>
                    (
                        target.GetProperty("expr").GetString()!,
                        Shown()
                            .Matches(target.GetProperty("legendFormat").GetString()!)
                            .Select(match => match.Groups[1].Value)
                            .ToArray()
                    )
                ),
        ];
    }

    private static Dictionary<object, object>[] Alerts()
    {
        var file = new DeserializerBuilder()
            .Build()
            .Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(
                File.ReadAllText(Path.Combine(Folder, "prometheus-rules.yml"))
            );
        return [.. file["groups"].SelectMany(group => (List<object>)group["rules"]).Cast<Dictionary<object, object>>()];
    }

    private static IEnumerable<string> Names(string query) => Metric().Matches(query).Select(match => match.Value);

    [GeneratedRegex(@"\b((mcp|process|dotnet|kestrel)_\w+|target_info|up)\b")]
    private static partial Regex Metric();

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Shown();
}
