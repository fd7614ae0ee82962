using System.Collections.Concurrent;
using System.Diagnostics;
using Docker.DotNet.Models;
using MinimalMcp.Engine;
using MinimalMcp.Tests.Container;

namespace MinimalMcp.Tests.EndToEnd;

[CollectionDefinition(nameof(Lab))]
public sealed class SharesTheLab : ICollectionFixture<Lab>;

/// <summary>
/// Real systems for end-to-end tests, shared by the tests of the collection. <see cref="StartAsync"/> gives the engine
/// and Portainer, <see cref="StartMonitoringAsync"/> also Prometheus, node-exporter and Alertmanager. Both skip the
/// test where that cannot be had. Everything carries the run's label and goes in the end; ports are on this machine
/// only.
/// </summary>
public sealed class Lab : IAsyncLifetime
{
    public const string Label = "minimalmcp.lab";

    private readonly SemaphoreSlim _once = new(1);
    private readonly Part _engine = new(),
        _monitoring = new();
    private readonly ConcurrentBag<string> _strangers = [];
    private int _names;
    private Monitoring? _monitored;

    /// <summary>What the label says of this run; also part of names.</summary>
    public string Run { get; } = Guid.NewGuid().ToString("N")[..12];

    internal EngineClient Engine { get; private set; } = null!;

    internal EngineAddress Address { get; private set; } = null!;

    /// <summary>An image with a shell.</summary>
    public string Shell { get; private set; } = "";

    public Uri PortainerUrl { get; private set; } = null!;

    public string PortainerKey { get; private set; } = "";

    /// <summary>Where neither the environment names a Portainer nor its image can be had.</summary>
    public bool PortainerIsStandIn { get; private set; }

    /// <summary>Has the targets prometheus and node (up), down, and an alert that fires all the time.</summary>
    public Uri PrometheusUrl => _monitored!.Prometheus;

    public Uri AlertmanagerUrl => _monitored!.Alertmanager;

    internal string Socket => $"unix://{Address.Socket}";

    internal string Network => $"minimalmcp-lab-{Run}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    public Task StartAsync() => OnceAsync(_engine, StartEngineAsync);

    public async Task StartMonitoringAsync()
    {
        await StartAsync();
        await OnceAsync(_monitoring, BootMonitoringAsync);
    }

    /// <summary>A container with a shell that runs a script. It ends with the lab at the latest.</summary>
    public async Task<string> RunAsync(
        string script,
        bool terminal = false,
        string? name = null,
        HealthcheckConfig? healthcheck = null,
        string[]? environment = null,
        bool start = true,
        int? stopSeconds = null,
        string? image = null,
        string network = "none"
    )
    {
        var made = await Engine.Containers.CreateContainerAsync(
            new()
            {
                Name = name!,
                Image = image ?? Shell,
                Cmd = ["sh", "-c", script],
                Env = environment ?? [],
                Tty = terminal,
                Labels = new Dictionary<string, string> { [Label] = Run },
                Healthcheck = healthcheck,
                StopTimeout = stopSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                HostConfig = new() { NetworkMode = network },
            },
            Cancellation
        );
        if (start)
        {
            await Engine.Containers.StartContainerAsync(made.ID, new(), Cancellation);
        }

        return made.ID;
    }

    /// <summary>Waits for its end.</summary>
    public Task EndAsync(string container) => Engine.Containers.WaitContainerAsync(container, Cancellation);

    /// <summary>A port of a container, on this machine only; Docker chooses it when the container starts.</summary>
    internal static IDictionary<string, IList<PortBinding>> Published(int? port) =>
        port is null
            ? new Dictionary<string, IList<PortBinding>>()
            : new Dictionary<string, IList<PortBinding>>
            {
                [$"{port}/tcp"] = [new() { HostIP = "127.0.0.1", HostPort = "" }],
            };

    internal NetworkingConfig KnownAs(string alias) =>
        new()
        {
            EndpointsConfig = new Dictionary<string, EndpointSettings> { [Network] = new() { Aliases = [alias] } },
        };

    internal async Task<Uri> UrlAsync(string container, int port)
    {
        var published = (await Engine.Containers.InspectContainerAsync(container, Cancellation)).NetworkSettings!.Ports[
            $"{port}/tcp"
        ][0];
        return new($"http://127.0.0.1:{published.HostPort}/");
    }

    /// <summary>For a container, or something else that goes with the lab.</summary>
    public string NewName() => $"lab-{Run}-{Interlocked.Increment(ref _names)}";

    /// <summary>A container that a tool has made, which carries no label of ours.</summary>
    public void RemoveInTheEnd(string container) => _strangers.Add(container);

    /// <summary>Waits until something is so; what it was instead stands in the failure.</summary>
    internal static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> good, string what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Wait.Limit);
        object? last = null;
        while (!limit.IsCancellationRequested)
        {
            try
            {
                var now = await look();
                if (good(now))
                {
                    return now;
                }

                last = now;
            }
            catch (HttpRequestException notYet)
            {
                last = notYet.Message;
            }

            await Task.Delay(50, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        throw new TimeoutException($"Not within a minute: {what}. In the end: {last}");
    }

    /// <summary>Says what runs, in the output of every test that uses it.</summary>
    internal void Log(string line) => (_engine.Started?.IsCompleted is true ? _monitoring : _engine).Log.Add(line);

    public async ValueTask DisposeAsync()
    {
        if (Engine is not null)
        {
            foreach (var container in _strangers)
            {
                await Engine.RemoveAsync(container);
            }

            await Engine.RemoveLabelledAsync(Label, Run);
            Engine.Dispose();
        }

        _once.Dispose();
    }

    private async Task OnceAsync(Part part, Func<Task> start)
    {
        await _once.WaitAsync(Cancellation);
        try
        {
            await (part.Started ??= start());
        }
        finally
        {
            _once.Release();
            part.Log.ForEach(line => TestContext.Current.TestOutputHelper?.WriteLine(line));
        }
    }

    private async Task StartEngineAsync()
    {
        Address = Needs.Docker();
        Engine = await EngineClient.ConnectAsync(Address.CreateHandler(), Address.Url, Cancellation);
        await Engine.Networks.CreateNetworkAsync(
            new()
            {
                Name = Network,
                Labels = new Dictionary<string, string> { [Label] = Run },
            },
            Cancellation
        );

        var portainer = await PortainerContainer.StartAsync(this, Cancellation);
        (PortainerUrl, PortainerKey, PortainerIsStandIn) = (portainer.Url, portainer.Key, portainer.IsStandIn);
        Log($"portainer: {portainer.What}"); // first: whoever reads on knows what it was
        var version = await Engine.System.GetVersionAsync(Cancellation);
        Log($"engine: {version.Version} with API {Engine.ApiVersion}");
        Shell = await ImageAsync(LabImage.Busybox);
    }

    private async Task BootMonitoringAsync()
    {
        var clock = Stopwatch.StartNew();
        _monitored = await Monitoring.StartAsync(this, ImageAsync, Cancellation);
        Log($"monitoring: ready after {clock.Elapsed.TotalSeconds:0.0} s at {PrometheusUrl} and {AlertmanagerUrl}");
    }

    private async Task<string> ImageAsync(LabImage image)
    {
        var (name, origin) = await image.FindAsync(Engine, Label, Run, Cancellation);
        Log($"image: {origin}");
        return name;
    }

    private sealed class Part
    {
        public Task? Started { get; set; }

        public List<string> Log { get; } = [];
    }
}
