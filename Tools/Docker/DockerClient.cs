using System.Collections.Concurrent;
using System.Net;
using Docker.DotNet.Models;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Docker;

/// <summary>The Docker Engine behind the tools. Failures become sentences for the caller or the operator.</summary>
internal sealed class DockerClient(
    IHttpMessageHandlerFactory handlers,
    IOptions<DockerOptions> options,
    TimeProvider time
) : IHealthCheck
{
    /// <summary>A GPT Action waits 45 seconds for an answer; a call returns before.</summary>
    internal static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(20);

    private EngineClient? _engine;

    public async Task<T> AskAsync<T>(Func<EngineClient, Task<T>> call, CancellationToken ct)
    {
        try
        {
            // The version is negotiated once.
            return await (_engine ??= await ConnectAsync(nameof(DockerClient), ct)).AskAsync(call);
        }
        catch (EngineException e)
        {
            if (e.Reason.Contains("client version", StringComparison.Ordinal))
            {
                _engine = null; // another engine than the one that the version was negotiated with
            }

            throw Explain(e);
        }
        catch (ArgumentException)
        {
            throw new McpException(
                "This is not a valid container name or ID, or image name. Names and IDs may have letters, digits, '_',"
                    + " '.' and '-', and begin with a letter or digit; images are written registry/name:tag."
            );
        }
    }

    /// <summary>Connects through the outgoing pipeline of the client name.</summary>
    internal Task<EngineClient> ConnectAsync(string client, CancellationToken ct) =>
        EngineClient.ConnectAsync(handlers.CreateHandler(client), options.Value.Address!.Url, ct);

    /// <summary>Creates a container and starts it. One that cannot be started is removed again.</summary>
    internal Task<RunResult> RunAsync(ContainerRequest request, bool detach, CancellationToken ct) =>
        AskAsync(
            async engine =>
            {
                var made = await engine.Containers.CreateContainerAsync(request.ToParameters(options.Value), ct);
                var id = made.ID is { Length: > 0 } known
                    ? EngineClient.ValidName(known)
                    : throw EngineException.Unexpected();
                try
                {
                    await engine.Containers.StartContainerAsync(id, new(), ct);
                }
                catch (EngineException e)
                {
                    await engine.Containers.RemoveContainerAsync(id, new() { Force = true, RemoveVolumes = true }, ct);
                    throw new McpException($"The container could not be started and was removed again: {e.ForCaller}");
                }

                if (!detach)
                {
                    await WaitForExitAsync(engine, id, ct);
                }

                // It is running: from here on nothing may report that it is not.
                var now = await ContainerLifecycle.AfterwardsAsync(() =>
                    engine.Containers.InspectContainerAsync(id, ct)
                );
                var log = detach
                    ? null
                    : await ContainerLifecycle.AfterwardsAsync(() =>
                        LogText.ReadAsync(engine, id, new() { Tail = 1000 }, ct)
                    );
                if (log?.Note is not null)
                {
                    log = log with { Note = "Older lines did not fit. Read them with docker_container_logs." };
                }

                return new RunResult(
                    ContainerSummary.ShortId(id),
                    now?.State?.Status ?? "started",
                    now is null ? [] : ContainerDetails.PortsOf(now),
                    detach || now?.State?.Running is true ? null : (int?)now?.State?.ExitCode,
                    log
                );
            },
            ct
        );

    /// <summary>What <see cref="RunAsync"/> would do. Fails when it could not be done.</summary>
    internal Task<RunResult> PreviewRunAsync(ContainerRequest request, CancellationToken ct) =>
        AskAsync(
            async engine =>
            {
                var parameters = request.ToParameters(options.Value);
                await engine.Images.InspectImageAsync(parameters.Image, ct);
                if (request.Name is { } name && await ExistsAsync(engine, name, ct))
                {
                    throw new McpException(
                        $"There is already a container named {name}. Choose another name, or remove it with"
                            + " docker_container_action."
                    );
                }

                return new RunResult("", "dry run; would be created and started", [], null, null);
            },
            ct
        );

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            var version = await AskAsync(engine => engine.System.GetVersionAsync(cancellationToken), cancellationToken);
            return HealthCheckResult.Healthy(
                data: version.Version is { Length: > 0 } number
                    ? new Dictionary<string, object> { ["version"] = number }
                    : null
            );
        }
        catch (Exception e) when (e is HttpRequestException or McpException)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }

    internal static Exception Explain(EngineException e) =>
        e.IsCallerError
            ? new McpException(
                $"Docker refused: {e.ForCaller}"
                    + (
                        e.Reason.Contains("No such container", StringComparison.OrdinalIgnoreCase)
                            ? " docker_list_containers lists the containers."
                        : e.Reason.Contains("No such image", StringComparison.OrdinalIgnoreCase)
                            ? " docker_pull_image fetches an image; docker_list_images lists those that are there."
                        : ""
                    )
            )
            : new HttpRequestException(
                e.Explain("Docker"),
                null,
                e.Status is HttpStatusCode.OK ? HttpStatusCode.BadGateway : e.Status
            );

    private async Task WaitForExitAsync(EngineClient engine, string id, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(MaxWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            await engine.Containers.WaitContainerAsync(id, either.Token);
        }
        catch (Exception e)
            when ((e is OperationCanceledException && !ct.IsCancellationRequested)
                || e is EngineException or HttpRequestException
            )
        {
            // It goes on; its state and what it printed so far is the answer.
        }
    }

    private static async Task<bool> ExistsAsync(EngineClient engine, string container, CancellationToken ct)
    {
        try
        {
            await engine.Containers.InspectContainerAsync(container, ct);
            return true;
        }
        catch (EngineException e) when (e.Status is HttpStatusCode.NotFound && e.IsCallerError)
        {
            return false;
        }
    }
}

/// <summary>
/// Pulls that are under way. An image takes minutes and a GPT Action waits 45 seconds, so a pull does not end with the
/// call that began it.
/// </summary>
internal sealed class DockerPulls(DockerClient docker, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const int MaxPulls = 4;

    private readonly ConcurrentDictionary<string, Pull> _pulls = new(StringComparer.Ordinal);

    /// <summary>Pulls an image. A pull that takes longer than a call goes on, and the next call reports it.</summary>
    public async Task<PullResult> PullAsync(string image, CancellationToken ct)
    {
        RequireImage(image);
        foreach (var ended in _pulls.Where(other => other.Key != image && other.Value.Done.IsCompleted))
        {
            _pulls.TryRemove(ended); // nobody asked again
        }

        if (_pulls.Count >= MaxPulls && !_pulls.ContainsKey(image))
        {
            throw new McpException(
                $"{MaxPulls} images are being pulled already: {string.Join(", ", _pulls.Keys)}."
                    + " Try again when one of them is done."
            );
        }

        var pull = _pulls.GetOrAdd(image, static (name, pulls) => new Pull(name, pulls.RunAsync), this);
        await Task.WhenAny(pull.Done, Task.Delay(DockerClient.MaxWait, time, ct));
        ct.ThrowIfCancellationRequested();
        if (!pull.Done.IsCompleted)
        {
            return new(image, "pulling", $"{pull.Status} The pull goes on. Call again to see whether it is done.");
        }

        _pulls.TryRemove(KeyValuePair.Create(image, pull));
        try
        {
            await pull.Done;
            return new(image, "pulled", pull.Status);
        }
        catch (EngineException e)
        {
            throw e.Status is HttpStatusCode.OK or HttpStatusCode.InternalServerError
                ? new McpException($"{image} could not be pulled: {e.ForCaller}")
                : DockerClient.Explain(e);
        }
    }

    /// <summary>What <see cref="PullAsync"/> would do.</summary>
    public async Task<PullResult> PreviewAsync(string image, CancellationToken ct)
    {
        RequireImage(image);
        var (name, tag) = EngineClient.SplitImage(image);
        var wanted = $"{name}{(tag.Contains(':', StringComparison.Ordinal) ? '@' : ':')}{tag}";
        var isThere = await docker.AskAsync(
            async engine =>
            {
                try
                {
                    await engine.Images.InspectImageAsync(wanted, ct);
                    return true;
                }
                catch (EngineException e) when (e.Status is HttpStatusCode.NotFound && e.IsCallerError)
                {
                    return false;
                }
            },
            ct
        );
        return new(
            image,
            "dry run",
            isThere ? "Docker has this image; a pull would update it." : "Docker does not have it; it would be pulled."
        );
    }

    private static void RequireImage(string image)
    {
        if (!EngineClient.IsImage().IsMatch(image))
        {
            throw new McpException(
                $"'{image}' is not an image name. Write it registry/name:tag, for example redis:7 or"
                    + " ghcr.io/acme/web:1.2."
            );
        }
    }

    private async Task RunAsync(string image, Action<string> report)
    {
        using var engine = await docker.ConnectAsync(nameof(DockerPulls), lifetime.ApplicationStopping);
        await engine.AskAsync(async _ =>
        {
            await engine.PullAsync(
                image,
                status => report(status.Length > 0 ? $"{status}." : ""),
                lifetime.ApplicationStopping
            );
            return true;
        });
    }

    private sealed class Pull
    {
        public Pull(string image, Func<string, Action<string>, Task> run) =>
            Done = Task.Run(() => run(image, status => Status = status.Length > 0 ? status : Status));

        public Task Done { get; }

        public string Status { get; private set; } = "";
    }
}

/// <summary>Lists and removes what no container uses.</summary>
internal static class DockerPrune
{
    private static readonly string[] BuiltIn = ["bridge", "host", "none"];

    public static async Task<PruneResult> RunAsync(
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

    // Since API 1.42 Docker prunes only volumes without a name unless all are asked for; before, it refuses the filter.
    private static VolumesPruneParameters Volumes(EngineClient engine) =>
        engine.ApiVersion >= new System.Version(1, 42)
            ? new() { Filters = EngineClient.Filters(("all", "true")) }
            : new();

    private static (IEnumerable<string>?, ulong) Removed(ContainersPruneResponse done) =>
        (done.ContainersDeleted?.OfType<string>().Select(ContainerSummary.ShortId), done.SpaceReclaimed);

    private static (IEnumerable<string>?, ulong) Removed(ImagesPruneResponse done) =>
        (
            done.ImagesDeleted?.Select(image =>
                image.Deleted is { } id ? ContainerSummary.ShortId(id) : $"untagged {image.Untagged}"
            ),
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
                return
                [
                    .. containers.Select(ContainerSummary.Of).Select(container => $"{container.Id} {container.Name}"),
                ];
            case PruneKind.Images:
                var images = await engine.Images.ListImagesAsync(new() { Filters = dangling }, ct);
                return [.. images.Select(image => ContainerSummary.ShortId(image.ID))];
            case PruneKind.Networks:
                // Docker 20.10 lists networks as dangling that containers use. It keeps those of running containers
                // only; a stopped one does not protect its network.
                var networks = await engine.Networks.ListNetworksAsync(new() { Filters = dangling }, ct);
                var running = await engine.Containers.ListContainersAsync(new(), ct);
                var used = running.SelectMany(container => container.NetworkSettings?.Networks?.Keys ?? []);
                return [.. networks.Select(network => network?.Name).OfType<string>().Except(BuiltIn).Except(used)];
            default:
                var volumes = await engine.Volumes.ListAsync(new() { Filters = dangling }, ct);
                return [.. (volumes.Volumes ?? []).Select(volume => volume?.Name).OfType<string>()];
        }
    }
}
