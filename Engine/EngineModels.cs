using System.Text.Json;

namespace MinimalMcp.Engine;

// What the API answers, as far as it is used. The names are the API's own; what it may leave out, or send as null, is nullable.

public sealed record ContainerSummary(
    string Id, IReadOnlyList<string>? Names, string? Image, string? ImageID, string? Command, long Created, IReadOnlyList<PublishedPort>? Ports,
    IReadOnlyDictionary<string, string>? Labels, string? State, string? Status);

public sealed record PublishedPort(string? IP, int PrivatePort, int? PublicPort, string? Type);

public sealed record ContainerDetails(
    string Id, string? Name, string? Created, string? Image, int RestartCount, ContainerState? State, ContainerConfig? Config, HostConfig? HostConfig,
    IReadOnlyList<MountPoint>? Mounts, NetworkSettings? NetworkSettings);

public sealed record ContainerState(string? Status, bool Running, bool OOMKilled, int ExitCode, string? Error, string? StartedAt, string? FinishedAt, ContainerHealth? Health);

public sealed record ContainerHealth(string? Status, int FailingStreak, IReadOnlyList<HealthProbe>? Log);

public sealed record HealthProbe(string? End, int ExitCode, string? Output);

public sealed record ContainerConfig(
    bool Tty, string? Image, string? User, string? WorkingDir, IReadOnlyList<string>? Env, IReadOnlyList<string>? Cmd, IReadOnlyList<string>? Entrypoint, IReadOnlyDictionary<string, string>? Labels);

public sealed record HostConfig(string? NetworkMode, bool Privileged, RestartPolicy? RestartPolicy, long Memory);

public sealed record RestartPolicy(string? Name);

public sealed record MountPoint(string? Type, string? Name, string? Source, string? Destination, bool RW);

public sealed record NetworkSettings(IReadOnlyDictionary<string, IReadOnlyList<PortBinding>?>? Ports, IReadOnlyDictionary<string, EndpointSettings>? Networks);

public sealed record PortBinding(string? HostIp, string? HostPort);

public sealed record EndpointSettings(string? IPAddress, IReadOnlyList<string>? Aliases);

public sealed record ImageSummary(string Id, IReadOnlyList<string>? RepoTags, IReadOnlyList<string>? RepoDigests, long Created, long Size, IReadOnlyDictionary<string, string>? Labels);

public sealed record VolumeSummary(string Name, string? Driver, string? CreatedAt, IReadOnlyDictionary<string, string>? Labels);

public sealed record NetworkSummary(string Id, string Name, string? Driver, string? Scope, bool Internal, string? Created, IReadOnlyDictionary<string, string>? Labels, JsonElement IPAM);

public sealed record PruneResult(
    IReadOnlyList<string>? ContainersDeleted = null, IReadOnlyList<JsonElement>? ImagesDeleted = null, IReadOnlyList<string>? NetworksDeleted = null, IReadOnlyList<string>? VolumesDeleted = null, long SpaceReclaimed = 0);
