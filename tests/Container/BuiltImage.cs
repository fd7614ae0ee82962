using System.Formats.Tar;
using System.Text;
using Docker.DotNet.Models;
using MinimalMcp.Engine;
using MinimalMcp.Tests.Clients;
using MinimalMcp.Tests.Scripts;

namespace MinimalMcp.Tests.Container;

/// <summary>
/// The image of this tree, built once for all tests that run it. Everything that is made carries the run's label, and
/// goes in the end.
/// </summary>
public sealed class BuiltImage : IAsyncLifetime
{
    // Its package comes from a registry that not every machine reaches.
    private static readonly Dictionary<string, string> WithoutUv = new() { ["UV_VERSION"] = "" };

    private const string Label = "minimalmcp.test-run";
    private readonly string _run = Guid.NewGuid().ToString("N")[..12];
    private readonly SemaphoreSlim _once = new(1);
    private Task? _built;
    private Task? _builtHub;
    private string _printed = "";

    public string Name => $"minimal-mcp-test:{_run}";

    /// <summary>The image of the target hub.</summary>
    public string HubName => $"minimal-mcp-hub-test:{_run}";

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

    /// <summary>The same for the target hub, of which only the labels are new.</summary>
    public async Task BuildHubAsync()
    {
        await BuildAsync();
        await _once.WaitAsync();
        try
        {
            await (_builtHub ??= BuildAsync(HubName, "hub"));
        }
        finally
        {
            _once.Release();
        }
    }

    /// <summary>
    /// Starts a container of the target hub with these capabilities, as this user or the image's own, with these files
    /// in the home of its servers.
    /// </summary>
    internal async Task<RunningContainer> StartHubAsync(
        string[] capabilities,
        string[] environment,
        string? user = null,
        Func<TarWriter, CancellationToken, Task>? files = null
    )
    {
        await BuildHubAsync();
        var container = Parameters(HubName, environment);
        container.User = user ?? "";
        container.HostConfig!.CapAdd = capabilities;
        var made = await Engine.Containers.CreateContainerAsync(container, TestContext.Current.CancellationToken);
        if (files is not null)
        {
            await using var tar = await Tar.PackAsync(files, TestContext.Current.CancellationToken);
            await Engine.Containers.ExtractArchiveToContainerAsync(
                made.ID,
                new() { Path = "/home/servers" },
                tar,
                TestContext.Current.CancellationToken
            );
        }

        await Engine.Containers.StartContainerAsync(made.ID, new(), TestContext.Current.CancellationToken);
        return new(Engine, made.ID);
    }

    /// <summary>
    /// Starts a container as docs/operate/container.md says: no capabilities, nothing writable, one port, on this
    /// machine only.
    /// </summary>
    internal async Task<RunningContainer> StartAsync(params string[] environment)
    {
        await BuildAsync();
        var made = await Engine.Containers.CreateContainerAsync(
            Parameters(Name, environment),
            TestContext.Current.CancellationToken
        );
        await Engine.Containers.StartContainerAsync(made.ID, new(), TestContext.Current.CancellationToken);
        return new(Engine, made.ID);
    }

    private CreateContainerParameters Parameters(string image, string[] environment) =>
        new()
        {
            Image = image,
            Env = environment,
            Labels = new Dictionary<string, string> { [Label] = _run },
            // what is asked stays what the image says
            Healthcheck = new() { Interval = TimeSpan.FromMilliseconds(200) },
            HostConfig = new()
            {
                NetworkMode = Network, // not the default one, which an engine may lack
                ReadonlyRootfs = true,
                CapDrop = ["ALL"],
                SecurityOpt = ["no-new-privileges"],
                PortBindings = new Dictionary<string, IList<PortBinding>>
                {
                    ["3001/tcp"] = [new() { HostIP = "127.0.0.1", HostPort = "" }],
                },
            },
        };

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
            var dangling = EngineClient.Filters(("dangling", "true"));
            foreach (var stage in await Engine.Images.ListImagesAsync(new() { Filters = dangling }))
            {
                if (_printed.Contains(stage.ID["sha256:".Length..][..12], StringComparison.Ordinal))
                {
                    await Engine.Images.DeleteImageAsync(stage.ID, new() { Force = true });
                }
            }
        }
    }

    private async Task BuildAsync(EngineAddress address)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (exitCode, output, errors) = await Shell.RunAsync(
            "bash tests/Container/base-images",
            ("DOCKER_HOST", "unix://" + address.Socket)
        );
        Assert.True(exitCode == 0, $"{output}\n{errors}");

        Engine = await EngineClient.ConnectAsync(address.CreateHandler(), address.Url, cancellation);
        var labels = new Dictionary<string, string> { [Label] = _run };
        await Engine.Networks.CreateNetworkAsync(new() { Name = Network, Labels = labels }, cancellation);

        await BuildAsync(Name, null);
    }

    // The classic builder, which is what the API has without a further protocol. On the machine's own network, where
    // packages are reached.
    private async Task BuildAsync(string name, string? target)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var context = await new BuildContext(ClientProcess.Root).ToTarAsync(cancellation);
        var parameters = new ImageBuildParameters
        {
            Tags = [name],
            Target = target,
            BuildArgs = WithoutUv,
            Remove = true,
            ForceRemove = true,
            NetworkMode = "host",
            Labels = new Dictionary<string, string> { [Label] = _run },
        };
        var printed = new StringBuilder();
        string? failure = null;
        var messages = new EngineClient.Reports<JSONMessage>(message =>
        {
            printed.Append(message.Stream);
            failure ??= message.Error?.Message;
        });
        await Engine.Images.BuildImageFromDockerfileAsync(parameters, context, null, null, messages, cancellation);
        _printed += printed.ToString();
        Assert.True(failure is null, $"{failure}\n{_printed}");
    }
}
