using System.ComponentModel;
using System.Globalization;
using System.Text.Json.Serialization;
using Docker.DotNet.Models;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Docker;

/// <summary>
/// A container to create, with no more rights than a program needs. It has no members for privileges, capabilities,
/// devices or the processes of the host. Folders and networks of the host are checked against the options.
/// </summary>
internal sealed record ContainerRequest(
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
    private static readonly Dictionary<string, string> None = [];
    private static readonly Dictionary<string, int> NoPorts = [];

    // A container that has one of these controls the host.
    private static readonly string[] Sockets =
    [
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/containerd/containerd.sock",
        "/var/run/containerd/containerd.sock",
        "/run/podman/podman.sock",
    ];

    /// <summary>The body of containers/create. What is not allowed is refused.</summary>
    public CreateContainerParameters ToParameters(DockerOptions options) =>
        new()
        {
            Name = Name is null ? null! : EngineClient.ValidName(Name),
            Image = EngineClient.IsImage().IsMatch(Image)
                ? Image
                : throw new McpException(
                    $"'{Image}' is not an image name. Write it registry/name:tag, for example redis:7."
                ),
            Env = [.. (Environment ?? None).Select(variable => $"{Variable(variable.Key)}={variable.Value}")],
            Cmd = Command is null ? null! : [.. Command.Select(word => word ?? "")],
            ExposedPorts = (Ports ?? NoPorts).ToDictionary(port => Port(port.Key), _ => default(EmptyStruct)),
            HostConfig = new()
            {
                Binds = [.. (Volumes ?? None).Select(volume => Bind(volume.Key, volume.Value ?? "", options))],
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
            : throw new McpException(
                $"A host port must be from 0 to 65535, where 0 takes a free one; you sent {port}."
            );

    private static string Port(string port)
    {
        var parts = port.Split('/');
        return
            (parts is [_] or [_, "tcp" or "udp" or "sctp"])
            && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value > 0
            ? $"{value}/{(parts.Length > 1 ? parts[1] : "tcp")}"
            : throw new McpException($"'{port}' is not a container port. Write 80, or 53/udp.");
    }

    private static string Variable(string name) =>
        name.Length > 0 && !name.Contains('=', StringComparison.Ordinal) && !name.Any(char.IsControl)
            ? name
            : throw new McpException(
                $"'{name}' is not a name of an environment variable: it may not be empty or contain '='."
            );

    private static string Allowed(string network, DockerOptions options) =>
        !EngineClient.IsName().IsMatch(network.Replace("container:", "", StringComparison.Ordinal))
            ? throw new McpException($"'{network}' is not a network name. docker_list_networks lists the networks.")
        : !options.AllowHostNetwork && (network == "host" || network.StartsWith("container:", StringComparison.Ordinal))
            ? throw new McpException(
                "A container may not share the network of the host or of another container."
                    + $" Leave out network '{network}', or use one of docker_list_networks."
                    + " The operator can allow it with Docker:AllowHostNetwork."
            )
        : network;

    private static string Bind(string source, string target, DockerOptions options)
    {
        var readOnly = target.EndsWith(":ro", StringComparison.Ordinal);
        var inside = readOnly ? target[..^3] : target;
        if (!IsPlainPath(inside) || inside == "/")
        {
            throw new McpException($"'{target}' is not a folder in a container. Write /data, or /data:ro.");
        }

        if (!source.StartsWith('/'))
        {
            return EngineClient.IsName().IsMatch(source)
                ? $"{source}:{target}"
                : throw new McpException($"'{source}' is neither a volume name nor an absolute folder.");
        }

        if (!IsPlainPath(source))
        {
            throw new McpException($"'{source}' is not a plain folder: '..', ':' and empty parts are not allowed.");
        }

        if (!options.Binds.Any(folder => IsBelow(source, folder)))
        {
            var allowed =
                options.Binds.Count == 0
                    ? "No folder is allowed"
                    : $"Allowed are those below {string.Join(" and ", options.Binds)}";
            throw new McpException(
                $"The folder {source} of the host is not allowed in a container. {allowed};"
                    + " the operator can allow more with Docker:AllowedBinds."
                    + " Or keep the data in a volume: use a name without a slash."
            );
        }

        // A folder above the socket holds it, too. It is allowed only when the operator names the socket itself.
        string[] sockets = options.Address?.Socket is { } own ? [.. Sockets, own] : Sockets;
        var leadsToIt = sockets.Any(socket => IsBelow(socket, source));
        return leadsToIt && !(sockets.Contains(source) && options.Binds.Contains(source))
            ? throw new McpException(
                $"{source} leads to the Docker socket, and with that a container controls the host. It is refused."
            )
            : $"{source}:{target}";
    }

    private static bool IsBelow(string path, string folder) =>
        folder == "/"
        || path == folder.TrimEnd('/')
        || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    // Docker reads source:target:options, and normalizes paths in its own way.
    private static bool IsPlainPath(string path) =>
        path == "/"
        || (
            path.StartsWith('/')
            && path.Length <= 4096
            && !path.Any(letter => letter is ':' or '\\' || char.IsControl(letter))
            && path.TrimEnd('/').Split('/').Skip(1).All(part => part is not ("" or "." or ".."))
        );
}

[JsonConverter(typeof(JsonStringEnumConverter<ContainerAction>))]
internal enum ContainerAction
{
    [JsonStringEnumMemberName("start")]
    Start,

    [JsonStringEnumMemberName("stop")]
    Stop,

    [JsonStringEnumMemberName("restart")]
    Restart,

    [JsonStringEnumMemberName("remove")]
    Remove,
}

[JsonConverter(typeof(JsonStringEnumConverter<Restart>))]
internal enum Restart
{
    [JsonStringEnumMemberName("no")]
    No,

    [JsonStringEnumMemberName("on-failure")]
    OnFailure,

    [JsonStringEnumMemberName("unless-stopped")]
    UnlessStopped,

    [JsonStringEnumMemberName("always")]
    Always,
}

[JsonConverter(typeof(JsonStringEnumConverter<PruneKind>))]
internal enum PruneKind
{
    [JsonStringEnumMemberName("containers")]
    Containers,

    [JsonStringEnumMemberName("images")]
    Images,

    [JsonStringEnumMemberName("networks")]
    Networks,

    [JsonStringEnumMemberName("volumes")]
    Volumes,
}

internal sealed record ContainerChange(
    string Container,
    [property: Description("What happened, for example \"started\" or \"was running already\".")] string Result
);

internal sealed record PullResult(
    string Image,
    [property: Description("pulled, or pulling while the pull goes on.")] string Status,
    string Detail
);

internal sealed record RunResult(
    [property: Description("Container ID; empty in a dry run.")] string Id,
    [property: Description("State of the container, for example running or exited.")] string Status,
    [property: Description("Published ports, for example \"127.0.0.1:8080->80/tcp\".")] IReadOnlyList<string> Ports,
    [property: Description("Exit code; only with detach false, when it has ended.")] int? ExitCode,
    [property: Description("What it printed; only with detach false.")] LogText? Log
);

internal sealed record PruneResult(
    PruneKind What,
    [property: Description("true: nothing was removed; unused lists what would be.")] bool DryRun,
    [property: Description("The removed objects; absent in a dry run.")] IReadOnlyList<string>? Removed,
    [property: Description("The objects that would be removed; only in a dry run.")] IReadOnlyList<string>? Unused,
    long? SpaceReclaimedBytes
);
