using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using MinimalMcp.Engine;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Docker;

[McpServerToolType]
internal sealed class DockerTools(
    DockerClient docker,
    DockerPulls pulls,
    IOptions<DockerOptions> options,
    TimeProvider time
)
{
    private const string Name = "Container name or ID from docker_list_containers, for example web-1.";
    private const string Limit = "Maximum number of entries, 1 to 200. Default 50.";
    private const string Offset = "Number of entries to skip, for the next part of a long list. Default 0.";

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
        "List the containers of the Docker Engine with ID, name, image, state, health, ports and stack. Running"
            + " ones only, unless all is true. Use it to find the name or ID that the other docker_ container tools"
            + " take; use docker_container_inspect for the details of one."
    )]
    public Task<ContainerList> ListContainers(
        [Description("true includes stopped containers. Default false.")] bool all = false,
        [Description("Part of the name or image, in any case, for example redis."), StringLength(200)]
            string? name = null,
        [Description("Only containers in this state, also stopped ones.")] ContainerStatus? status = null,
        [Description("Only containers with this result of their health check.")] ContainerHealthStatus? health = null,
        [Description("Only containers of this Compose project or Swarm stack, for example shop."), StringLength(200)]
            string? stack = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var filter = new ContainerFilter(all, status, health, name, stack);
        return docker.AskAsync(engine => ContainerList.ReadAsync(engine, filter, new(limit, offset), ct), ct);
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
        "Show the configuration and state of one container: exit code, restarts, last health check, command,"
            + " ports, networks, mounts, labels. Use it to find out why a container does not run; use"
            + " docker_container_logs for its output. Values that look like secrets are redacted."
    )]
    public Task<ContainerDetails> ContainerInspect(
        [Description(Name), StringLength(255, MinimumLength = 1)] string container,
        CancellationToken ct = default
    ) =>
        docker.AskAsync(
            async engine =>
            {
                var found = await engine.Containers.InspectContainerAsync(EngineClient.ValidName(container), ct);
                return ContainerDetails.Of(found, options.Value.ShowEnvironment);
            },
            ct
        );

    [McpServerTool(
        Name = "docker_container_logs",
        Title = "Container logs",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Read the newest lines that a container printed, oldest first. Use grep to search a long log. The answer has at"
            + " most 40,000 characters, and 4,000 of a line; what did not fit is reported in note with the value of"
            + " until that reads it."
    )]
    public Task<LogText> ContainerLogs(
        [Description(Name), StringLength(255, MinimumLength = 1)] string container,
        [Description("Number of newest lines to read and search, 1 to 5000. Default 100."), Range(1, 5000)]
            int tail = 100,
        [Description("Only lines since this time, " + LogTime.Formats), StringLength(40, MinimumLength = 1)]
            string? since = null,
        [Description(
            "Only lines up to this time, written like since. The newest lines before it are counted for tail."
        )]
        [StringLength(40, MinimumLength = 1)]
            string? until = null,
        [Description("Of the lines of tail only those with this text, in any case, for example error.")]
        [StringLength(200)]
            string? grep = null,
        [Description("true puts the time before each line. Default false.")] bool timestamps = false,
        CancellationToken ct = default
    )
    {
        var query = new LogQuery
        {
            Tail = tail,
            Since = Time(nameof(since), since),
            Until = Time(nameof(until), until),
            Grep = grep,
            Timestamps = timestamps,
        };
        return docker.AskAsync(engine => LogText.ReadAsync(engine, container, query, ct), ct);
    }

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
        "Start, stop, restart or remove one container. stop and restart wait for its stop timeout (10"
            + " seconds by default, at most 20) and report when Docker killed it. remove takes stopped"
            + " containers only; named volumes stay. Use docker_run_container to create one, docker_prune to"
            + " remove all stopped ones."
    )]
    public Task<ContainerChange> ContainerAction(
        [Description("What to do with the container.")] ContainerAction action,
        [Description(Name), StringLength(255, MinimumLength = 1)] string container,
        [Description(
            "true also stops or restarts the container of this server, which then cannot answer. Default false."
        )]
            bool force = false,
        [Description("true checks that the container exists and reports what would happen; nothing changes.")]
            bool dry_run = false,
        CancellationToken ct = default
    ) =>
        docker.AskAsync(
            async engine =>
            {
                await RefuseThisServerAsync(engine, action, container, force, ct);
                return new ContainerChange(
                    container,
                    dry_run
                        ? await ContainerLifecycle.PreviewAsync(engine, container, Done(action), ct)
                        : await ActAsync(engine, action, container, ct)
                );
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
        "Create a container from an image that Docker has (docker_pull_image fetches one) and start it,"
            + " without extra privileges. Returns ID, state and ports. With detach false it waits up to 20"
            + " seconds and returns exit code and output. Use docker_container_action to start an existing"
            + " container."
    )]
    public Task<RunResult> RunContainer(
        [Description("Image name with tag, for example redis:7."), StringLength(255, MinimumLength = 1)] string image,
        [Description("Name of the new container, for example cache. Default: Docker chooses one."), StringLength(255)]
            string? name = null,
        [Description(
            "Published ports {container port: host port}, for example {\"80\": 8080}. Host port 0 takes a free one."
        )]
            IReadOnlyDictionary<string, int>? ports = null,
        [Description("Environment variables {name: value}, for example {\"TZ\": \"UTC\"}.")]
            IReadOnlyDictionary<string, string>? environment = null,
        [Description("false waits for the end of the container, for a short job. Default true.")] bool detach = true,
        [Description("Command and arguments instead of the image's own, for example [\"sleep\", \"60\"].")]
        [MaxLength(100)]
            IReadOnlyList<string>? command = null,
        [Description(
            "Mounts {volume name or host folder: container folder}, for example {\"data\": \"/data\"}. \":ro\""
                + " at the end makes it read-only. Host folders only where the operator allows them."
        )]
            IReadOnlyDictionary<string, string>? volumes = null,
        [Description("Network from docker_list_networks, for example shop_default. Default: Docker's default network.")]
        [StringLength(255)]
            string? network = null,
        [Description("When Docker starts the container again by itself. Default no.")] Restart restart = Restart.No,
        [Description("true checks the arguments, the image and the name, and creates nothing.")] bool dry_run = false,
        CancellationToken ct = default
    )
    {
        var request = new ContainerRequest(image, name, ports, environment, command, volumes, network, restart);
        return dry_run ? docker.PreviewRunAsync(request, ct) : docker.RunAsync(request, detach, ct);
    }

    [McpServerTool(
        Name = "docker_list_images",
        Title = "List images",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the images that the Docker Engine has, with ID, tags, size in bytes and time of their build. Use"
            + " docker_pull_image to fetch another."
    )]
    public Task<ImageList> ListImages(
        [Description("Part of a tag, in any case, for example redis."), StringLength(200)] string? name = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => ImageList.ReadAsync(engine, name, new(limit, offset), ct), ct);

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
        "Pull an image from its registry. Returns status pulled or, after 20 seconds, pulling: then call again with the"
            + " same image until it is pulled. At most 4 images are pulled at a time."
    )]
    public Task<PullResult> PullImage(
        [Description("Image name with optional tag, for example redis:7. Default tag: latest.")]
        [StringLength(255, MinimumLength = 1)]
            string image,
        [Description("true only checks whether Docker has the image already.")] bool dry_run = false,
        CancellationToken ct = default
    ) => dry_run ? pulls.PreviewAsync(image, ct) : pulls.PullAsync(image, ct);

    [McpServerTool(
        Name = "docker_list_networks",
        Title = "List networks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("List the networks of the Docker Engine with ID, name, driver, scope and subnets.")]
    public Task<NetworkList> ListNetworks(
        [Description("Part of the network's name, in any case, for example shop."), StringLength(200)]
            string? name = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => NetworkList.ReadAsync(engine, name, new(limit, offset), ct), ct);

    [McpServerTool(
        Name = "docker_list_volumes",
        Title = "List volumes",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the volumes of the Docker Engine with name, driver and stack. docker_container_inspect shows which"
            + " volumes a container mounts."
    )]
    public Task<VolumeList> ListVolumes(
        [Description("Part of the volume's name, in any case, for example data."), StringLength(200)]
            string? name = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => VolumeList.ReadAsync(engine, name, new(limit, offset), ct), ct);

    [McpServerTool(
        Name = "docker_prune",
        Title = "Remove unused objects",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [McpMeta("risk", "CRITICAL")]
    [Description(
        "Remove all unused objects of one kind: stopped containers, untagged images, networks without running"
            + " containers, or volumes without containers (their data is lost). Call it with dry_run true first: that"
            + " lists the objects and removes nothing. Use docker_container_action to remove one container."
    )]
    public Task<PruneResult> Prune(
        [Description("Kind of objects to remove.")] PruneKind what,
        [Description("true lists the objects that would be removed, and removes nothing. Default false.")]
            bool dry_run = false,
        CancellationToken ct = default
    ) => docker.AskAsync(engine => DockerPrune.RunAsync(engine, what, dry_run, ct), ct);

    private static async Task<string> ActAsync(
        EngineClient engine,
        ContainerAction action,
        string container,
        CancellationToken ct
    )
    {
        switch (action)
        {
            case Docker.ContainerAction.Start:
                return await ContainerLifecycle.StartAsync(engine, container, ct);
            case Docker.ContainerAction.Stop:
                return await ContainerLifecycle.StopAsync(engine, container, ct);
            case Docker.ContainerAction.Restart:
                return await ContainerLifecycle.RestartAsync(engine, container, ct);
            default:
                var name = EngineClient.ValidName(container);
                await engine.Containers.RemoveContainerAsync(name, new() { RemoveVolumes = true }, ct);
                return "removed";
        }
    }

    private static string Done(ContainerAction action) =>
        action switch
        {
            Docker.ContainerAction.Start => "started",
            Docker.ContainerAction.Stop => "stopped",
            Docker.ContainerAction.Restart => "restarted",
            _ => "removed",
        };

    // A server that stops itself cannot answer, and cannot start itself again.
    private static async Task RefuseThisServerAsync(
        EngineClient engine,
        ContainerAction action,
        string container,
        bool force,
        CancellationToken ct
    )
    {
        if (
            !force
            && action is Docker.ContainerAction.Stop or Docker.ContainerAction.Restart
            && ProtectedContainers.IsThisServer(
                (await engine.Containers.InspectContainerAsync(EngineClient.ValidName(container), ct)).ID
            )
        )
        {
            throw new McpException($"{container} is this server itself. Set force to true if you mean it.");
        }
    }

    private DateTimeOffset? Time(string name, string? text) =>
        text is null
            ? null
            : LogTime.Parse(text, time.GetUtcNow())
                ?? throw new McpException($"{name} is not a time: '{text}'. Write it {LogTime.Formats}");
}
