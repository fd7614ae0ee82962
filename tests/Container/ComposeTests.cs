using System.Text.RegularExpressions;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Protocol;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace MinimalMcp.Tests.Container;

/// <summary>What stands in deploy/, as far as it can be held against the server without the other systems.</summary>
public sealed partial class ComposeTests
{
    private static readonly string Folder = Path.Combine(ClientProcess.Root, "deploy");

    private static readonly string[] Files = ["compose.yaml", "replicas/compose.yaml", "../compose.yaml"];

    public static TheoryData<string, string> Services =>
        [
            .. Files.SelectMany(file =>
                Compose(file, "services").Keys.Select(name => new TheoryDataRow<string, string>(file, name))
            ),
        ];

    /// <summary>The server's environment, with a key for each setting that .env has to give.</summary>
    internal static string[] ServerEnvironment(string key) =>
        [
            .. Map(Service("compose.yaml", "minimal-mcp")["environment"])
                .Select(variable =>
                    variable.Key.EndsWith("_FILE", StringComparison.Ordinal)
                        ? $"{variable.Key[..^"_FILE".Length]}={key}" // the file is not there
                        : $"{variable.Key}={Required().Replace(Optional().Replace($"{variable.Value}", ""), key)}"
                ),
        ];

    // Whoever may read a container's settings or the host's process list must not find a secret.
    [Theory, MemberData(nameof(Services))]
    public void No_secret_stands_in_the_settings_of_a_container(string file, string name)
    {
        var service = Service(file, name);
        var mounts = service.TryGetValue("volumes", out var volumes)
            ? List(volumes).Select(one => one.Split(':')[1]).ToArray()
            : [];
        foreach (var (variable, value) in service.TryGetValue("environment", out var set) ? Map(set) : [])
        {
            var isSecret = SecretName().IsMatch(variable);
            var isFile = variable.EndsWith("_FILE", StringComparison.Ordinal) && mounts.Contains($"{value}");
            Assert.True(!isSecret || isFile, variable);
        }
    }

    // The commands of the pages, without sudo and Docker: each file is there, for its owner alone, and none is too
    // many.
    [Theory]
    [InlineData("operate/compose.md", "cd deploy\n", "compose.yaml")]
    [InlineData("operate/replicas.md", "cd deploy/replicas\n", "replicas/compose.yaml")]
    public async Task The_commands_of_the_page_write_every_secret_that_is_mounted(
        string page,
        string begin,
        string file
    )
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes");
        var stop = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("compose");
        var text = await File.ReadAllTextAsync(Path.Combine(ClientProcess.Root, "docs", page), stop);
        var commands = text.Split("```sh\n" + begin).Skip(1).First().Split("\n```")[0];
        const string Others = "sudo() { \"$@\"; }; chown() { echo \"$1\" >> owners; }; docker() { :; }\n";

        var (exitCode, output, errors) = await Scripts.Shell.RunAsync($"cd '{folder.FullName}'\n{Others}{commands}");

        Assert.True(exitCode == 0, output + errors);
        var mounted = Compose(file, "services")
            .Keys.Select(name => Service(file, name))
            .SelectMany(service => service.TryGetValue("volumes", out var mounts) ? List(mounts) : [])
            .Select(mount => mount.Split(':')[0])
            .Where(source => source.StartsWith("./secrets/", StringComparison.Ordinal))
            .Distinct();
        var written = Directory.GetFiles(Path.Combine(folder.FullName, "secrets"));
        Assert.Equal(mounted.Order(), written.Select(path => "./secrets/" + Path.GetFileName(path)).Order());
        Assert.All(written, path => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode(path)));
        Assert.All(written, path => Assert.NotEqual(0, new FileInfo(path).Length));
        folder.Delete(recursive: true);
    }

    [Theory, MemberData(nameof(Services))]
    public void A_service_is_pinned_closed_and_watched(string file, string name)
    {
        var service = Service(file, name);

        if (!service.ContainsKey("build"))
        {
            // PostgreSQL's versions have two parts
            Assert.Matches(@":v?\d+\.\d+\.\d+|^postgres:\d+\.\d+$", $"{service["image"]}");
            Assert.Contains("healthcheck", service.Keys);
        }

        Assert.Equal("true", service["read_only"]);
        Assert.Equal("unless-stopped", service["restart"]);
        Assert.Matches("^[1-9][0-9]*[mg]$", $"{service["mem_limit"]}");
        Assert.Matches("^(64|128|256|512)$", $"{service["pids_limit"]}");
        Assert.Contains("no-new-privileges:true", List(service["security_opt"]));
        Assert.All(service.TryGetValue("ports", out var ports) ? List(ports) : [], port =>
            Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal)
        );
    }

    [Theory, MemberData(nameof(Services))]
    public void What_a_service_mounts_is_there(string file, string name)
    {
        var volumes = Service(file, name).TryGetValue("volumes", out var mounts) ? List(mounts) : [];

        foreach (var source in volumes.Select(volume => volume.Split(':')[0]))
        {
            // A path here, the engine's own socket, what docs/operate/compose.md says to write, or a volume that is
            // declared.
            Assert.True(
                source is "/var/run/docker.sock"
                    || source.StartsWith("./secrets/", StringComparison.Ordinal)
                    || Path.Exists(Path.Combine(Folder, Path.GetDirectoryName(file)!, source))
                    || Compose(file, "volumes").ContainsKey(source),
                source
            );
        }
    }

    // As the guide of the connector calls it: docker-compose logs backend, docker-compose restart backend.
    [Fact]
    public void The_service_at_the_root_is_called_backend_and_has_the_port_of_the_guide()
    {
        var (name, _) = Assert.Single(Compose("../compose.yaml", "services"));
        var service = Service("../compose.yaml", name);

        Assert.Equal("backend", name);
        Assert.Equal(".env", service["env_file"]);
        Assert.Equal(["127.0.0.1:${PORT:-3001}:3001"], List(service["ports"]));
        Assert.Equal("3001", Map(service["environment"])["MCP_SERVER_PORT"]); // which wins over PORT within
        Assert.DoesNotContain("MCP_AUTH_MODE", Map(service["environment"]).Keys); // it is inferred where it is not said
    }

    [Fact]
    public void Prometheus_asks_the_server_where_compose_puts_it()
    {
        var job = Map(((List<object>)Map(Yaml("prometheus.yml"))["scrape_configs"])[0]);
        var key = Assert
            .Single(List(Service("compose.yaml", "prometheus")["volumes"]), volume =>
                volume.StartsWith("./secrets/", StringComparison.Ordinal)
            )
            .Split(':')[1];

        Assert.Equal(key, Map(job["authorization"])["credentials_file"]);
        Assert.Equal(["minimal-mcp:3001"], List(Map(((List<object>)job["static_configs"])[0])["targets"]));
        Assert.All(["grafana/datasources/prometheus.yaml", "grafana/dashboards/dashboards.yaml"], file =>
            Assert.NotEmpty(Map(Yaml(file)))
        );
    }

    [Fact]
    public void Nginx_shares_calls_out_to_the_replicas_of_compose_and_can_leave_out_each()
    {
        var nginx = File.ReadAllText(Path.Combine(Folder, "replicas", "nginx.conf"));
        var replicas = Compose("replicas/compose.yaml", "services")
            .Keys.Where(name => name.StartsWith("replica-", StringComparison.Ordinal))
            .ToArray();

        Assert.Equal(2, replicas.Length);
        Assert.All(replicas, replica =>
        {
            Assert.Contains($"server {replica}:3001", Group(nginx, "both"), StringComparison.Ordinal);
            var without = Group(nginx, "without_" + replica.Replace('-', '_'));
            Assert.All(replicas, other =>
                Assert.Equal(other != replica, without.Contains($"server {other}:3001", StringComparison.Ordinal))
            );
        });
        Assert.Contains(
            $"for replica in {string.Join(' ', replicas)};",
            File.ReadAllText(Path.Combine(Folder, "replicas", "restart")),
            StringComparison.Ordinal
        );
    }

    private static UnixFileMode Mode(string path) =>
        OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(path);

    private static string Group(string nginx, string name) =>
        Regex.Match(nginx, $@"upstream {name} \{{([^}}]*)\}}").Groups[1].Value;

    private static Dictionary<string, object> Compose(string file, string part) => Map(Map(Yaml(file))[part]);

    private static Dictionary<string, object> Service(string file, string name) => Map(Compose(file, "services")[name]);

    // Merging, because a replica is written once and named twice.
    private static object Yaml(string file) =>
        new DeserializerBuilder()
            .Build()
            .Deserialize<object>(
                new MergingParser(new Parser(new StringReader(File.ReadAllText(Path.Combine(Folder, file)))))
            )!;

    private static Dictionary<string, object> Map(object node) =>
        ((Dictionary<object, object>)node).ToDictionary(pair => (string)pair.Key, pair => pair.Value);

    private static string[] List(object node) => [.. ((List<object>)node).Select(item => (string)item)];

    [GeneratedRegex(@"\$\{\w+:-\}")]
    private static partial Regex Optional();

    [GeneratedRegex(@"\$\{\w+:\?[^}]*\}")]
    private static partial Regex Required();

    [GeneratedRegex("(KEY|PASSWORD|SECRET|TOKEN|CONNECTIONSTRING)(__?FILE)?$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();
}
