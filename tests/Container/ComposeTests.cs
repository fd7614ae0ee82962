using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using YamlDotNet.Serialization;

namespace MinimalMcp.Tests.Container;

/// <summary>What stands in deploy/, as far as it can be held against the server without the other systems.</summary>
public sealed partial class ComposeTests
{
    private static readonly string Folder = Path.Combine(ClientProcess.Root, "deploy");

    public static TheoryData<string> Services => [.. Compose("services").Keys];

    /// <summary>The server's environment, with a key for each setting that .env has to give.</summary>
    internal static string[] ServerEnvironment(string key) => [.. Map(Service("minimal-mcp")["environment"])
        .Select(variable => $"{variable.Key}={Required().Replace(Optional().Replace($"{variable.Value}", ""), key)}")];

    [Theory, MemberData(nameof(Services))]
    public void A_service_is_pinned_closed_and_watched(string name)
    {
        var service = Service(name);

        if (!service.ContainsKey("build"))
        {
            Assert.Matches(@":v?\d+\.\d+\.\d+", $"{service["image"]}");
            Assert.Contains("healthcheck", service.Keys);
        }

        Assert.Equal("true", service["read_only"]);
        Assert.Equal("unless-stopped", service["restart"]);
        Assert.Contains("no-new-privileges:true", List(service["security_opt"]));
        Assert.All(List(service["ports"]), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Services))]
    public void What_a_service_mounts_is_there(string name)
    {
        var volumes = Service(name).TryGetValue("volumes", out var mounts) ? List(mounts) : [];

        foreach (var source in volumes.Select(volume => volume.Split(':')[0]))
        {
            // A path here, the engine's own socket, what docs/container.md says to write, or a volume that is declared.
            Assert.True(
                source is "/var/run/docker.sock" or "./secrets/metrics_key" || Path.Exists(Path.Combine(Folder, source)) || Compose("volumes").ContainsKey(source),
                source);
        }
    }

    [Fact]
    public void Prometheus_asks_the_server_where_compose_puts_it()
    {
        var job = Map(((List<object>)Map(Yaml("prometheus.yml"))["scrape_configs"])[0]);
        var key = Assert.Single(List(Service("prometheus")["volumes"]), volume => volume.StartsWith("./secrets/", StringComparison.Ordinal)).Split(':')[1];

        Assert.Equal(key, Map(job["authorization"])["credentials_file"]);
        Assert.Equal(["minimal-mcp:3001"], List(Map(((List<object>)job["static_configs"])[0])["targets"]));
        Assert.All(["grafana/datasources/prometheus.yaml", "grafana/dashboards/dashboards.yaml"], file => Assert.NotEmpty(Map(Yaml(file))));
    }

    [Fact]
    public async Task The_dashboard_shows_what_the_server_measures()
    {
        await using var server = new Gate().Serve();
        await server.McpAsync("tools/call", new { name = "who", arguments = new { name = "me" } });
        var metrics = await server.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        using var dashboard = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "grafana", "dashboards", "minimal-mcp.json"), TestContext.Current.CancellationToken));

        var expressions = dashboard.RootElement.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!).ToArray();
        Assert.NotEmpty(expressions);
        Assert.All(expressions, expression => Assert.Contains(MetricName().Match(expression).Value, metrics, StringComparison.Ordinal));
        Assert.Contains("tool=\"who\",outcome=\"ok\"", metrics, StringComparison.Ordinal); // the labels that it groups by
    }

    private static Dictionary<string, object> Compose(string part) => Map(Map(Yaml("compose.yaml"))[part]);

    private static Dictionary<string, object> Service(string name) => Map(Compose("services")[name]);

    private static object Yaml(string file) => new DeserializerBuilder().Build().Deserialize<object>(File.ReadAllText(Path.Combine(Folder, file)));

    private static Dictionary<string, object> Map(object node) => ((Dictionary<object, object>)node).ToDictionary(pair => (string)pair.Key, pair => pair.Value);

    private static string[] List(object node) => [.. ((List<object>)node).Select(item => (string)item)];

    [GeneratedRegex(@"\$\{\w+:-\}")]
    private static partial Regex Optional();

    [GeneratedRegex(@"\$\{\w+:\?[^}]*\}")]
    private static partial Regex Required();

    [GeneratedRegex(@"mcp_\w+")]
    private static partial Regex MetricName();
}
