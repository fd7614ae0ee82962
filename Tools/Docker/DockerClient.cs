using System.Net;
using Docker.DotNet.Models;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using MinimalMcp.Engine;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Docker;

/// <summary>The Docker Engine behind the tools. A failure is a sentence for the caller, or for the operator.</summary>
public sealed class DockerClient(
    IHttpMessageHandlerFactory handlers,
    IOptions<DockerOptions> options,
    TimeProvider time
) : IHealthCheck
{
    /// <summary>A GPT Action waits 45 seconds for an answer, so that a call comes back before.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private EngineClient? _engine;

    public async Task<T> AskAsync<T>(Func<EngineClient, Task<T>> question, CancellationToken ct)
    {
        try
        {
            // The version is agreed on once.
            return await (_engine ??= await ConnectAsync(nameof(DockerClient), ct)).AskAsync(question);
        }
        catch (EngineException e)
        {
            if (e.Said.Contains("client version", StringComparison.Ordinal))
            {
                _engine = null; // another engine than the one that a version was agreed on with
            }

            throw Explained(e);
        }
        catch (ArgumentException)
        {
            throw new McpException(
                "That is no name or id as Docker has them: letters, digits, '_', '.' and '-'"
                    + " for containers, registry/name:tag for images."
            );
        }
    }

    /// <summary>Through the outgoing pipeline of a client's name.</summary>
    internal Task<EngineClient> ConnectAsync(string client, CancellationToken ct) =>
        EngineClient.ConnectAsync(handlers.CreateHandler(client), options.Value.Address!.Url, ct);

    /// <summary>Makes a container and starts it. One that cannot be started is removed again.</summary>
    internal Task<RunResult> RunAsync(DockerRun run, bool detach, CancellationToken ct) =>
        AskAsync(
            async engine =>
            {
                var made = await engine.Containers.CreateContainerAsync(run.ToParameters(options.Value), ct);
                var id = made.ID is { Length: > 0 } known ? EngineClient.Name(known) : throw EngineException.Nothing();
                try
                {
                    await engine.Containers.StartContainerAsync(id, new(), ct);
                }
                catch (EngineException e)
                {
                    await engine.Containers.RemoveContainerAsync(id, new() { Force = true, RemoveVolumes = true }, ct);
                    throw new McpException(
                        $"The container could not be started, and is removed again: {e.Said.TrimEnd('.')}."
                    );
                }

                if (!detach)
                {
                    using var patience = new CancellationTokenSource(Patience, time);
                    using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
                    try
                    {
                        await engine.Containers.WaitContainerAsync(id, either.Token);
                    }
                    catch (OperationCanceledException) when (!ct.IsCancellationRequested)
                    {
                        // It goes on; its state and what it printed so far is the answer.
                    }
                }

                var now = await engine.Containers.InspectContainerAsync(id, ct);
                var log = detach ? null : await LogText.ReadAsync(engine, id, new() { Tail = 1000 }, null, ct);
                return new RunResult(
                    ContainerView.ShortId(id),
                    now.State?.Status ?? "",
                    ContainerReport.PortsOf(now),
                    detach || now.State?.Running is true ? null : (int?)now.State?.ExitCode,
                    log
                );
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

    internal static Exception Explained(EngineException e) =>
        e.CallerCanMend
            ? new McpException($"Docker refused: {e.Said.TrimEnd('.')}.")
            : new HttpRequestException(
                e.Explain("Docker"),
                null,
                e.Status is HttpStatusCode.OK ? HttpStatusCode.BadGateway : e.Status
            );
}
