using System.Text.Json;
using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.EndToEnd;

/// <summary>
/// Prometheus with something to watch, and with an alert that fires at once and reaches Alertmanager.
/// </summary>
internal sealed record Monitoring(Uri Prometheus, Uri Alertmanager)
{
    private const string Configuration = """
        global: { scrape_interval: 1s, evaluation_interval: 1s }
        rule_files: [/etc/prometheus/rules.yml]
        alerting: { alertmanagers: [{ static_configs: [{ targets: ['alertmanager:9093'] }] }] }
        scrape_configs:
        - { job_name: prometheus, static_configs: [{ targets: ['localhost:9090'] }] }
        - { job_name: node, static_configs: [{ targets: ['node-exporter:9100'] }] }
        - { job_name: down, static_configs: [{ targets: ['no-such-host:1'] }] }
        - job_name: dropped
          static_configs: [{ targets: ['nobody:1'] }]
          relabel_configs: [{ action: drop, regex: .*, source_labels: [__address__] }]

        """;

    private const string Rules = """
        groups:
        - name: lab
          rules:
          - { record: 'lab:up:sum', expr: sum(up) }
          - alert: AlwaysFiring
            expr: vector(1)
            labels: { severity: page }
            annotations: { summary: Fires all the time }
          - alert: TargetDown
            expr: up == 0
            for: 1h
            labels: { severity: warning }
            annotations: { summary: 'A target is down, and will fire in an hour' }

        """;

    public static async Task<Monitoring> StartAsync(
        Lab lab,
        Func<LabImage, Task<string>> image,
        CancellationToken cancellation
    )
    {
        await RunAsync(
            lab,
            "node-exporter",
            await image(LabImage.NodeExporter),
            null,
            cancellation,
            "--collector.disable-defaults",
            "--collector.cpu",
            "--collector.meminfo",
            "--collector.loadavg",
            "--collector.uname",
            "--collector.filesystem",
            "--collector.netdev"
        );
        // Without a peer port; and what the rule sends is there at once.
        var alertmanager = await RunAsync(
            lab,
            "alertmanager",
            await image(LabImage.Alertmanager),
            9093,
            cancellation,
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/alertmanager",
            "--cluster.listen-address="
        );
        // The first alert is lost when Alertmanager is not found yet, and would be sent again only after a minute.
        var prometheus = await RunAsync(
            lab,
            "prometheus",
            await image(LabImage.Prometheus),
            9090,
            cancellation,
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--web.enable-lifecycle",
            "--rules.alert.resend-delay=1s",
            "--scrape.discovery-reload-interval=200ms"
        );

        using var http = new HttpClient();
        await Lab.UntilAsync(
            () =>
                AskAsync(
                    http,
                    prometheus,
                    "api/v1/query?query=" + Uri.EscapeDataString("count(up == 1) == 2"),
                    cancellation
                ),
            answer => answer.GetProperty("data").GetProperty("result").GetArrayLength() == 1,
            "Prometheus has two targets that are up"
        );
        await Lab.UntilAsync(
            () => AskAsync(http, alertmanager, "api/v2/alerts", cancellation),
            answer => answer.GetArrayLength() > 0,
            "Alertmanager has the alert"
        );
        var build = await AskAsync(http, prometheus, "api/v1/status/buildinfo", cancellation);
        lab.Log($"prometheus: {build.GetProperty("data").GetProperty("version")}");
        return new(prometheus, alertmanager);
    }

    private static async Task<JsonElement> AskAsync(
        HttpClient http,
        Uri url,
        string path,
        CancellationToken cancellation
    ) => JsonElement.Parse(await http.GetStringAsync(new Uri(url, path), cancellation));

    private static async Task<Uri> RunAsync(
        Lab lab,
        string name,
        string image,
        int? port,
        CancellationToken cancellation,
        params string[] arguments
    )
    {
        var made = await lab.Engine.Containers.CreateContainerAsync(
            new()
            {
                Name = $"{name}-{lab.Run}",
                Image = image,
                Cmd = arguments,
                Labels = new Dictionary<string, string> { [Lab.Label] = lab.Run },
                HostConfig = new() { NetworkMode = lab.Network, PortBindings = Lab.Published(port) },
                NetworkingConfig = lab.KnownAs(name),
            },
            cancellation
        );
        if (port is 9093)
        {
            await CopyAsync(
                lab,
                made.ID,
                "/etc/alertmanager",
                ("alertmanager.yml", "route: { receiver: none }\nreceivers: [{ name: none }]\n")
            );
        }
        else if (port is 9090)
        {
            await CopyAsync(lab, made.ID, "/etc/prometheus", ("prometheus.yml", Configuration), ("rules.yml", Rules));
        }

        await lab.Engine.Containers.StartContainerAsync(made.ID, new(), cancellation);
        return port is { } published ? await lab.UrlAsync(made.ID, published) : new("http://127.0.0.1:1/");
    }

    private static async Task CopyAsync(
        Lab lab,
        string container,
        string folder,
        params (string Name, string Text)[] files
    )
    {
        var ct = TestContext.Current.CancellationToken;
        await using var packed = await Tar.PackAsync(
            async (tar, stop) =>
            {
                foreach (var (name, text) in files)
                {
                    await tar.WriteTextAsync(name, text, stop);
                }
            },
            ct
        );
        await lab.Engine.Containers.ExtractArchiveToContainerAsync(container, new() { Path = folder }, packed, ct);
    }
}
