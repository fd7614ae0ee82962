using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using MinimalMcp.Engine;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tools.Portainer;

[McpServerToolType]
public sealed class PortainerTools(PortainerClient portainer, TimeProvider time)
{
    private const string Endpoint =
        "Portainer environment ID, from portainer_list_environments. Leave out when there is only one.";
    private const string Container = "Container ID or name";
    private const string Limit = "At most this many.";

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
        "Lists the environments (Docker hosts, agents, clusters) of Portainer. Their id is the endpoint_id of"
            + " the other tools."
    )]
    public async Task<EnvironmentList> ListEnvironments(CancellationToken ct = default) =>
        new([
            .. (await portainer.EnvironmentsAsync(ct)).Select(environment => new EnvironmentView(
                environment.Id,
                environment.Name,
                environment.Kind,
                environment.IsUp ? "up" : "down"
            )),
        ]);

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
        "Lists the Docker containers of a Portainer environment with state, health, ports and stack. Start"
            + " here: other tools need the name or id that this returns."
    )]
    public async Task<CallToolResult> ListContainers(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("false leaves out those that do not run.")] bool all = true,
        [Description("Only those whose name or image has these letters."), StringLength(200)] string? name = null,
        [Description("Only those in this state.")] ContainerStatus? status = null,
        [Description("Only those in this health.")] ContainerHealthStatus? health = null,
        [Description("Only those of this stack or Compose project."), StringLength(200)] string? stack = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) =>
        ContainerText.Of(
            await portainer.AskAsync(
                endpoint_id,
                engine => ContainerList.ReadAsync(engine, all, status, health, name, stack, limit, ct),
                ct
            )
        );

    [McpServerTool(
        Name = "portainer_start_container",
        Title = "Start a container",
        ReadOnly = false,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Starts a Docker container. One that runs already stays as it is.")]
    public Task<ContainerChange> StartContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine =>
            {
                var started = await engine.Containers.StartContainerAsync(EngineClient.Name(container_id), new(), ct);
                return new ContainerChange(container_id, started ? "started" : "was running already");
            },
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
        "Stops a Docker container: its program is told to end, and killed when its own stop timeout is over"
            + " (10 seconds by default)."
    )]
    public Task<ContainerChange> StopContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("true also stops Portainer itself or this server, which can then not be started again from here.")]
            bool force = false,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine =>
            {
                await RequireAnotherAsync(engine, container_id, force, ct);
                return new ContainerChange(container_id, await Stopping.StopAsync(engine, container_id, ct));
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
    [Description("Restarts a Docker container. What it does in that moment is interrupted.")]
    public Task<ContainerChange> RestartContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("true also restarts Portainer itself or this server.")] bool force = false,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine =>
            {
                await RequireAnotherAsync(engine, container_id, force, ct);
                return new ContainerChange(container_id, await Stopping.RestartAsync(engine, container_id, time, ct));
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
    [Description("Shows what a Docker container printed, the newest lines, oldest of them first.")]
    public Task<LogText> GetContainerLogs(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description("Number of log lines to retrieve"), Range(1, 5000)] int tail = 100,
        [Description(
            "Only lines since then: a time (2026-01-31T08:00:00Z), seconds since 1970, or how long ago (90s,"
                + " 15m, 1h30m, 2d)."
        )]
        [StringLength(40, MinimumLength = 1)]
            string? since = null,
        [Description("Only lines until then, written like since."), StringLength(40, MinimumLength = 1)]
            string? until = null,
        [Description("Only lines with these letters. It looks through the lines of tail."), StringLength(200)]
            string? grep = null,
        [Description("Which of its two streams. The lines of both count for tail.")]
            LogStreams stream = LogStreams.Both,
        [Description("Put the time before each line.")] bool timestamps = false,
        CancellationToken ct = default
    )
    {
        var query = new LogQuery
        {
            Tail = tail,
            Since = Time(nameof(since), since),
            Until = Time(nameof(until), until),
            Timestamps = timestamps,
            Stdout = stream is not LogStreams.Stderr,
            Stderr = stream is not LogStreams.Stdout,
        };
        return portainer.AskAsync(endpoint_id, engine => LogText.ReadAsync(engine, container_id, query, grep, ct), ct);
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
        "Shows a Docker container in detail: state, health, last health check, restarts, command, ports,"
            + " networks, mounts. Values of its environment are left out."
    )]
    public Task<ContainerReport> InspectContainer(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        CancellationToken ct = default
    ) =>
        portainer.AskAsync(
            endpoint_id,
            async engine =>
            {
                var found = await engine.Containers.InspectContainerAsync(EngineClient.Name(container_id), ct);
                return ContainerReport.Of(found, portainer.Options.ShowEnvironment);
            },
            ct
        );

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
        "Measures for two seconds how much processor, memory, network and disk a container uses. 100 percent"
            + " is one processor."
    )]
    public Task<ContainerStats> GetContainerStats(
        [Description(Container), StringLength(255, MinimumLength = 1)] string container_id,
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => engine.StatsAsync(container_id, ct), ct);

    [McpServerTool(
        Name = "portainer_list_images",
        Title = "List images",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the Docker images of a Portainer environment, with tags and size.")]
    public Task<ImageList> ListImages(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => ImageList.ReadAsync(engine, limit, ct), ct);

    [McpServerTool(
        Name = "portainer_list_volumes",
        Title = "List volumes",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the Docker volumes of a Portainer environment, where containers keep their data.")]
    public Task<VolumeList> ListVolumes(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => VolumeList.ReadAsync(engine, limit, ct), ct);

    [McpServerTool(
        Name = "portainer_list_networks",
        Title = "List networks",
        ReadOnly = true,
        Destructive = false,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description("Lists the Docker networks of a Portainer environment with driver and address ranges.")]
    public Task<NetworkList> ListNetworks(
        [Description(Endpoint), Range(1, int.MaxValue)] int? endpoint_id = null,
        [Description(Limit), Range(1, 200)] int limit = 50,
        CancellationToken ct = default
    ) => portainer.AskAsync(endpoint_id, engine => NetworkList.ReadAsync(engine, limit, ct), ct);

    private DateTimeOffset? Time(string name, string? text) =>
        text is null
            ? null
            : LogText.ParseTime(text, time.GetUtcNow())
                ?? throw new McpException(
                    $"{name} is no time: '{text}'. Write 2026-01-31T08:00:00Z, or how long ago: 90s, 15m, 1h30m, 2d."
                );

    // Who stops what answers him gets no answer, and cannot start it again.
    private static async Task RequireAnotherAsync(
        EngineClient engine,
        string container,
        bool force,
        CancellationToken ct
    )
    {
        if (!force && await PortainerGuard.WhatAsync(engine, container, ct) is { } what)
        {
            throw new McpException(
                $"{container} is {what}, through which this call goes."
                    + " If that is meant, call again with force true."
            );
        }
    }
}
