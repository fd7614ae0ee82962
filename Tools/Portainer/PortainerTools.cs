using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using MinimalMcp.Engine;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Portainer;

[McpServerToolType]
internal sealed class PortainerTools(PortainerClient portainer, TimeProvider time)
{
    private const string Endpoint =
        "Environment ID from portainer_list_environments, for example 3. Default: the only Docker environment.";
    private const string Container = "Container name or ID from portainer_list_containers, for example web-1.";
    private const string Limit = "Maximum number of entries, 1 to 200. Default 50.";
    private const string Offset = "Number of entries to skip, for the next part of a long list. Default 0.";
    private const string DryRun =
        "true checks that the container exists and reports what would happen; nothing changes.";

    private const string OwnOnly =
        "Nothing was found. A standard user of Portainer sees only own containers and those shared with a team:"
        + " if there should be some, the access token needs the permissions of another user.";

    [McpServerTool(
        Name = "portainer_list_environments",
        Title = "List environments",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the environments (Docker hosts, agents, Kubernetes clusters) of Portainer with ID, type and status (up or"
            + " down). Call this first when there are several: the other portainer_ tools take the ID as endpoint_id."
    )]
    public async Task<EnvironmentList> ListEnvironments(
        [Description("Part of the environment's name, in any case, for example prod."), StringLength(200)]
            string? name = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var found = (await portainer.EnvironmentsAsync(ct))
            .Where(one => name is null || one.Name.Contains(name, StringComparison.OrdinalIgnoreCase))
            .Select(EnvironmentSummary.Of)
            .ToArray();
        var page = new Page(limit, offset);
        var shown = page.Of(found);
        return new(found.Length, shown, page.Note(found.Length, shown.Length));
    }

    [McpServerTool(
        Name = "portainer_list_containers",
        Title = "List containers",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true,
        OutputSchemaType = typeof(ContainerList)
    )]
    [Description(
        "List the containers of a Portainer environment, running and stopped, with ID, name, image, state, health,"
            + " ports and stack. Use it to find the name or ID that the other portainer_ container tools take; use"
            + " portainer_inspect_container for the details of one."
    )]
    public async Task<CallToolResult> ListContainers(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("false lists running containers only. Default true.")] bool all = true,
        [Description("Part of the name or image, in any case, for example redis."), StringLength(200)]
            string? name = null,
        [Description("Only containers in this state.")] ContainerStatus? status = null,
        [Description("Only containers with this result of their health check.")] ContainerHealthStatus? health = null,
        [Description("Only containers of this Compose project or Swarm stack, for example shop."), StringLength(200)]
            string? stack = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    )
    {
        var filter = new ContainerFilter(all, status, health, name, stack);
        var list = await portainer.AskAsync(
            endpoint_id,
            engine => ContainerList.ReadAsync(engine, filter, new(limit, offset), ct),
            ct
        );
        return ContainerListResult.Of(list, offset, filter == new ContainerFilter() ? OwnOnly : null);
    }

    [McpServerTool(
        Name = "portainer_inspect_container",
        Title = "Inspect a container",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Show the configuration and state of one container: exit code, restarts, last health check, command, ports,"
            + " networks, mounts, labels. Use it to find out why a container does not run; use"
            + " portainer_get_container_logs for its output. Values that look like secrets are redacted."
    )]
    public Task<ContainerDetails> InspectContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine =>
            {
                var found = await engine.Containers.InspectContainerAsync(EngineClient.ValidName(container_id), ct);
                return ContainerDetails.Of(found, portainer.Options.ShowEnvironment);
            },
            ct
        );

    [McpServerTool(
        Name = "portainer_get_container_logs",
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
    public Task<LogText> GetContainerLogs(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
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
        [Description("Output stream. With both, the lines of both count for tail. Default both.")]
            LogStreams stream = LogStreams.Both,
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
            Stdout = stream is not LogStreams.Stderr,
            Stderr = stream is not LogStreams.Stdout,
        };
        return portainer.AskAsync(endpoint_id, engine => LogText.ReadAsync(engine, container_id, query, ct), ct);
    }

    [McpServerTool(
        Name = "portainer_container_stats",
        Title = "Container statistics",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Measure for about two seconds how much CPU, memory, network and disk one container uses. Returns CPU in"
            + " percent of one processor (200 is two processors) and sizes in bytes. A stopped container has no values."
    )]
    public Task<ContainerStats> GetContainerStats(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => engine.StatsAsync(container_id, ct), ct);

    [McpServerTool(
        Name = "portainer_start_container",
        Title = "Start a container",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Start a stopped container. Returns \"was running already\" for a running one; use portainer_restart_container"
            + " to restart that. For all containers of a stack use portainer_start_stack."
    )]
    public Task<ContainerChange> StartContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description(DryRun)] bool dry_run = false,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine => new ContainerChange(
                container_id,
                dry_run
                    ? await ContainerLifecycle.PreviewAsync(engine, container_id, "started", ct)
                    : await ContainerLifecycle.StartAsync(engine, container_id, ct)
            ),
            ct
        );

    [McpServerTool(
        Name = "portainer_stop_container",
        Title = "Stop a container",
        ReadOnly = false,
        Destructive = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Stop a running container. Docker kills it when its stop timeout ends (10 seconds unless the container has its"
            + " own; a call waits at most 20), and the answer reports that. For all containers of a stack use"
            + " portainer_stop_stack."
    )]
    public Task<ContainerChange> StopContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description(
            "true also stops Portainer or this server, which then cannot be started again from here. Default false."
        )]
            bool force = false,
        [Description(DryRun)] bool dry_run = false,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine =>
            {
                await RefuseProtectedAsync(engine, container_id, force, ct);
                return new ContainerChange(
                    container_id,
                    dry_run
                        ? await ContainerLifecycle.PreviewAsync(engine, container_id, "stopped", ct)
                        : await ContainerLifecycle.StopAsync(engine, container_id, ct)
                );
            },
            ct
        );

    [McpServerTool(
        Name = "portainer_restart_container",
        Title = "Restart a container",
        ReadOnly = false,
        Destructive = true,
        Idempotent = false,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Stop a container as portainer_stop_container does and start it again. Interrupts what it is doing. A stopped"
            + " container is started."
    )]
    public Task<ContainerChange> RestartContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("true also restarts Portainer or this server. Default false.")] bool force = false,
        [Description(DryRun)] bool dry_run = false,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine =>
            {
                await RefuseProtectedAsync(engine, container_id, force, ct);
                return new ContainerChange(
                    container_id,
                    dry_run
                        ? await ContainerLifecycle.PreviewAsync(engine, container_id, "restarted", ct)
                        : await ContainerLifecycle.RestartAsync(engine, container_id, ct)
                );
            },
            ct
        );

    [McpServerTool(
        Name = "portainer_list_images",
        Title = "List images",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("List the images of a Portainer environment with ID, tags, size in bytes and time of their build.")]
    public Task<ImageList> ListImages(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("Part of a tag, in any case, for example redis."), StringLength(200)] string? name = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => ImageList.ReadAsync(engine, name, new(limit, offset), ct), ct);

    [McpServerTool(
        Name = "portainer_list_volumes",
        Title = "List volumes",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "List the volumes of a Portainer environment with name, driver and stack. portainer_inspect_container"
            + " shows which volumes a container mounts."
    )]
    public Task<VolumeList> ListVolumes(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("Part of the volume's name, in any case, for example data."), StringLength(200)]
            string? name = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => VolumeList.ReadAsync(engine, name, new(limit, offset), ct), ct);

    [McpServerTool(
        Name = "portainer_list_networks",
        Title = "List networks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("List the networks of a Portainer environment with ID, name, driver, scope and subnets.")]
    public Task<NetworkList> ListNetworks(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("Part of the network's name, in any case, for example shop."), StringLength(200)]
            string? name = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        [Description(Offset), Range(0, int.MaxValue)] int offset = 0,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => NetworkList.ReadAsync(engine, name, new(limit, offset), ct), ct);

    private DateTimeOffset? Time(string name, string? text) =>
        text is null
            ? null
            : LogTime.Parse(text, time.GetUtcNow())
                ?? throw new McpException($"{name} is not a time: '{text}'. Write it {LogTime.Formats}");

    // A caller who stops what the call goes through gets no answer, and cannot start it again.
    private static async Task RefuseProtectedAsync(
        EngineClient engine,
        string container,
        bool force,
        CancellationToken ct
    )
    {
        if (!force && await ProtectedContainers.FindAsync(engine, container, ct) is { } what)
        {
            throw new McpException(
                $"{container} is {what}, and this call goes through it. Set force to true if you mean it."
            );
        }
    }
}
