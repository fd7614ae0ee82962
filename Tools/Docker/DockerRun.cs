using System.Globalization;
using Docker.DotNet.Models;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Docker;

/// <summary>
/// A container that is to be made, with no more rights than a program needs. Nothing here can ask for privileges,
/// capabilities, devices or the machine's processes: there are no words for them. What could lead to them, folders and
/// networks of the machine, is checked against the options.
/// </summary>
internal sealed record DockerRun(
    string Image,
    string? Name,
    IReadOnlyDictionary<string, int>? Ports,
    IReadOnlyDictionary<string, string>? Environment,
    IReadOnlyList<string>? Command,
    IReadOnlyDictionary<string, string>? Volumes,
    string? Network,
    Restart Restart
)
{
    private static readonly Dictionary<string, string> NoWords = [];
    private static readonly Dictionary<string, int> NoPorts = [];

    // Whoever has one of these has the machine.
    private static readonly string[] Sockets =
    [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/containerd/containerd.sock",
        "/var/run/containerd/containerd.sock",
        "/run/podman/podman.sock",
    ];

    /// <summary>The request of containers/create; refused in a sentence when it asks for too much.</summary>
    public CreateContainerParameters ToParameters(DockerOptions options) =>
        new()
        {
            Name = Name is null ? null! : EngineClient.Name(Name),
            Image = EngineClient.IsImage().IsMatch(Image)
                ? Image
                : throw new McpException("That is no image. Write it as registry/name:tag, for example redis:7."),
            Env = [.. (Environment ?? NoWords).Select(variable => $"{Variable(variable.Key)}={variable.Value}")],
            Cmd = Command is null ? null! : [.. Command.Select(word => word ?? "")],
            ExposedPorts = (Ports ?? NoPorts).ToDictionary(port => Port(port.Key), _ => default(EmptyStruct)),
            HostConfig = new()
            {
                Binds = [.. (Volumes ?? NoWords).Select(volume => Bind(volume.Key, volume.Value ?? "", options))],
                NetworkMode = Network is null ? "default" : Allowed(Network, options),
                RestartPolicy = new() { Name = Policy },
                SecurityOpt = ["no-new-privileges"],
                PortBindings = (Ports ?? NoPorts).ToDictionary(
                    port => Port(port.Key),
                    IList<PortBinding> (port) =>
                        [new() { HostIP = options.PublishAddress, HostPort = HostPort(port.Value) }]
                ),
            },
        };

    private RestartPolicyKind Policy =>
        Restart switch
        {
            Restart.Always => RestartPolicyKind.Always,
            Restart.OnFailure => RestartPolicyKind.OnFailure,
            Restart.UnlessStopped => RestartPolicyKind.UnlessStopped,
            _ => RestartPolicyKind.No,
        };

    private static string HostPort(int port) =>
        port is >= 0 and <= 65535
            ? port.ToString(CultureInfo.InvariantCulture)
            : throw new McpException($"{port} is no port: 0 to 65535, and 0 takes a free one.");

    private static string Port(string port)
    {
        var parts = port.Split('/');
        return
            (parts is [_] or [_, "tcp" or "udp" or "sctp"])
            && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value > 0
            ? $"{value}/{(parts.Length > 1 ? parts[1] : "tcp")}"
            : throw new McpException($"'{port}' is no port of a container. Write 80, or 53/udp.");
    }

    private static string Variable(string name) =>
        name.Length > 0 && !name.Contains('=', StringComparison.Ordinal) && !name.Any(char.IsControl)
            ? name
            : throw new McpException($"'{name}' is no name of an environment variable.");

    private static string Allowed(string network, DockerOptions options) =>
        !EngineClient.IsName().IsMatch(network.Replace("container:", "", StringComparison.Ordinal))
            ? throw new McpException($"'{network}' is no network. docker_list_networks lists them.")
        : !options.AllowHostNetwork && (network == "host" || network.StartsWith("container:", StringComparison.Ordinal))
            ? throw new McpException(
                "A container may not share the network of the machine or of another container:"
                    + $" leave out network '{network}', or take one of docker_list_networks."
                    + " The operator can allow it (Docker:AllowHostNetwork)."
            )
        : network;

    private static string Bind(string source, string target, DockerOptions options)
    {
        var readOnly = target.EndsWith(":ro", StringComparison.Ordinal);
        var inside = readOnly ? target[..^3] : target;
        if (!IsPlainPath(inside) || inside == "/")
        {
            throw new McpException($"'{target}' is no folder in a container. Write /data, or /data:ro.");
        }

        if (!source.StartsWith('/'))
        {
            return EngineClient.IsName().IsMatch(source)
                ? $"{source}:{target}"
                : throw new McpException($"'{source}' is neither a volume's name nor an absolute folder.");
        }

        if (!IsPlainPath(source))
        {
            throw new McpException($"'{source}' is no plain folder: no '..', no ':' and no empty parts.");
        }

        if (!options.Binds.Any(allowed => IsBelow(source, allowed)))
        {
            var those =
                options.Binds.Count == 0 ? "None may" : $"Those below {string.Join(" and ", options.Binds)} may";
            throw new McpException(
                $"The folder {source} of the machine may not be given to a container. {those};"
                    + " the operator can allow more (Docker:AllowedBinds)."
                    + " Or keep the data in a volume: use a name without a slash."
            );
        }

        // A folder above it holds it, too. Only who names the socket itself has meant it.
        string[] sockets = options.Address?.Socket is { } own ? [.. Sockets, own] : Sockets;
        var leadsToIt = sockets.Any(socket => IsBelow(socket, source));
        return leadsToIt && !(sockets.Contains(source) && options.Binds.Contains(source))
            ? throw new McpException(
                $"{source} leads to Docker's own socket: with it a container owns the machine. It is refused."
            )
            : $"{source}:{target}";
    }

    private static bool IsBelow(string path, string folder) =>
        folder == "/"
        || path == folder.TrimEnd('/')
        || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    // The engine reads source:target:options, and cleans paths its own way.
    private static bool IsPlainPath(string path) =>
        path == "/"
        || (
            path.StartsWith('/')
            && path.Length <= 4096
            && !path.Any(letter => letter is ':' or '\\' || char.IsControl(letter))
            && path.TrimEnd('/').Split('/').Skip(1).All(part => part is not ("" or "." or ".."))
        );
}

/// <summary>What nobody uses: found, and removed.</summary>
internal static class DockerPrune
{
    private static readonly string[] BuiltIn = ["bridge", "host", "none"];

    public static async Task<PruneReport> RunAsync(
        EngineClient engine,
        PruneKind what,
        bool dryRun,
        CancellationToken ct
    )
    {
        if (dryRun)
        {
            return new(what, true, null, await UnusedAsync(engine, what, ct), null);
        }

        (IEnumerable<string>? removed, ulong space) = what switch
        {
            PruneKind.Containers => Removed(await engine.Containers.PruneContainersAsync(new(), ct)),
            PruneKind.Images => Removed(await engine.Images.PruneImagesAsync(new(), ct)),
            PruneKind.Networks => Removed(await engine.Networks.PruneNetworksAsync(new(), ct)),
            _ => Removed(await engine.Volumes.PruneAsync(Volumes(engine), ct)),
        };
        return new(what, false, [.. removed ?? []], null, (long)space);
    }

    // Since API 1.42 only volumes without a name, unless all are meant; before, the filter is unknown.
    private static VolumesPruneParameters Volumes(EngineClient engine) =>
        engine.ApiVersion >= new System.Version(1, 42)
            ? new() { Filters = EngineClient.Filters(("all", "true")) }
            : new();

    private static (IEnumerable<string>?, ulong) Removed(ContainersPruneResponse done) =>
        (done.ContainersDeleted?.OfType<string>().Select(ContainerView.ShortId), done.SpaceReclaimed);

    private static (IEnumerable<string>?, ulong) Removed(ImagesPruneResponse done) =>
        (
            done.ImagesDeleted?.Select(image => ContainerView.ShortId(image.Deleted ?? image.Untagged ?? "")),
            done.SpaceReclaimed
        );

    private static (IEnumerable<string>?, ulong) Removed(NetworksPruneResponse done) => (done.NetworksDeleted, 0);

    private static (IEnumerable<string>?, ulong) Removed(VolumesPruneResponse done) =>
        (done.VolumesDeleted, done.SpaceReclaimed);

    private static async Task<IReadOnlyList<string>> UnusedAsync(
        EngineClient engine,
        PruneKind what,
        CancellationToken ct
    )
    {
        var dangling = EngineClient.Filters(("dangling", "true"));
        switch (what)
        {
            case PruneKind.Containers:
                var stopped = EngineClient.Filters(("status", "created"), ("status", "exited"), ("status", "dead"));
                ContainersListParameters ended = new() { All = true, Filters = stopped };
                var containers = await engine.Containers.ListContainersAsync(ended, ct);
                return [.. containers.Select(ContainerView.Of).Select(container => $"{container.Id} {container.Name}")];
            case PruneKind.Images:
                var images = await engine.Images.ListImagesAsync(new() { Filters = dangling }, ct);
                return [.. images.Select(image => ContainerView.ShortId(image.ID))];
            case PruneKind.Networks:
                // Docker 20.10 lists networks as dangling that containers use.
                var networks = await engine.Networks.ListNetworksAsync(new() { Filters = dangling }, ct);
                var all = await engine.Containers.ListContainersAsync(new() { All = true }, ct);
                var used = all.SelectMany(container => container.NetworkSettings?.Networks?.Keys ?? []);
                return [.. networks.Select(network => network?.Name).OfType<string>().Except(BuiltIn).Except(used)];
            default:
                var volumes = await engine.Volumes.ListAsync(new() { Filters = dangling }, ct);
                return [.. (volumes.Volumes ?? []).Select(volume => volume?.Name).OfType<string>()];
        }
    }
}
