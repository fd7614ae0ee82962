using System.Text.Json;
using MinimalMcp.Engine;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Container;

/// <summary>The image of this tree, built once for all tests that run it. Everything that is made carries the run's label, and goes in the end.</summary>
public sealed class BuiltImage : IAsyncLifetime
{
    private const string Label = "minimalmcp.test-run";
    private readonly string _run = Guid.NewGuid().ToString("N")[..12];
    private readonly SemaphoreSlim _once = new(1);
    private Task? _built;
    private string _printed = "";

    public string Name => $"minimal-mcp-test:{_run}";

    public string Network => $"minimal-mcp-test-{_run}";

    internal EngineClient Engine { get; private set; } = null!;

    public ValueTask InitializeAsync() => default;

    /// <summary>Skips the test where no engine answers.</summary>
    public async Task BuildAsync()
    {
        var address = Needs.Docker();
        await _once.WaitAsync();
        try
        {
            await (_built ??= BuildAsync(address));
        }
        finally
        {
            _once.Release();
        }
    }

    /// <summary>Starts a container as docs/container.md says: no capabilities, nothing writable, one port, on this machine only.</summary>
    internal async Task<RunningContainer> StartAsync(params string[] environment)
    {
        await BuildAsync();
        var id = await Engine.CreateAsync(null, new
        {
            Image = Name,
            Env = environment,
            Labels = new Dictionary<string, string> { [Label] = _run },
            Healthcheck = new { Interval = 200_000_000L }, // nanoseconds; what is asked stays what the image says
            HostConfig = new
            {
                NetworkMode = Network, // not the default one, which an engine may lack
                ReadonlyRootfs = true,
                CapDrop = (string[])["ALL"],
                SecurityOpt = (string[])["no-new-privileges"],
                PortBindings = new Dictionary<string, object> { ["3001/tcp"] = new[] { new { HostIp = "127.0.0.1", HostPort = "" } } },
            },
        }, TestContext.Current.CancellationToken);
        await Engine.StartAsync(id, TestContext.Current.CancellationToken);
        return new(Engine, id);
    }

    public async ValueTask DisposeAsync()
    {
        using (Engine)
        {
            if (_built is null || Engine is null)
            {
                return;
            }

            await Engine.RemoveLabelledAsync(Label, _run);
            // The stages before the last one carry neither name nor label; the builder printed their short ids.
            foreach (var stage in await Engine.ImagesAsync(CancellationToken.None, ("dangling", "true")))
            {
                if (_printed.Contains(stage.Id["sha256:".Length..][..12], StringComparison.Ordinal))
                {
                    await Engine.RemoveImageAsync(stage.Id, CancellationToken.None);
                }
            }
        }
    }

    private async Task BuildAsync(EngineAddress address)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (exitCode, output, errors) = await Shell.RunAsync("bash tests/Container/base-images", ("DOCKER_HOST", "unix://" + address.Socket));
        Assert.True(exitCode == 0, $"{output}\n{errors}");

        Engine = await EngineClient.ConnectAsync(address.CreateClient(), cancellation);
        var labels = new Dictionary<string, string> { [Label] = _run };
        await Engine.PostAsync("networks/create", new { Name = Network, CheckDuplicate = true, Labels = labels }, cancellation);

        // The classic builder, which is what the API has without a further protocol. On the machine's own network, where packages are reached.
        using var context = new BuildContext(ClientProcess.Root).ToTar();
        var query = $"t={Uri.EscapeDataString(Name)}&rm=1&forcerm=1&networkmode=host&labels={Uri.EscapeDataString(JsonSerializer.Serialize(labels))}";
        _printed = await Engine.BuildAsync(query, context, cancellation);
    }
}
