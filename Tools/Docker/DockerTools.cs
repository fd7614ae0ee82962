using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using MinimalMcp.Engine;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Docker;

[McpServerToolType]
public sealed class DockerTools(
    DockerClient docker,
    DockerPulls pulls,
    IOptions<DockerOptions> options,
    TimeProvider time
)
{
    [McpServerTool(
        Name = "docker_list_containers",
        Title = "List containers",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Lists the containers of the Docker engine with state, health and ports. Start here: other tools need"
            + " the name or id that this returns."
    )]
    public Task<ContainerList> ListContainers(
        [Description("Include stopped containers.")] bool all = false,
        [Description("Only those whose name or image has these letters."), StringLength(200)] string? name = null,
        [Description("Only those in this state.")] ContainerStatus? status = null,
        [Description("Only those in this health.")] ContainerHealthStatus? health = null,
        [Description("At most this many."), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) =>
        docker.AskAsync(
            engine => ContainerList.ReadAsync(engine, all, status, health, name, stack: null, limit, ct),
            ct
        );

    [McpServerTool(
        Name = "docker_container_action",
        Title = "Start, stop, restart or remove a container",
        ReadOnly = false,
        Destructive = true,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "HIGH")]
    [Description(
        "Starts, stops, restarts or removes a container. remove takes a stopped one only, and its anonymous"
            + " volumes with it; named volumes stay."
    )]
    public Task<ActionResult> ContainerAction(
        [Description("What to do.")] ContainerAction action,
        [Description("Container name or ID"), StringLength(255, MinimumLength = 1)] string container,
        CancellationToken ct = default
    ) =>
        docker.AskAsync(
            async engine =>
            {
                EngineClient.Name(container);
                switch (action)
                {
                    case Docker.ContainerAction.Start:
                        var started = await engine.Containers.StartContainerAsync(container, new(), ct);
                        return new ActionResult(container, started ? "started" : "was running already");
                    case Docker.ContainerAction.Stop:
                        return new(container, await Stopping.StopAsync(engine, container, ct));
                    case Docker.ContainerAction.Restart:
                        return new(container, await Stopping.RestartAsync(engine, container, time, ct));
                    default:
                        await engine.Containers.RemoveContainerAsync(container, new() { RemoveVolumes = true }, ct);
                        return new(container, "removed");
                }
            },
            ct
        );

    [McpServerTool(
        Name = "docker_run_container",
        Title = "Run a container",
        ReadOnly = false,
        Destructive = true,
        Idempotent = false,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "HIGH")]
    [Description(
        "Makes a container of an image that is there (docker_pull_image fetches one) and starts it, without"
            + " extra rights. With detach false it waits up to 20 seconds for its end and gives exit code and log."
    )]
    public Task<RunResult> RunContainer(
        [Description("Image name, for example redis:7."), StringLength(255, MinimumLength = 1)] string image,
        [Description("Container name. Leave out for one that Docker makes up."), StringLength(255)] string? name = null,
        [Description(
            "Port mappings {container_port: host_port}, for example {\"80\": 8080}. Host port 0 takes a free" + " one."
        )]
            IReadOnlyDictionary<string, int>? ports = null,
        [Description("Environment variables {name: value}.")] IReadOnlyDictionary<string, string>? environment = null,
        [Description("false waits for the end of the container, for a short job.")] bool detach = true,
        [Description("The command instead of the image's own, as a list of words."), MaxLength(100)]
            IReadOnlyList<string>? command = null,
        [Description(
            "Where data is kept {volume name or folder of the host: folder in the container}; \":ro\" at the"
                + " end makes it read-only. Folders only where the operator allows."
        )]
            IReadOnlyDictionary<string, string>? volumes = null,
        [Description("A network of docker_list_networks."), StringLength(255)] string? network = null,
        [Description("When it is started again by itself.")] Restart restart = Restart.No,
        CancellationToken ct = default
    ) =>
        docker.RunAsync(new DockerRun(image, name, ports, environment, command, volumes, network, restart), detach, ct);

    [McpServerTool(
        Name = "docker_list_images",
        Title = "List images",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the images that the Docker engine has, with tags and size.")]
    public Task<ImageList> ListImages(
        [Description("At most this many."), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => ImageList.ReadAsync(engine, limit, ct), ct);

    [McpServerTool(
        Name = "docker_pull_image",
        Title = "Pull an image",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = true,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "MEDIUM")]
    [McpMeta("addresses", "image")]
    [Description(
        "Fetches an image from its registry. A large one goes on in the background: call again with the same"
            + " image until the status is pulled."
    )]
    public Task<PullResult> PullImage(
        [Description("Image name with optional tag, for example redis:7. Without a tag it is latest.")]
        [StringLength(255, MinimumLength = 1)]
            string image,
        CancellationToken ct = default
    ) => pulls.PullAsync(image, ct);

    [McpServerTool(
        Name = "docker_container_logs",
        Title = "Container logs",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Shows what a container printed, the newest lines, oldest of them first.")]
    public Task<LogText> ContainerLogs(
        [Description("Container name or ID"), StringLength(255, MinimumLength = 1)] string container,
        [Description("Number of lines to show"), Range(1, 5000)] int tail = 100,
        [Description(
            "Only lines since then: a time (2026-01-31T08:00:00Z), seconds since 1970, or how long ago (90s,"
                + " 15m, 1h30m, 2d)."
        )]
        [StringLength(40, MinimumLength = 1)]
            string? since = null,
        [Description("Only lines with these letters. It looks through the lines of tail."), StringLength(200)]
            string? grep = null,
        [Description("Put the time before each line.")] bool timestamps = false,
        CancellationToken ct = default
    )
    {
        DateTimeOffset? from = since is null
            ? null
            : LogText.ParseTime(since, time.GetUtcNow())
                ?? throw new McpException(
                    $"since is no time: '{since}'. Write 2026-01-31T08:00:00Z, or how long ago: 90s, 15m, 1h30m, 2d."
                );
        var query = new LogQuery
        {
            Tail = tail,
            Since = from,
            Timestamps = timestamps,
        };
        return docker.AskAsync(engine => LogText.ReadAsync(engine, container, query, grep, ct), ct);
    }

    [McpServerTool(
        Name = "docker_container_inspect",
        Title = "Inspect a container",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Shows a container in detail: state, health, last health check, restarts, command, ports, networks,"
            + " mounts. Values of its environment are left out."
    )]
    public Task<ContainerReport> ContainerInspect(
        [Description("Container name or ID"), StringLength(255, MinimumLength = 1)] string container,
        CancellationToken ct = default
    ) =>
        docker.AskAsync(
            async engine =>
            {
                var found = await engine.Containers.InspectContainerAsync(EngineClient.Name(container), ct);
                return ContainerReport.Of(found, options.Value.ShowEnvironment);
            },
            ct
        );

    [McpServerTool(
        Name = "docker_list_networks",
        Title = "List networks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the networks of the Docker engine with driver and address ranges.")]
    public Task<NetworkList> ListNetworks(
        [Description("At most this many."), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => NetworkList.ReadAsync(engine, limit, ct), ct);

    [McpServerTool(
        Name = "docker_list_volumes",
        Title = "List volumes",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the volumes of the Docker engine, where containers keep their data.")]
    public Task<VolumeList> ListVolumes(
        [Description("At most this many."), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => VolumeList.ReadAsync(engine, limit, ct), ct);

    [McpServerTool(
        Name = "docker_prune",
        Title = "Remove what is unused",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "CRITICAL")]
    [Description(
        "Removes what is unused of one kind: stopped containers, images without a tag, networks without"
            + " containers, or volumes without containers, whose data is lost. Call with dry_run true first: it lists"
            + " them."
    )]
    public Task<PruneReport> Prune(
        [Description("What to remove.")] PruneKind what,
        [Description("true only lists what would be removed, and removes nothing.")] bool dry_run = false,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => DockerPrune.RunAsync(engine, what, dry_run, ct), ct);
}

[JsonConverter(typeof(JsonStringEnumConverter<ContainerAction>))]
public enum ContainerAction
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
public enum Restart
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
public enum PruneKind
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

public sealed record ActionResult(
    string Container,
    [property: Description("What became of it, for example \"started\" or \"was running already\".")] string Result
);

public sealed record PullResult(
    string Image,
    [property: Description("pulled, or pulling while it goes on.")] string Status,
    string Detail
);

public sealed record RunResult(
    string Id,
    [property: Description("running or exited.")] string Status,
    [property: Description("Where its ports are published.")] IReadOnlyList<string> Ports,
    [property: Description("Only when its end was waited for.")] int? ExitCode,
    LogText? Log
);

public sealed record PruneReport(
    PruneKind What,
    [property: Description("Whether this only lists what would be removed.")] bool DryRun,
    [property: Description("What was removed; absent in a dry run.")] IReadOnlyList<string>? Removed,
    [property: Description("What a call without dry_run would remove; only in a dry run.")]
        IReadOnlyList<string>? Unused,
    long? SpaceReclaimedBytes
);
