using System.Globalization;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Docker;

/// <summary>
/// A container that is to be made, with no more rights than a program needs. Nothing here can ask for privileges, capabilities, devices or the
/// machine's processes: there are no words for them. What could lead to them, folders and networks of the machine, is held against the options.
/// </summary>
internal sealed record DockerRun(
    string Image, string? Name, IReadOnlyDictionary<string, int>? Ports, IReadOnlyDictionary<string, string>? Environment, IReadOnlyList<string>? Command,
    IReadOnlyDictionary<string, string>? Volumes, string? Network, Restart Restart)
{
    // Whoever has one of these has the machine.
    private static readonly string[] Sockets = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock", "/run/podman/podman.sock"];

    /// <summary>The body of containers/create; refused in a sentence when it asks for too much.</summary>
    public object ToConfiguration(DockerOptions options) => new
    {
        Image = EngineClient.IsImage().IsMatch(Image) ? Image : throw new McpException("That is no image. Write it as registry/name:tag, for example redis:7."),
        Env = (Environment ?? new Dictionary<string, string>()).Select(variable => $"{Variable(variable.Key)}={variable.Value}"),
        Cmd = Command,
        ExposedPorts = (Ports ?? new Dictionary<string, int>()).ToDictionary(port => Port(port.Key), _ => new { }),
        HostConfig = new
        {
            Binds = (Volumes ?? new Dictionary<string, string>()).Select(volume => Bind(volume.Key, volume.Value, options)),
            NetworkMode = Network is null ? "default" : Allowed(Network, options),
            RestartPolicy = new { Name = Restart switch { Restart.Always => "always", Restart.OnFailure => "on-failure", Restart.UnlessStopped => "unless-stopped", _ => "no" } },
            SecurityOpt = (string[])["no-new-privileges"],
            PortBindings = (Ports ?? new Dictionary<string, int>()).ToDictionary(port => Port(port.Key), port => new[]
            {
                new { HostIp = options.PublishAddress, HostPort = port.Value is >= 0 and <= 65535 ? port.Value.ToString(CultureInfo.InvariantCulture) : throw new McpException($"{port.Value} is no port: 0 to 65535, and 0 takes a free one.") },
            }),
        },
    };

    private static string Port(string port)
    {
        var parts = port.Split('/');
        return (parts is [_] or [_, "tcp" or "udp" or "sctp"]) && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0
            ? $"{value}/{(parts.Length > 1 ? parts[1] : "tcp")}"
            : throw new McpException($"'{port}' is no port of a container. Write 80, or 53/udp.");
    }

    private static string Variable(string name) => name.Length > 0 && !name.Contains('=', StringComparison.Ordinal) && !name.Any(char.IsControl)
        ? name : throw new McpException($"'{name}' is no name of an environment variable.");

    private static string Allowed(string network, DockerOptions options) =>
        !EngineClient.IsName().IsMatch(network.Replace("container:", "", StringComparison.Ordinal)) ? throw new McpException($"'{network}' is no network. docker_list_networks lists them.")
        : !options.AllowHostNetwork && (network == "host" || network.StartsWith("container:", StringComparison.Ordinal)) ? throw new McpException($"A container may not share the network of the machine or of another container here: leave out network '{network}', or take one of docker_list_networks. The operator can allow it (Docker:AllowHostNetwork).")
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
            return EngineClient.IsName().IsMatch(source) ? $"{source}:{target}" : throw new McpException($"'{source}' is neither a volume's name nor an absolute folder.");
        }

        if (!IsPlainPath(source))
        {
            throw new McpException($"'{source}' is no plain folder: no '..', no ':' and no empty parts.");
        }

        if (!options.Binds.Any(allowed => IsBelow(source, allowed)))
        {
            throw new McpException($"The folder {source} of the machine may not be given to a container. {(options.Binds.Count == 0 ? "None may" : $"Those below {string.Join(" and ", options.Binds)} may")}; the operator can allow more (Docker:AllowedBinds). Or keep the data in a volume: use a name without a slash.");
        }

        // A folder above it holds it, too. Only who names the socket itself has meant it.
        var sockets = options.Address?.Socket is { } own ? Sockets.Append(own) : Sockets;
        return sockets.Any(socket => IsBelow(socket, source)) && !options.Binds.Contains(source, StringComparer.Ordinal)
            ? throw new McpException($"{source} leads to the engine's own socket: with it a container owns the machine. It is refused.")
            : $"{source}:{target}";
    }

    private static bool IsBelow(string path, string folder) => folder == "/" || path == folder.TrimEnd('/') || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    // The engine reads source:target:options, and cleans paths its own way.
    private static bool IsPlainPath(string path) => path == "/" || (path.StartsWith('/') && path.Length <= 4096
        && !path.Any(letter => letter is ':' or '\\' || char.IsControl(letter)) && path.TrimEnd('/').Split('/').Skip(1).All(part => part is not ("" or "." or "..")));
}

/// <summary>What nobody uses: found, and removed.</summary>
internal static class DockerPrune
{
    private static readonly string[] BuiltIn = ["bridge", "host", "none"];

    public static async Task<PruneReport> RunAsync(EngineClient engine, PruneKind what, bool dryRun, CancellationToken ct)
    {
        if (dryRun)
        {
            return new(what, true, await UnusedAsync(engine, what, ct), null);
        }

        // Since API 1.42 only volumes without a name, unless all are meant; before, the filter is unknown.
        var all = what is PruneKind.Volumes && engine.ApiVersion >= new Version(1, 42) ? new[] { ("all", "true") } : [];
        var done = await engine.PruneAsync(what.ToString().ToLowerInvariant(), ct, all);
        var removed = done.ContainersDeleted ?? done.NetworksDeleted ?? done.VolumesDeleted ?? [.. (done.ImagesDeleted ?? []).Select(image => image.Deleted ?? image.Untagged).OfType<string>()];
        return new(what, false, [.. removed.Select(name => what is PruneKind.Containers or PruneKind.Images ? ContainerView.ShortId(name) : name)], done.SpaceReclaimed);
    }

    private static async Task<IReadOnlyList<string>> UnusedAsync(EngineClient engine, PruneKind what, CancellationToken ct) => what switch
    {
        PruneKind.Containers => [.. (await engine.ContainersAsync(all: true, ct, ("status", "created"), ("status", "exited"), ("status", "dead"))).Select(ContainerView.Of).Select(container => $"{container.Id} {container.Name}")],
        PruneKind.Images => [.. (await engine.ImagesAsync(ct, ("dangling", "true"))).Select(image => ContainerView.ShortId(image.Id))],
        PruneKind.Networks => [.. (await engine.NetworksAsync(ct, ("dangling", "true"))).Select(network => network.Name).Except(BuiltIn)],
        _ => [.. (await engine.VolumesAsync(ct, ("dangling", "true"))).Select(volume => volume.Name)],
    };
}
